"""Progress on the terminal."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from vqsynth.cli.text import in_options, printable

if TYPE_CHECKING:
    from vqsynth.training.trainer import Step


def clock(seconds: float) -> str:
    """``1:02:03`` or ``2:03``."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


class TrainingDisplay:
    """One progress line for the preparation, the steps and the analysis; a kept line for each validation."""

    def __init__(self) -> None:
        quiet = int(os.environ.get("RANK", "0")) > 0
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[detail]}"),
            console=Console(stderr=True, quiet=quiet),
        )
        self.task = self.progress.add_task("starting", total=1.0, detail="")
        self.rate = 0.0

    def __enter__(self) -> TrainingDisplay:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def phase(self, text: str, share: float | None) -> None:
        self.progress.update(self.task, description=text, completed=share or 0.0, detail="")

    def say(self, text: str) -> None:
        self.progress.console.print(printable(in_options(text)), highlight=False, markup=False)

    def step(self, step: Step) -> None:
        self.rate = 0.95 * self.rate + 0.05 * step.rate if self.rate else step.rate
        left = clock(step.seconds * (1 - step.share) / max(step.share, 1e-6))
        losses = " ".join(f"{name} {value:.2f}" for name, value in step.losses.items() if name != "total")
        state = "".join(
            f" | {name.replace('_', ' ')} {value if isinstance(value, str) else f'{value:.0f}'}"
            for name, value in step.state.items()
        )
        detail = f"step {step.number}, {self.rate:.1f}/s, {left} left | {losses}{state}"
        self.progress.update(self.task, description="training", completed=step.share, detail=detail)
        if step.validation is not None:
            held_out = (
                "nothing held out" if math.isnan(step.validation) else f"held-out spectral loss {step.validation:.3f}"
            )
            self.say(f"step {step.number} ({step.share:.0%}): {held_out}; {losses}{state}")
