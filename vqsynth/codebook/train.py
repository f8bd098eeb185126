"""Recordings in, a timbre that is ready to render out."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any, Protocol

import torch

from vqsynth.codebook.analyze import analyze
from vqsynth.codebook.build import build
from vqsynth.codebook.folder import CARD, Timbre
from vqsynth.corpus.packs import read_sources
from vqsynth.errors import UsageError, VqsynthError
from vqsynth.files import read_toml, write_text
from vqsynth.training.loop import Step
from vqsynth.training.prepare import Prepared, prepare
from vqsynth.vqvae.config import ModelConfig
from vqsynth.vqvae.features import analyse
from vqsynth.vqvae.model import VQVAE
from vqsynth.vqvae.training.loop import Trainer, join_processes
from vqsynth.vqvae.training.objective import Outcome
from vqsynth.vqvae.training.preview import write_preview
from vqsynth.vqvae.training.settings import TrainSettings

STALE_SHARE = 0.35
"""Share of a run without a better validation after which the user is told."""


class Reporter(Protocol):
    """Where a run says how it goes."""

    def phase(self, text: str, share: float | None) -> None:
        """A stage outside of the steps, with its share done if known."""

    def step(self, step: Step) -> None:
        """A training step."""

    def say(self, text: str) -> None:
        """One line to keep."""


class Quiet:
    """A reporter that says nothing."""

    def phase(self, text: str, share: float | None) -> None: ...

    def step(self, step: Step) -> None: ...

    def say(self, text: str) -> None: ...


def pick_device(device: str) -> str:
    """Resolve ``auto`` and check that a device can be used.

    Raises:
        UsageError: there is no such device.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"--device {device}: not usable here ({str(error).splitlines()[0]}); use auto, cpu or cuda") from error
    return device


def _sources(recordings: Path) -> list[dict[str, Any]]:
    """Provenance from ``source.toml`` beside the recordings, or a plain statement that there is none."""
    own = {"package": "own recordings", "version": "", "licence": "not stated", "real": True, "credit": recordings.name}
    return read_sources(recordings if recordings.is_dir() else recordings.parent) or [own]


def _settings_file(work: Path) -> Path:
    return work / "settings.toml"


def _continue_settings(work: Path, config: ModelConfig, settings: TrainSettings, configured: bool) -> tuple[ModelConfig, TrainSettings]:
    """The stored settings of an interrupted run, with a new length if one is asked for."""
    if not (work / "checkpoint.safetensors").is_file():
        raise UsageError(f"{work}: no checkpoint to resume; start without --resume")
    stored = read_toml(_settings_file(work))
    stored_config = ModelConfig(**stored["model"])
    if configured and stored_config != config:
        raise UsageError(f"{work}: was started with another --preset; resume without --preset, or train anew under another name")
    merged = dict(stored["training"])
    if settings.steps or settings.seconds:
        merged.pop("steps", None)
        merged.pop("seconds", None)
        merged.update({k: v for k, v in (("steps", settings.steps), ("seconds", settings.seconds)) if v})
    return stored_config, TrainSettings(**merged)


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
    """Train a timbre from ``recordings`` into ``folder`` and analyse it.

    Args:
        config: None takes the base preset, or with ``resume`` what the run was started with.
        finish: take the checkpoint as it is and only build and analyse.

    Returns:
        The timbre; None in the other processes of a distributed run.

    Raises:
        UsageError: the folder holds a timbre or a run already, or nothing to resume.
        Interrupted: Ctrl-C; ``resume`` goes on.
    """
    recordings, folder = Path(recordings), Path(folder)
    reporter, settings = reporter or Quiet(), settings or TrainSettings(seconds=1800)
    work = folder / "training"
    device = pick_device(device)
    rank, world = join_processes()
    if resume or finish:
        config, settings = _continue_settings(work, config or ModelConfig(), settings, config is not None)
    else:
        config = config or ModelConfig()
        if rank == 0:
            _refuse_existing(folder, work, overwrite)
    if rank == 0:
        try:
            work.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise VqsynthError(f"{folder}: cannot be created ({error.strerror}); choose another --output") from error
        _write_settings(work, config, settings)
    corpus = _corpus(recordings, work, config, settings, reporter, rank, world, fresh=not (resume or finish))
    torch.manual_seed(settings.seed)
    trainer = Trainer(VQVAE(config), corpus, settings, work, device)
    if resume or finish:
        trainer.resume()
        reporter.say(f"resumed at step {trainer.number}")
    if not finish:
        trainer.run(reporter.step, lambda *event: _on_validation(reporter, *event))
    if not trainer.started:
        raise VqsynthError(f"{work}: the run is too short, its codebook has not started; train longer with --resume and --time or --steps")
    if rank:
        return None
    reporter.phase("building the timbre", None)
    training = {
        "seed": settings.seed, "steps": trainer.number, "seconds": round(trainer.seconds, 1), "device": device,
        "processes": world, "batch_size": settings.batch_size, "segment_frames": settings.segment_frames,
        "learning_rate": settings.learning_rate, "threads": torch.get_num_threads(),
    }
    timbre = build(folder, folder.name, trainer.model, corpus, training, _sources(recordings), description)
    reporter.phase("analysing the codebook", None)
    analyze(timbre, progress=lambda share: reporter.phase("analysing the codebook", share))
    shutil.rmtree(work / "corpus", ignore_errors=True)
    return Timbre(folder)


