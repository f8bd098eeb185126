"""One run from recordings to a model: the same for every kind of model."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch

from vqsynth.corpus.files import find_audio
from vqsynth.corpus.packs import read_sources
from vqsynth.dsp.model_settings import FrameSettings
from vqsynth.errors import UsageError, VqsynthError
from vqsynth.training.prepare import prepare
from vqsynth.training.prepared import Prepared, is_prepared
from vqsynth.training.processes import join_processes, rank_and_world, wait_for_all
from vqsynth.training.reporter import Quiet, Reporter, report_validation
from vqsynth.training.run_folder import RunFolder
from vqsynth.training.settings import RunSettings
from vqsynth.training.trainer import Trainer

Config = TypeVar("Config", bound=FrameSettings)
Settings = TypeVar("Settings", bound=RunSettings)
TrainerType = TypeVar("TrainerType", bound=Trainer)
Model = TypeVar("Model")


@dataclasses.dataclass(frozen=True)
class FinishedRun(Generic[TrainerType]):
    """What a model is built from.

    Attributes:
        folder: to build into; it is there and empty.
        name: of the model.
        trainer: at the end of its run.
        corpus: what it was trained on.
        training: facts of the run for the card.
        sources: provenance of the recordings for the card.
        description: one line for the card.
        reporter: hears how it goes.
    """

    folder: Path
    name: str
    trainer: TrainerType
    corpus: Prepared
    training: dict[str, Any]
    sources: list[dict[str, Any]]
    description: str
    reporter: Reporter


@dataclasses.dataclass(frozen=True)
class ModelKind(Generic[Config, Settings, TrainerType, Model]):
    """What a run needs to know of a kind of model.

    Attributes:
        field: the argument that names a model, for messages.
        card: name of the card of a finished model.
        config: type of its configuration; without arguments the base preset.
        settings: type of the settings of a run.
        recorded: settings that the card records.
        unusable: what has not begun where a run was too short to build from.
        analyze: features of audio [samples], for the prepared corpus.
        trainer: makes the trainer of a configuration, with fresh weights.
        build: makes the model of a finished run.
        load: loads a model from its folder.
        distributed: whether several processes can train one model.
    """

    field: str
    card: str
    config: type[Config]
    settings: type[Settings]
    recorded: tuple[str, ...]
    unusable: str
    analyze: Callable[[np.ndarray, Config], dict[str, np.ndarray]]
    trainer: Callable[[Config, Prepared, Settings, Path, str], TrainerType]
    build: Callable[[FinishedRun[TrainerType]], object]
    load: Callable[[Path], Model]
    distributed: bool = False


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
        message = f"not usable here ({str(error).splitlines()[0]}); use auto, cpu or cuda"
        raise UsageError(message, field="device", value=device) from error
    return device


def sources_of(recordings: Path) -> list[dict[str, Any]]:
    """Provenance from ``source.toml`` beside the recordings, or a plain statement that there is none."""
    own = {"package": "own recordings", "version": "", "licence": "not stated", "real": True, "credit": recordings.name}
    return read_sources(recordings if recordings.is_dir() else recordings.parent) or [own]


def train_model(
    kind: ModelKind[Config, Settings, TrainerType, Model],
    recordings: str | Path,
    folder: str | Path,
    config: Config | None = None,
    settings: Settings | None = None,
    device: str = "auto",
    resume: bool = False,
    finish: bool = False,
    overwrite: bool = False,
    description: str = "",
    reporter: Reporter | None = None,
) -> Model | None:
    """Train a model of a kind on ``recordings`` into ``folder``.

    Args:
        kind: of the model.
        recordings: a folder of audio files, or one file.
        folder: of the model; its name is the model's.
        config: None takes the base preset, or with ``resume`` what the run was started with.
        settings: None trains for half an hour, or as long as the run that is resumed was to last.
        device: auto, cpu, cuda, cuda:1 ...
        resume: go on with an interrupted run, wherever it was stopped.
        finish: take the checkpoint as it is and only build.
        overwrite: replace a model or a run; the old model stays until the new one is whole.
        description: one line for the card.
        reporter: hears how it goes.

    Returns:
        The model; None in all but the first process of a distributed run.

    Raises:
        UsageError: the folder holds a model or a run already, or there is nothing to resume.
        VqsynthError: no recording can be used, or the run was too short to build from.
        Interrupted: Ctrl-C; ``resume`` goes on.
    """
    recordings, folder, reporter = Path(recordings), Path(folder), reporter or Quiet()
    device = pick_device(device)
    if kind.distributed:
        join_processes()
    run = RunFolder(folder, kind.card, kind.field)
    with run.opened() if rank_and_world()[0] == 0 else contextlib.nullcontext():
        return _train(kind, run, recordings, config, settings, device, resume, finish, overwrite, description, reporter)


def _train(
    kind: ModelKind[Config, Settings, TrainerType, Model],
    run: RunFolder,
    recordings: Path,
    config: Config | None,
    settings: Settings | None,
    device: str,
    resume: bool,
    finish: bool,
    overwrite: bool,
    description: str,
    reporter: Reporter,
) -> Model | None:
    """:func:`train_model` in a folder that is its own."""
    rank, world = rank_and_world()
    if resume or finish:
        config, settings = run.read_settings(config, settings or kind.settings(), kind.config, finish)
    else:
        config, settings = config or kind.config(), settings or kind.settings(seconds=1800)
    if rank == 0:
        _prepare(kind, run, recordings, config, settings, reporter, resume or finish, overwrite)
    wait_for_all()
    corpus = Prepared(run.corpus)
    reporter.say(
        f"{corpus.seconds(False, False):.0f} s of recordings, {corpus.info['varied_seconds']:.0f} s of varied phrases, "
        f"{corpus.seconds(True):.0f} s held out ({', '.join(corpus.info['held_out']) or 'nothing'})"
    )
    torch.manual_seed(settings.seed)
    trainer = kind.trainer(config, corpus, settings, run.work, device)
    if run.checkpoint.is_file():
        trainer.resume()
        reporter.say(f"resumed at step {trainer.number}, phase {trainer.phase.name}")
    if not finish:
        frames = config
        trainer.run(reporter.step, lambda *event: report_validation(reporter, frames, *event))
    if not trainer.phase.usable:
        raise VqsynthError(
            f"{run.folder}: the run is too short, {kind.unusable}; train longer with `resume` and `time` or `steps`"
        )
    if rank:
        return None
    _build(kind, run, trainer, corpus, settings, device, world, sources_of(recordings), description, reporter)
    return kind.load(run.folder)


def _prepare(
    kind: ModelKind[Config, Settings, TrainerType, Model],
    run: RunFolder,
    recordings: Path,
    config: Config,
    settings: Settings,
    reporter: Reporter,
    resume: bool,
    overwrite: bool,
) -> None:
    """Write settings and prepared corpus, as far as they are not there."""
    ready = resume and is_prepared(run.corpus)
    if not ready:
        find_audio(recordings)  # nothing is made where nothing can be learned
    if not resume:
        run.check_free(overwrite)
        run.clear()
    try:
        run.write_settings(config, settings)
        if not ready:
            prepare(
                recordings,
                run.corpus,
                config.sample_rate,
                config.hop_length,
                lambda audio: kind.analyze(audio, config),
                settings.seed,
                settings.vary,
                settings.vary_seconds,
                lambda text, share: reporter.phase(f"preparing {text}", share),
            )
    except VqsynthError:
        if not resume:
            run.clear()
        raise


def _build(
    kind: ModelKind[Config, Settings, TrainerType, Model],
    run: RunFolder,
    trainer: TrainerType,
    corpus: Prepared,
    settings: Settings,
    device: str,
    world: int,
    sources: list[dict[str, Any]],
    description: str,
    reporter: Reporter,
) -> None:
    """Build the model in the run's folder, and publish it when it is whole."""
    training = {
        "seed": settings.seed,
        "steps": trainer.number,
        "seconds": round(trainer.seconds, 1),
        "device": device,
        "processes": world,
        "threads": torch.get_num_threads(),
        **settings.model_dump(include=set(kind.recorded), exclude_none=True),
        **corpus.facts(),
    }
    folder = run.new_model()
    kind.build(FinishedRun(folder, run.folder.name, trainer, corpus, training, sources, description, reporter))
    run.publish()
