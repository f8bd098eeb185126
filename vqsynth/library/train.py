"""Recordings in, a timbre that is ready to render out."""

from __future__ import annotations

from pathlib import Path

import torch

from vqsynth.errors import VqsynthError
from vqsynth.library.analyze import analyze
from vqsynth.library.build import build
from vqsynth.library.timbre import CARD, Timbre
from vqsynth.training.run import Quiet, Reporter, RunFolder, pick_device, report_validation, sources_of
from vqsynth.vqvae.config import ModelConfig
from vqsynth.vqvae.features import feature_arrays
from vqsynth.vqvae.model import VQVAE
from vqsynth.vqvae.training.settings import TrainSettings
from vqsynth.vqvae.training.trainer import Trainer, join_processes


def train_timbre(
    recordings: str | Path,
    folder: str | Path,
    config: ModelConfig | None = None,
    settings: TrainSettings | None = None,
    device: str = "auto",
    resume: bool = False,
    finish: bool = False,
    overwrite: bool = False,
    description: str = "",
    reporter: Reporter | None = None,
) -> Timbre | None:
    """Train a timbre from ``recordings`` into ``folder`` and analyze it.

    Args:
        config: None takes the base preset, or with ``resume`` what the run was started with.
        finish: take the checkpoint as it is and only build and analyze.

    Returns:
        The timbre; None in the other processes of a distributed run.

    Raises:
        UsageError: the folder holds a timbre or a run already, or nothing to resume.
        Interrupted: Ctrl-C; ``resume`` goes on.
    """
    recordings, folder = Path(recordings), Path(folder)
    reporter, settings = reporter or Quiet(), settings or TrainSettings(seconds=1800)
    run = RunFolder(folder, CARD, "timbre")
    device = pick_device(device)
    rank, world = join_processes()
    if resume or finish:
        config, settings = run.stored(config, settings, ModelConfig, TrainSettings)
    else:
        config = config or ModelConfig()
        if rank == 0:
            run.create(overwrite)
    if rank == 0:
        run.write_settings(config, settings)
        run.prepare(
            recordings,
            config.sample_rate,
            config.hop_length,
            lambda audio: feature_arrays(audio, config),
            settings,
            reporter,
            fresh=not (resume or finish),
        )
    if world > 1:
        torch.distributed.barrier()
    corpus = run.corpus(reporter)
    torch.manual_seed(settings.seed)
    trainer = Trainer(VQVAE(config), corpus, settings, run.work, device)
    if resume or finish:
        trainer.resume()
        reporter.say(f"resumed at step {trainer.number}")
    if not finish:
        trainer.run(reporter.step, lambda *event: report_validation(reporter, config, *event))
    if not trainer.started:
        raise VqsynthError(
            f"{run.work}: the run is too short, its codebook has not started; train longer with `resume` and `time` or `steps`"
        )
    if rank:
        return None
    reporter.phase("building the timbre", None)
    training = {
        "seed": settings.seed,
        "steps": trainer.number,
        "seconds": round(trainer.seconds, 1),
        "device": device,
        "processes": world,
        "batch_size": settings.batch_size,
        "segment_frames": settings.segment_frames,
        "learning_rate": settings.learning_rate,
        "threads": torch.get_num_threads(),
    }
    timbre = build(folder, folder.name, trainer.model, corpus, training, sources_of(recordings), description)
    reporter.phase("analyzing the codebook", None)
    analyze(timbre, progress=lambda share: reporter.phase("analyzing the codebook", share))
    run.clean()
    return Timbre(folder)