def _refuse_existing(folder: Path, work: Path, overwrite: bool) -> None:
    if overwrite:
        shutil.rmtree(work, ignore_errors=True)
    elif (folder / CARD).is_file():
        raise UsageError(f"{folder}: this timbre is there already; choose another --timbre, or replace it with --overwrite")
    elif (work / "checkpoint.safetensors").is_file():
        raise UsageError(f"{folder}: holds an unfinished run; go on with --resume, or start again with --overwrite")


def _write_settings(work: Path, config: ModelConfig, settings: TrainSettings) -> None:
    import tomli_w

    content = {"model": config.model_dump(), "training": settings.model_dump(exclude_none=True)}
    write_text(_settings_file(work), tomli_w.dumps(content))


def _corpus(
    recordings: Path, work: Path, config: ModelConfig, settings: TrainSettings, reporter: Reporter, rank: int, world: int, fresh: bool
) -> Prepared:
    """Prepare once, in the first process; the others wait for the file."""
    ready = work / "corpus" / "pieces.json"
    if rank == 0:
        if fresh:
            shutil.rmtree(work / "corpus", ignore_errors=True)
        if not ready.is_file():
            prepare(
                recordings, work / "corpus", config.sample_rate, config.hop_length, lambda audio: analyse(audio, config),
                settings.seed, settings.vary, settings.vary_seconds,
                lambda text, share: reporter.phase(f"preparing {text}", share),
            )
    if world > 1:
        torch.distributed.barrier()
    corpus = Prepared(work / "corpus")
    reporter.say(
        f"{corpus.seconds(False, False):.0f} s of recordings, {corpus.info['varied_seconds']:.0f} s of varied phrases, "
        f"{corpus.seconds(True):.0f} s held out ({', '.join(corpus.info['held_out']) or 'nothing'})"
    )
    return corpus


def _on_validation(reporter: Reporter, trainer: Trainer, step: Step, outcome: Outcome | None) -> None:
    if trainer.rank or outcome is None:
        return
    write_preview(
        trainer.folder / "previews", step.number, trainer.last_batch.audio.cpu().numpy(), outcome.audio.cpu().numpy(), trainer.model.config
    )
    stale = step.share - trainer.best_share
    if trainer.started and STALE_SHARE < stale <= STALE_SHARE + 1.5 / trainer.settings.validations and step.share < 0.95:
        reporter.say(
            f"held-out recordings have not improved since {trainer.best_share:.0%} of the run: more steps may not help; "
            "Ctrl-C keeps what there is, then --finish builds the timbre from it"
        )
