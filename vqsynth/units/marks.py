"""Where the notes of a recording begin and end, and how: onsets, releases, silence."""

from __future__ import annotations

import itertools

import numpy as np

from vqsynth.units.store import NOTE, ONSET, RELEASE, SILENCE, UNVOICED

SILENT_DB = 60.0
"""A frame this far under the loudest of its recording is silence."""
_ONSET_DB, _SUSTAIN_DB, _RELEASE_DB = 40.0, 3.0, 6.0
_DIP_DB, _LEAP = 14.0, 0.7 / 12
_SHORTEST, _APART, _LONGEST_ONSET = 0.12, 0.4, 0.6
_SLIP = 4.0 / 12


def mark_notes(f0: np.ndarray, loudness: np.ndarray, frame_rate: float) -> np.ndarray:
    """Mark every frame of a recording.

    A note begins where sound follows silence, where the level dips by 14 dB and comes back, or where the pitch
    leaves its place by more than 0.7 semitones and stays. Its onset lasts until the level is within 3 dB of the
    note's median, its release begins where the level falls by 6 dB for good.

    Args:
        f0: in Hz, 0 where unvoiced, [frames].
        loudness: in dB, [frames].
        frame_rate: frames a second.

    Returns:
        uint8 [frames], bits of :mod:`vqsynth.units.store`.
    """
    mark = np.zeros(len(f0), np.uint8)
    mark[f0 <= 0] |= UNVOICED
    silent = loudness < max(float(loudness.max()) - SILENT_DB, -90.0)
    mark[silent] |= SILENCE
    shortest = max(2, round(_SHORTEST * frame_rate))
    for start, stop in _stretches(loudness > loudness.max() - _ONSET_DB, shortest):
        edges = [
            start,
            *_divisions(f0[start:stop], loudness[start:stop], shortest, round(_APART * frame_rate)) + start,
            stop,
        ]
        for begin, end in itertools.pairwise(edges):
            # Sound that dies away belongs to the last note of its stretch.
            final = end == stop
            while (
                final and end < len(f0) and not silent[end] and loudness[end] > loudness[begin:stop].max() - SILENT_DB
            ):
                if loudness[end] > loudness[end - 1] + 3 and loudness[end] > loudness.max() - _ONSET_DB:
                    break
                end += 1
            _mark_note(mark, f0, loudness, begin, end, frame_rate)
    return mark


def _stretches(sounding: np.ndarray, shortest: int) -> list[tuple[int, int]]:
    """Runs of at least ``shortest`` frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], sounding, [False]]).astype(np.int8))).reshape(-1, 2)
    return [(int(a), int(b)) for a, b in edges if b - a >= shortest]


def _divisions(f0: np.ndarray, loudness: np.ndarray, shortest: int, apart: int) -> np.ndarray:
    """Frames at which another note begins within a stretch of sound."""
    found = set()
    # The lowest moment of a dip that is deep against both sides.
    for at in range(shortest, len(loudness) - shortest):
        near = loudness[at - shortest // 2 : at + shortest // 2 + 1]
        if loudness[at] == near.min():
            before, after = loudness[max(0, at - 3 * shortest) : at].max(), loudness[at : at + 3 * shortest].max()
            if min(before, after) - loudness[at] > _DIP_DB:
                found.add(at)
    pitch = np.where(f0 > 0, np.log2(np.maximum(f0, 1.0)), np.nan)
    for at in range(shortest, len(f0) - shortest):
        before, after = pitch[at - shortest : at], pitch[at : at + shortest]
        if np.isfinite(before).sum() > shortest // 2 and np.isfinite(after).sum() > shortest // 2:
            low, high = np.nanmedian(before), np.nanmedian(after)
            steady = np.nanstd(before[: shortest // 2]) < _LEAP / 2 and np.nanstd(after[shortest // 2 :]) < _LEAP / 2
            if abs(high - low) > _LEAP and steady:
                found.add(at)
    kept: list[int] = []
    for at in sorted(found):
        if at - (kept[-1] if kept else 0) >= apart:
            kept.append(at)
    return np.array(kept, np.int64)


def _mark_note(mark: np.ndarray, f0: np.ndarray, loudness: np.ndarray, begin: int, end: int, frame_rate: float) -> None:
    """Mark one note in frames ``begin`` to ``end``."""
    level = loudness[begin:end]
    quarter = len(level) // 4
    sustain = float(np.median(level[quarter : max(quarter + 1, len(level) - quarter)]))
    reached = np.flatnonzero(level > sustain - _SUSTAIN_DB)
    onset = min(int(reached[0]), round(_LONGEST_ONSET * frame_rate), len(level) // 2)
    half = max(1, round(0.5 * frame_rate))
    held = np.flatnonzero(level > sustain - 2 * _RELEASE_DB)
    last = int(held[-1]) + 1 if len(held) else len(level)
    # A note that fades all the time has no release before its very end.
    late = float(np.median(level[max(onset, last - half) : last])) if last > onset else sustain
    above = np.flatnonzero(level > min(sustain, late) - _RELEASE_DB)
    release = max(onset + 1, int(above[-1]) + 1) if len(above) else len(level)
    mark[begin] |= NOTE
    mark[begin : begin + onset] |= ONSET
    mark[begin + release : end] |= RELEASE
    # A slip of the tracker is no pitch.
    voiced = f0[begin:end] > 0
    if voiced.any():
        centre = np.log2(np.median(f0[begin:end][voiced]))
        slipped = voiced & (np.abs(np.log2(np.maximum(f0[begin:end], 1.0)) - centre) > _SLIP)
        if slipped.mean() < 0.2:
            mark[begin:end][slipped] |= UNVOICED
