"""Recordings in, a timbre that is ready to render out."""

from __future__ import annotations

from pathlib import Path

from vqsynth.library.analyze import analyze
from vqsynth.library.build import build
from vqsynth.library.timbre import CARD, Timbre
from vqsynth.library.units import units_of_corpus
from vqsynth.training.pipeline import FinishedRun, ModelKind, train_model
from vqsynth.training.prepared import Prepared
from vqsynth.training.reporter import Reporter
from vqsynth.vqvae.config import ModelConfig
from vqsynth.vqvae.features import feature_arrays
from vqsynth.vqvae.model import VQVAE
from vqsynth.vqvae.training.settings import VqvaeSettings
from vqsynth.vqvae.training.trainer import VqvaeTrainer


def _trainer(config: ModelConfig, corpus: Prepared, settings: VqvaeSettings, folder: Path, device: str) -> VqvaeTrainer:
    return VqvaeTrainer(VQVAE(config), corpus, settings, folder, device)


def _build(run: FinishedRun[VqvaeTrainer]) -> None:
    run.reporter.phase("building the timbre", None)
    model = run.trainer.model
    timbre = build(run.folder, run.name, model, run.corpus, run.training, run.sources, run.description)
    analyze(timbre, progress=lambda share: run.reporter.phase("analyzing the codebook", share))
    units_of_corpus(
        timbre, run.corpus, run.sources, lambda name, share: run.reporter.phase("writing down what was played", share)
    )


TIMBRE = ModelKind(
    field="timbre",
    card=CARD,
    config=ModelConfig,
    settings=VqvaeSettings,
    recorded=("batch_size", "segment_frames", "learning_rate"),
    unusable="its codebook has not started",
    analyze=feature_arrays,
    trainer=_trainer,
    build=_build,
    load=Timbre,
    distributed=True,
)


def train_timbre(
    recordings: str | Path,
    folder: str | Path,
    config: ModelConfig | None = None,
    settings: VqvaeSettings | None = None,
    device: str = "auto",
    resume: bool = False,
    finish: bool = False,
    overwrite: bool = False,
    description: str = "",
    reporter: Reporter | None = None,
) -> Timbre | None:
    """Train a timbre from ``recordings`` into ``folder`` and analyze it; :func:`train_model` says more.

    Args:
        recordings: a folder of audio files, or one file.
        folder: of the timbre; its name is the timbre's.
        config: None takes the base preset, or with ``resume`` what the run was started with.
        settings: None trains for half an hour.
        device: auto, cpu, cuda, cuda:1 ...
        resume: go on with an interrupted run.
        finish: take the checkpoint as it is and only build and analyze.
        overwrite: replace a timbre or a run.
        description: one line for the card.
        reporter: hears how it goes.

    Returns:
        The timbre; None in all but the first process of a distributed run.

    Raises:
        UsageError: the folder holds a timbre or a run already, or there is nothing to resume.
        VqsynthError: no recording can be used, or the run was too short to build from.
        Interrupted: Ctrl-C; ``resume`` goes on.
    """
    return train_model(
        TIMBRE, recordings, folder, config, settings, device, resume, finish, overwrite, description, reporter
    )
