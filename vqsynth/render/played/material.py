"""Units made ready for playing: what each does around its own half-second mean, and where notes begin and end."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from vqsynth.errors import UsageError
from vqsynth.units.store import NOTE, ONSET, RELEASE, SILENCE, UNVOICED

if TYPE_CHECKING:
    from vqsynth.units.store import Units

MEAN_SECONDS = 0.5
"""Span of the mean that a target decides, while the player moves around it."""
_SHORTEST_SECONDS = 0.2
_FAINT_DB = 15.0


@dataclasses.dataclass(frozen=True)
class PlayedNotes:
    """The notes of the recordings. Shape: [notes] int64 unit numbers each; stretches end before ``*_end``.

    Attributes:
        begin: first sounding unit.
        sustain: first unit after the onset.
        release: first unit of the release, or the end of what sounds.
        end: after the last unit of the release.
        pitch: median of the sustained part in octaves above 1 Hz, NaN without pitch; float64.
        level: median of the sustained part, dB; float64.
    """

    begin: np.ndarray
    sustain: np.ndarray
    release: np.ndarray
    end: np.ndarray
    pitch: np.ndarray
    level: np.ndarray

    def __len__(self) -> int:
        return len(self.begin)


@dataclasses.dataclass(frozen=True)
class Material:
    """Shape: [units] each.

    Attributes:
        values: name -> octaves (f0, centroid, bandwidth ...) or dB (loudness); NaN where not measurable.
        means: name -> the mean over half a second of the same note, sustained part.
        moves: name -> what the value does around that mean; 0 where not measurable.
        pool: bool, units that a path may jump to.
        stop: int64, the unit before which a run that holds this one must end.
        recording: int64, number of the recording.
        notes: of the recordings.
    """

    values: dict[str, np.ndarray]
    means: dict[str, np.ndarray]
    moves: dict[str, np.ndarray]
    pool: np.ndarray
    stop: np.ndarray
    recording: np.ndarray
    notes: PlayedNotes

    @property
    def longest(self) -> int:
        """Units of the longest sustained part."""
        return int(np.max(self.notes.release - self.notes.sustain, initial=1))


def prepare_material(units: Units, described: Mapping[str, np.ndarray], frame_rate: float) -> Material:
    """Find notes, half-second means and movements.

    Args:
        units: of a timbre.
        described: name -> octaves of every unit, of descriptors beside pitch and loudness.
        frame_rate: frames a second.
    """
    mark = np.asarray(units.mark)
    notes = _notes(units, mark, frame_rate)
    values = {"f0": np.log2(np.maximum(units.f0(), 1e-9)), "loudness": np.asarray(units.loudness, np.float64)}
    values["f0"][(mark & UNVOICED) > 0] = np.nan
    values |= {name: column for name, column in described.items() if name not in values}
    inside = None
    if units.chosen is not None:
        inside = _moving_mean(units.chosen.astype(np.float64), max(1, round(MEAN_SECONDS * frame_rate))) >= 0.5
        notes = _among(notes, inside)
    sustained = (mark & (ONSET | RELEASE | SILENCE)) == 0
    stop = np.zeros(len(mark), np.int64)
    span = max(1, round(MEAN_SECONDS * frame_rate))
    means = {name: np.full(len(mark), np.nan) for name in values}
    for begin, sustain, release, end in zip(notes.begin, notes.sustain, notes.release, notes.end):
        stop[begin:release], stop[release:end] = release, end
        for name, column in values.items():
            means[name][begin:end] = _held(_moving_mean(column[sustain:release], span), sustain - begin, end - release)
    moves = {name: np.nan_to_num(column - means[name]) for name, column in values.items()}
    margin = min(span // 2, 20)
    # The last moments before a release lead nowhere.
    number = np.arange(len(mark))
    if inside is not None:
        stop = np.minimum(stop, _first_outside(notes, inside))
    pool = sustained & (stop - number > margin)
    if not pool.any():
        raise UsageError(
            "what was chosen is in too small pieces to be played; choose more, or neighbours in time", field="only"
        )
    recording = np.repeat(np.arange(len(units.start) - 1), np.diff(units.start))
    return Material(values, means, moves, pool, stop, recording, notes)


def _among(notes: PlayedNotes, inside: np.ndarray) -> PlayedNotes:
    """Notes some of whose sustained part was chosen."""
    total = np.concatenate([[0], np.cumsum(inside)])
    kept = total[notes.release] > total[notes.sustain]
    return PlayedNotes(*(getattr(notes, field.name)[kept] for field in dataclasses.fields(PlayedNotes)))


def _first_outside(notes: PlayedNotes, inside: np.ndarray) -> np.ndarray:
    """The next unit that was not chosen, counting from each; onsets and releases go with their notes. Shape: [units]"""
    allowed = inside.copy()
    for begin, sustain, release, end in zip(notes.begin, notes.sustain, notes.release, notes.end):
        allowed[begin:sustain] = allowed[release:end] = True
    count = len(allowed)
    outside = np.where(allowed, count, np.arange(count))
    return np.minimum.accumulate(outside[::-1])[::-1]


def _notes(units: Units, mark: np.ndarray, frame_rate: float) -> PlayedNotes:
    begins = np.flatnonzero(mark & NOTE)
    edges = np.append(begins, len(mark))
    recording_end = np.asarray(units.start)[np.searchsorted(units.start, begins, side="right")]
    f0, loudness = units.f0(), np.asarray(units.loudness, np.float64)
    rows = []
    for begin, next_begin, limit in zip(begins, edges[1:], recording_end):
        here = mark[begin : min(next_begin, limit)]
        sounding = np.flatnonzero((here & SILENCE) == 0)
        if not len(sounding):
            continue
        end = int(sounding[-1]) + 1
        onset = np.flatnonzero(here[:end] & ONSET)
        sustain = int(onset[-1]) + 1 if len(onset) else 0
        release = np.flatnonzero(here[:end] & RELEASE)
        release = release[release > sustain]
        last = int(release[0]) if len(release) else end
        if last - sustain < _SHORTEST_SECONDS * frame_rate:
            continue
        inside = slice(begin + sustain, begin + last)
        voiced = f0[inside][f0[inside] > 0]
        pitch = float(np.log2(np.median(voiced))) if 2 * len(voiced) > last - sustain else np.nan
        rows.append((begin, begin + sustain, begin + last, begin + end, pitch, float(np.median(loudness[inside]))))
    columns = np.array(rows, np.float64).reshape(-1, 6).T
    # What is left of a note after it has died is no note.
    columns = columns[:, columns[5] > np.median(columns[5]) - _FAINT_DB] if len(rows) else columns
    begin, sustain, release, end = columns[:4].astype(np.int64)
    return PlayedNotes(begin, sustain, release, end, columns[4], columns[5])


def _moving_mean(values: np.ndarray, span: int) -> np.ndarray:
    """Mean over ``span`` values around each, of those that are finite. Shape: [n] -> [n]."""
    known = np.isfinite(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(known)])
    at = np.arange(len(values))
    low, high = np.maximum(at - span // 2, 0), np.minimum(at + span // 2 + 1, len(values))
    number = counts[high] - counts[low]
    return np.where(number > 0, (sums[high] - sums[low]) / np.maximum(number, 1), np.nan)


def _held(means: np.ndarray, before: int, after: int) -> np.ndarray:
    """Lengthen by the first and the last value."""
    return np.concatenate([np.full(before, means[0]), means, np.full(after, means[-1])])
