"""What the commands that train have in common."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vqsynth.cli.text import echo
from vqsynth.errors import UsageError

if TYPE_CHECKING:
    from vqsynth.cli.progress import TrainingDisplay

DEFAULT_SECONDS = 1800.0


class Preset(str, Enum):
    small = "small"
    base = "base"
    large = "large"


PresetOption = Annotated[Preset | None, typer.Option(help="Size of the model (default: base).")]
TimeOption = Annotated[str | None, typer.Option(metavar="30m", help="How long to train (default: 30m).")]
StepsOption = Annotated[int | None, typer.Option(min=1, help="Train this many steps instead; repeatable to the bit.")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 ...")]
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of the split, the weights and every batch.")]
ThreadsOption = Annotated[int, typer.Option(min=0, help="CPU threads; 0 takes all cores.")]
DescriptionOption = Annotated[str, typer.Option(help="One line for the card.")]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on where an interrupted run stopped.")]
FinishOption = Annotated[bool, typer.Option("--finish", help="Build the model from the checkpoint as it is.")]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace a model or a run of this name; the old one stays until then.")
]


def parse_time(text: str) -> float:
    """Seconds of ``90``, ``90s``, ``30m``, ``1.5h`` or ``1h30m``.

    Raises:
        UsageError: not a length of time.
    """
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        seconds = float(text)
    elif re.fullmatch(r"([0-9]{1,9}(\.[0-9]{1,9})?[hms])+", text):
        units = {"h": 3600, "m": 60, "s": 1}
        seconds = sum(float(number) * units[unit] for number, unit in re.findall(r"([\d.]+)([hms])", text))
    else:
        seconds = 0.0
    if seconds <= 0:
        raise UsageError("not a length of time; write for example 90s, 30m or 1h30m", field="time", value=text)
    return seconds


def run_length(time: str | None, steps: int | None, goes_on: bool) -> dict[str, Any]:
    """``steps`` and ``seconds`` of a run's settings; neither for a run that goes on as it was begun.

    Raises:
        UsageError: both are given, or ``time`` is no length of time.
    """
    if time and steps:
        raise UsageError("`time` and `steps`: give one of them")
    seconds = parse_time(time) if time else None
    if not steps and not seconds and not goes_on:
        seconds = DEFAULT_SECONDS
    return {"steps": steps, "seconds": seconds}


def check_name(name: str, field: str) -> None:
    """Check that the name of a new model is no path.

    Raises:
        UsageError: it is.
    """
    if not name or name in (".", "..") or Path(name).name != name:
        raise UsageError("a name is needed, not a path; choose the place with `output`", field=field, value=repr(name))


def train_and_tell(folder: Path, threads: int, next_command: str, train: Callable[[TrainingDisplay], Any]) -> None:
    """Train with a display, and say what comes next.

    Args:
        folder: of the model.
        threads: of the CPU; 0 for all cores.
        next_command: what can be done with the model.
        train: trains it and returns it, or None in a process that is not the first.
    """
    if threads:
        import torch

        torch.set_num_threads(threads)
    from vqsynth.cli.progress import TrainingDisplay
    from vqsynth.training.trainer import Interrupted

    try:
        with TrainingDisplay() as display:
            model = train(display)
    except Interrupted:
        where = f"stopped; the checkpoint is in {folder / 'training'}."
        echo(f"{where} Go on with --resume, or build from it with --finish.", err=True)
        raise typer.Exit(130) from None
    if model is not None:
        echo(f"{folder} is ready: {next_command}")
