"""What was played when: recording, second and licence of every run, as a table."""

from __future__ import annotations

import csv
import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vqsynth.storage.atomic import atomic_path
from vqsynth.units.store import Units

_FASTEST = 12


@dataclasses.dataclass(frozen=True)
class Run:
    """A run of real playing: where it sounds, and where it was played, in seconds."""

    start: float
    end: float
    recording: str
    at: float
    package: str
    licence: str
    credit: str


def joins_of(played: np.ndarray, recording: np.ndarray) -> np.ndarray:
    """Frames at which another stretch of playing begins; an onset may be played faster or slower than it was.

    Args:
        played: unit of every frame, -1 in rests, [frames].
        recording: number of its recording, [frames].

    Returns:
        [joins] int64.
    """
    steps = np.diff(played)
    rests = (np.minimum(played[1:], played[:-1]) < 0) & (steps != 0)
    return np.flatnonzero((steps < 0) | (steps > _FASTEST) | (np.diff(recording) != 0) | rests) + 1


def trace(units: Units, played: np.ndarray, frame_rate: float) -> Iterator[Run]:
    """The runs that a performance is made of.

    Args:
        units: that were played.
        played: unit of every frame, -1 in rests, [frames].
        frame_rate: frames a second.

    Yields:
        Runs in order of time.
    """
    edges = joins_of(played, units.recording_of(played))
    bounds = np.concatenate([[0], edges, [len(played)]])
    for first, last in itertools.pairwise(bounds):
        if played[first] < 0:
            continue
        number = int(units.recording_of(played[first : first + 1])[0])
        recording = units.recordings[number]
        source = units.sources[recording.source]
        yield Run(
            first / frame_rate,
            last / frame_rate,
            recording.name,
            recording.first_second + (int(played[first]) - int(units.start[number])) / frame_rate,
            " ".join(filter(None, (str(source.get("package", "")), str(source.get("version", ""))))),
            str(source.get("licence", "")),
            str(source.get("credit", "")),
        )


def write_sources(path: str | Path, units: Units, played: np.ndarray, frame_rate: float) -> None:
    """Write :func:`trace` as CSV, whole or not at all.

    Raises:
        VqsynthError: the file cannot be written.
    """
    names = [field.name for field in dataclasses.fields(Run)]
    with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(names)
        for run in trace(units, played, frame_rate):
            values = dataclasses.astuple(run)
            writer.writerow([f"{value:.3f}" if isinstance(value, float) else value for value in values])
