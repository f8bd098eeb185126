"""Recordings in, a domain that is ready to bend out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from vqsynth.errors import VqsynthError, warn
from vqsynth.training.run import Quiet, Reporter, RunFolder, pick_device, report_validation, sources_of
from vqsynth.wavae.domain import CARD, Domain
from vqsynth.wavae.network.config import WavaeConfig
from vqsynth.wavae.network.model import Wavae
from vqsynth.wavae.training.analysis import pitch_and_level
from vqsynth.wavae.training.build import build, pieces_of
from vqsynth.wavae.training.settings import WavaeSettings
from vqsynth.wavae.training.trainer import PHASES, WavaeTrainer

EXPORT_BLOCK = 441
EXPORT_TOLERANCE = 1e-3


def check_export(domain: Domain, audio: np.ndarray) -> float:
    """Largest difference between a stored model streamed in blocks and the same model offline.

    Shape: audio [samples] -> sample value

    Where they differ by more than is heard, a warning says so: between two pitches that are as likely, rounding decides.

    Raises:
        VqsynthError: the model's sound is not finite.
    """
    model = domain.model
    sound = torch.from_numpy(np.ascontiguousarray(audio[: 3 * domain.config.sample_rate], np.float32))
    whole = torch.from_numpy(model.resynthesise(sound))
    with domain.streaming() as stream:
        padded = torch.nn.functional.pad(sound, (0, stream.latency))
        streamed = torch.cat([stream.push(block) for block in padded.split(EXPORT_BLOCK)])[stream.latency :]
    difference = float((whole - streamed).abs().max())
    if not np.isfinite(difference):
        raise VqsynthError(
            f"{domain.path}: the model's sound is no number; the training went wrong, train again with another `seed`"
        )
    if difference > EXPORT_TOLERANCE:
        warn(
            f"{domain.path}: streamed and offline sound differ by {difference:.2g}; a model this young wavers between pitches, train it longer with `resume`"
        )
    return difference


def train_domain(
    recordings: str | Path,
    folder: str | Path,
    config: WavaeConfig | None = None,
    settings: WavaeSettings | None = None,
    device: str = "auto",
    resume: bool = False,
    finish: bool = False,
    overwrite: bool = False,
    description: str = "",
    reporter: Reporter | None = None,
) -> Domain:
    """Train the continuous model on ``recordings`` into ``folder``: vocoder, VAE, both against discriminators, axes, export check.

    Args:
        config: None takes the base preset, or with ``resume`` what the run was started with.
        finish: take the checkpoint as it is and only build.

    Raises:
        UsageError: the folder holds a domain or a run already, or nothing to resume.
        Interrupted: Ctrl-C; ``resume`` goes on.
    """
    recordings, folder = Path(recordings), Path(folder)
    reporter, settings = reporter or Quiet(), settings or WavaeSettings(seconds=1800)
    run = RunFolder(folder, CARD, "name")
    device = pick_device(device)
    if resume or finish:
        config, settings = run.stored(config, settings, WavaeConfig, WavaeSettings)
    else:
        config = config or WavaeConfig()
        run.create(overwrite)
    run.write_settings(config, settings)
    run.prepare(
        recordings,
        config.sample_rate,
        config.hop_length,
        lambda audio: pitch_and_level(audio, config),
        settings,
        reporter,
        fresh=not (resume or finish),
    )
    corpus = run.corpus(reporter)
    torch.manual_seed(settings.seed)
    trainer = WavaeTrainer(Wavae(config), corpus, settings, run.work, device)
    if resume or finish:
        trainer.resume()
        reporter.say(f"resumed at step {trainer.number}, phase {trainer.phase()[0]}")
    if not finish:
        trainer.run(reporter.step, lambda *event: report_validation(reporter, config, *event))
    if trainer.phase()[0] == PHASES[0]:
        raise VqsynthError(
            f"{run.work}: the run is too short, its VAE has not started; train longer with `resume` and `time` or `steps`"
        )
    reporter.phase("finding the principal axes", None)
    training = {
        "seed": settings.seed,
        "steps": trainer.number,
        "seconds": round(trainer.seconds, 1),
        "device": device,
        "threads": torch.get_num_threads(),
        **settings.model_dump(
            include={
                "batch_size",
                "vae_batch_size",
                "kl_weight",
                "control_weight",
                "dependence_weight",
                "learning_rate",
            }
        ),
    }
    domain = build(folder, trainer.model, corpus, training, sources_of(recordings), description)
    reporter.phase("checking that streaming equals offline", None)
    difference = check_export(domain, next(pieces_of(corpus, False)))
    reporter.say(
        f"streamed in blocks of {EXPORT_BLOCK} samples it differs by {difference:.1g} from offline; latency {config.latency} samples"
    )
    run.clean()
    return domain
