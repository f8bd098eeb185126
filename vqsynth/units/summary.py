"""What is in a timbre's units: recordings, notes, pitches, licences; and where a code was played."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from vqsynth.errors import UsageError
from vqsynth.units.store import NOTE, ONSET, RELEASE, SILENCE, Units

_RANGE = 2.0, 98.0
"""Percentiles of the pitch that are called its range: a slip of the tracker is none."""


@dataclasses.dataclass(frozen=True)
class RecordingSummary:
    """A recording: notes and onsets that last longer than a frame, pitch range in Hz or None, source as stored."""

    name: str
    seconds: float
    notes: int
    onsets: int
    releases: int
    pitch: tuple[float, float] | None
    source: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Place:
    """Where something was played: recording, seconds from and to, source as stored."""

    recording: str
    start: float
    end: float
    source: dict[str, Any]


def summarize(units: Units, frame_rate: float) -> list[RecordingSummary]:
    """What each recording holds, in their order.

    Args:
        units: of a timbre.
        frame_rate: frames a second.
    """
    rows = []
    for number, recording in enumerate(units.recordings):
        here = slice(int(units.start[number]), int(units.start[number + 1]))
        mark, f0 = np.asarray(units.columns["mark"][here]), units.f0(here)
        rows.append(
            RecordingSummary(
                recording.name,
                len(mark) / frame_rate,
                int(np.sum(mark & NOTE > 0)),
                _runs(mark & ONSET),
                _runs(mark & RELEASE),
                pitch_range(f0[mark & SILENCE == 0]),
                units.sources[recording.source],
            )
        )
    return rows


def pitch_range(f0: np.ndarray) -> tuple[float, float] | None:
    """Lowest and highest pitch in Hz, but for slips of the tracker. Shape: [n] Hz, 0 where unvoiced."""
    voiced = f0[f0 > 0]
    if not len(voiced):
        return None
    low, high = np.percentile(voiced, _RANGE)
    return float(low), float(high)


def total_pitch(rows: Sequence[RecordingSummary]) -> tuple[float, float] | None:
    """Pitch range in Hz of several recordings."""
    known = [row.pitch for row in rows if row.pitch is not None]
    return (min(low for low, _ in known), max(high for _, high in known)) if known else None


def where(units: Units, code: int, frame_rate: float, n_codes: int) -> list[Place]:
    """The moments at which a code was played, in the order of the recordings.

    Args:
        units: of a timbre.
        code: its number.
        frame_rate: frames a second.
        n_codes: of the timbre.

    Raises:
        UsageError: there is no such code.
    """
    if not 0 <= code < n_codes:
        raise UsageError(f"the codes of this timbre are 0 to {n_codes - 1}", field="code", value=code)
    found = np.flatnonzero(units.code == code)
    if not len(found):
        return []
    recordings = units.recording_of(found)
    breaks = np.flatnonzero((np.diff(found) != 1) | (np.diff(recordings) != 0)) + 1
    places = []
    for run, numbers in zip(np.split(found, breaks), np.split(recordings, breaks)):
        recording = units.recordings[numbers[0]]
        first = recording.first_second + (int(run[0]) - int(units.start[numbers[0]])) / frame_rate
        places.append(Place(recording.name, first, first + len(run) / frame_rate, units.sources[recording.source]))
    return places


def _runs(mark: np.ndarray) -> int:
    """Stretches of frames with this bit."""
    return int(np.sum(np.diff(np.concatenate([[0], (mark > 0).astype(np.int8)])) == 1))
