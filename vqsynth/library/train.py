"""Recordings in, a timbre that is ready to render out."""

from __future__ import annotations

from pathlib import Path

from vqsynth.errors import UsageError
from vqsynth.library.analyze import analyze
from vqsynth.library.build import build
from vqsynth.library.timbre import CARD, Timbre, load
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
    model = VQVAE(config)
    trainer = VqvaeTrainer(model, corpus, settings, folder, device)
    # Where there is a checkpoint, its weights take their place.
    if settings.start_from is not None and not trainer.checkpoint_path.is_file():
        start = Timbre(Path(settings.start_from)).model
        model.encoder.load_state_dict(start.encoder.state_dict())
        model.decoder.load_state_dict(start.decoder.state_dict())
    return trainer


def _start(
    name: str | Path, config: ModelConfig | None, settings: VqvaeSettings | None
) -> tuple[ModelConfig, VqvaeSettings]:
    """Configuration and settings of a run that starts from a timbre's weights.

    Raises:
        UsageError: no such timbre, or its weights do not fit ``config``.
        VqsynthError: the timbre is damaged.
    """
    timbre = load(name)
    config = config or timbre.config
    # The codebook is not taken over: its size may differ.
    if timbre.config.model_copy(update={"n_codes": config.n_codes}) != config:
        raise UsageError(
            "its model has another shape; leave `preset` out, or choose that of this timbre",
            field="start_from",
            value=name,
        )
    _ = timbre.model  # damage is told before recordings are prepared
    settings = settings or VqvaeSettings(seconds=1800)
    return config, settings.model_copy(
        update={"start_from": str(timbre.path.resolve()), "start_sources": timbre.learned_from}
    )


def _build(run: FinishedRun[VqvaeTrainer]) -> None:
    run.reporter.phase("building the timbre", None)
    model, training = run.trainer.model, dict(run.training)
    start, start_sources = training.pop("start_from", None), training.pop("start_sources", ())
    if start is not None:
        training.update(start_from=Path(start).name, start_sources=list(start_sources))
    timbre = build(run.folder, run.name, model, run.corpus, training, run.sources, run.description)
    analyze(timbre, progress=lambda share: run.reporter.phase("analyzing the codebook", share))
    units_of_corpus(
        timbre, run.corpus, run.sources, lambda name, share: run.reporter.phase("writing down what was played", share)
    )


TIMBRE = ModelKind(
    field="timbre",
    card=CARD,
    config=ModelConfig,
    settings=VqvaeSettings,
    recorded=("batch_size", "segment_frames", "learning_rate", "start_from", "start_sources"),
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
    start_from: str | Path | None = None,
) -> Timbre | None:
    """Train a timbre from ``recordings`` into ``folder`` and analyze it; :func:`train_model` says more.

    Args:
        recordings: a folder of audio files, or one file.
        folder: of the timbre; its name is the timbre's.
        config: None takes the base preset, that of ``start_from``, or with ``resume`` what the run was started with.
        settings: None trains for half an hour.
        device: auto, cpu, cuda, cuda:1 ...
        resume: go on with an interrupted run.
        finish: take the checkpoint as it is and only build and analyze.
        overwrite: replace a timbre or a run.
        description: one line for the card.
        reporter: hears how it goes.
        start_from: a timbre, by name or folder: encoder and decoder start from its weights, the codebook anew.

    Returns:
        The timbre; None in all but the first process of a distributed run.

    Raises:
        UsageError: the folder holds a timbre or a run already, there is nothing to resume, or ``start_from`` does
            not fit.
        VqsynthError: no recording can be used, or the run was too short to build from.
        Interrupted: Ctrl-C; ``resume`` goes on.
    """
    if start_from is not None:
        if resume or finish:
            raise UsageError(
                "a run that goes on has weights of its own; leave this out", field="start_from", value=start_from
            )
        config, settings = _start(start_from, config, settings)
    return train_model(
        TIMBRE, recordings, folder, config, settings, device, resume, finish, overwrite, description, reporter
    )
