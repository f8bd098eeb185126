"""Recordings in, a domain that is ready to bend out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from vqsynth.errors import UsageError, VqsynthError, warn
from vqsynth.training.pipeline import FinishedRun, ModelKind, train_model
from vqsynth.training.prepared import Prepared
from vqsynth.training.reporter import Reporter
from vqsynth.wavae.domain import CARD, Domain, load
from vqsynth.wavae.network.config import WavaeConfig
from vqsynth.wavae.network.model import Wavae
from vqsynth.wavae.training.build import build, pieces_of
from vqsynth.wavae.training.material.analysis import pitch_and_level
from vqsynth.wavae.training.settings import WavaeSettings
from vqsynth.wavae.training.trainer import WavaeTrainer

EXPORT_BLOCK = 441
EXPORT_TOLERANCE = 1e-3
BASE = "base"
"""The domain of all kinds of sound, which others are adapted from."""
ADAPT_SECONDS = 600.0
ADAPTED = {"vae_at": 0.15, "joint_at": 0.55, "learning_rate": 7e-4, "kl_warmup": 0.0}
"""Settings of a run that starts from weights, where the caller has none: the vocoder has little to learn."""


def check_export(domain: Domain, audio: np.ndarray) -> float:
    """Largest difference between a stored model streamed in blocks and the same model offline.

    Shape: audio [samples] -> sample value

    Where they differ by more than is heard, a warning says so: of two pitches that are as likely, rounding chooses.

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
            f"{domain.name}: the model's sound is not finite; the training went wrong, train again with another `seed`"
        )
    if difference > EXPORT_TOLERANCE:
        warn(
            f"{domain.name}: streamed and offline sound differ by {difference:.2g}; a model this young wavers between "
            "pitches, train it longer with `resume`"
        )
    return difference


def _trainer(config: WavaeConfig, corpus: Prepared, settings: WavaeSettings, folder: Path, device: str) -> WavaeTrainer:
    trainer = WavaeTrainer(Wavae(config), corpus, settings, folder, device)
    # Where there is a checkpoint, its weights take their place.
    if settings.start_from is not None and not trainer.checkpoint_path.is_file():
        trainer.model.load_state_dict(Domain(Path(settings.start_from)).model.state_dict())
    return trainer


def _start(
    name: str | Path, config: WavaeConfig | None, settings: WavaeSettings | None
) -> tuple[WavaeConfig, WavaeSettings]:
    """Configuration and settings of a run that starts from a domain's weights.

    Raises:
        UsageError: no such domain, or its weights do not fit ``config``.
        VqsynthError: the domain is damaged.
    """
    domain = load(name)
    if config is not None and config != domain.config:
        raise UsageError(
            "its model has another shape; leave `preset` and `controls` out, or start from nothing with none",
            field="start_from",
            value=name,
        )
    _ = domain.model  # damage is told before recordings are prepared
    settings = settings or WavaeSettings(seconds=ADAPT_SECONDS)
    unsaid = {name: value for name, value in ADAPTED.items() if name not in settings.model_fields_set}
    return domain.config, settings.model_copy(
        update={
            **unsaid,
            "start_from": str(domain.path.resolve()),
            "start_sources": domain.learned_from,
        }
    )


def _build(run: FinishedRun[WavaeTrainer]) -> None:
    run.reporter.phase("finding the principal axes", None)
    model, training = run.trainer.model, dict(run.training)
    start, start_sources = training.pop("start_from", None), training.pop("start_sources", ())
    if start is not None:
        training.update(start_from=Path(start).name, start_sources=list(start_sources))
    domain = build(run.folder, run.name, model, run.corpus, training, run.sources, run.description)
    run.reporter.phase("checking that streaming equals offline", None)
    difference = check_export(domain, next(pieces_of(run.corpus, False)))
    run.reporter.say(
        f"streamed in blocks of {EXPORT_BLOCK} samples it differs by {difference:.1g} from offline; "
        f"latency {model.config.latency} samples"
    )


DOMAIN = ModelKind(
    field="name",
    card=CARD,
    config=WavaeConfig,
    settings=WavaeSettings,
    recorded=(
        "batch_size",
        "vae_batch_size",
        "kl_weight",
        "control_weight",
        "dependence_weight",
        "learning_rate",
        "start_from",
        "start_sources",
    ),
    unusable="its VAE has not started",
    analyze=pitch_and_level,
    trainer=_trainer,
    build=_build,
    load=Domain,
)


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
    start_from: str | Path | None = None,
) -> Domain:
    """Train the continuous model on ``recordings`` into ``folder``: vocoder, VAE, both together.

    Principal axes, figures and a check of the streamed sound follow; :func:`train_model` says more.

    Args:
        recordings: a folder of audio files, or one file.
        folder: of the domain; its name is the domain's.
        config: None takes the base preset, or with ``resume`` what the run was started with.
        settings: None trains for half an hour.
        device: auto, cpu, cuda, cuda:1 ...
        resume: go on with an interrupted run.
        finish: take the checkpoint as it is and only build.
        overwrite: replace a domain or a run.
        description: one line for the card.
        reporter: hears how it goes.
        start_from: a domain, by name or folder, whose weights are adapted; None starts from nothing.

    Raises:
        UsageError: the folder holds a domain or a run already, there is nothing to resume, or ``start_from`` does
            not fit.
        VqsynthError: no recording can be used, the run was too short, or the model's sound is not finite.
        Interrupted: Ctrl-C; ``resume`` goes on.
    """
    if start_from is not None:
        if resume or finish:
            raise UsageError(
                "a run that goes on has weights of its own; leave this out", field="start_from", value=start_from
            )
        config, settings = _start(start_from, config, settings)
    domain = train_model(
        DOMAIN, recordings, folder, config, settings, device, resume, finish, overwrite, description, reporter
    )
    assert domain is not None  # one process
    return domain
