"""Progress of work on files: which file, what is done with it, how far, how long still."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from vqsynth.cli.text import markup


class FileProgress:
    """One bar over all files, which only moves forward: each file counts the same, and each of its tasks."""

    def __init__(self, *tasks: str) -> None:
        self.tasks = tasks or ("tracking pitch", "encoding", "decoding")
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=1.0)
        self._done, self._total, self._name, self._share = 0, 1, "", 0.0

    def __enter__(self) -> FileProgress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def file(self, name: str, number: int = 1, total: int = 1) -> None:
        """A file begins."""
        self._done, self._total, self._name = number - 1, total, f"{name} ({number} of {total})" if total > 1 else name

    def part(self, task: str, share: float) -> None:
        """``share`` of one of the file's tasks is done."""
        order = self.tasks.index(task) if task in self.tasks else 0
        here = (self._done + (order + share) / len(self.tasks)) / self._total
        self._share = max(self._share, here)
        self._bar.update(self._task, description=markup(f"{self._name}: {task}"), completed=self._share)
