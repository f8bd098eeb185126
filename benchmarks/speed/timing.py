"""Medians of several runs."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path


def median_seconds(job: Callable[[], object], runs: int, warm: int = 1) -> float:
    """Median wall-clock time of ``runs`` calls after ``warm`` that do not count."""
    for _ in range(warm):
        job()
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        job()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def command(arguments: Sequence[str], folder: Path | None = None) -> Callable[[], None]:
    """A job that runs ``python ARGUMENTS`` as a new process.

    Raises:
        SystemExit: when run, if the command fails; with what it said.
    """

    def job() -> None:
        done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"error: python {' '.join(arguments)} failed:\n{done.stderr}")

    return job
