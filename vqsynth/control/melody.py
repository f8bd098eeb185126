"""A tracked melody: moved by octaves into a range, its short gaps bridged."""

from __future__ import annotations

import numpy as np

_LEAP = 4.0  # semitones between frames that are two notes, not one
_MARGIN = 1 / 12  # octaves beyond the range that are as good as within
_PRICE = 0.1  # share of the frames that must come into the range for every octave of a move


def best_octave(f0: np.ndarray, low: float, high: float) -> int:
    """Octaves by which the whole melody moves so that most of it lies in ``low`` to ``high`` Hz.

    A melody stays where it is unless a move brings clearly more of it into the range: a tenth of its frames
    for every octave. Shape: f0 [frames] Hz, 0 where unvoiced.
    """
    pitch = np.log2(f0[f0 > 0])
    if not len(pitch):
        return 0
    bottom, top = np.log2(low) - _MARGIN, np.log2(high) + _MARGIN
    moves = sorted(range(-6, 7), key=lambda k: (abs(k), k))
    inside = [float(np.mean((pitch + k >= bottom) & (pitch + k <= top))) for k in moves]
    if max(inside) > 0:
        return moves[int(np.argmax([share - _PRICE * abs(k) for share, k in zip(inside, moves)]))]
    return int(np.round(np.log2(np.sqrt(low * high)) - np.median(pitch)))


def fit_octaves(f0: np.ndarray, low: float, high: float, octaves: int | None = None) -> tuple[np.ndarray, int]:
    """Move a melody by octaves into ``low`` to ``high`` Hz.

    The whole moves by one number of octaves, so intervals stay; only notes that are still outside move
    further, each note as one.

    Args:
        f0: [frames] Hz, 0 where unvoiced.
        low: lowest pitch in Hz.
        high: highest pitch in Hz.
        octaves: move by this many and leave outliers alone; None finds the best move.

    Returns:
        ([frames] Hz, octaves moved)
    """
    whole = best_octave(f0, low, high) if octaves is None else octaves
    moved = f0 * 2.0**whole
    if octaves is not None:
        return moved.astype(np.float32), whole
    for start, stop in _notes(moved):
        pitch = float(np.log2(np.median(moved[start:stop])))
        further = 0
        if pitch < np.log2(low) - _MARGIN:
            further = int(np.ceil(np.log2(low) - _MARGIN - pitch))
        elif pitch > np.log2(high) + _MARGIN:
            further = -int(np.ceil(pitch - np.log2(high) - _MARGIN))
        moved[start:stop] *= 2.0**further
    return moved.astype(np.float32), whole


def _notes(f0: np.ndarray) -> list[tuple[int, int]]:
    """Runs of voiced frames without a leap, as (start, stop)."""
    voiced = f0 > 0
    log_f0 = 12 * np.log2(np.maximum(f0, 1.0))
    joined = voiced[1:] & voiced[:-1] & (np.abs(np.diff(log_f0)) < _LEAP)
    starts = np.flatnonzero(voiced & ~np.concatenate([[False], joined]))
    stops = np.flatnonzero(voiced & ~np.concatenate([joined, [False]])) + 1
    return list(zip(starts.tolist(), stops.tolist()))


def bridge(f0: np.ndarray, frames: int) -> np.ndarray:
    """Fill gaps of up to ``frames`` between voiced frames with a straight line in octaves, so that a
    consonant does not make the pitch leap. Shape: [frames] Hz -> [frames] Hz."""
    voiced = np.flatnonzero(f0 > 0)
    filled = f0.astype(np.float32)
    log_f0 = np.log2(f0[voiced])
    for left, right, low, high in zip(voiced[:-1], voiced[1:], log_f0[:-1], log_f0[1:]):
        if 1 < right - left <= frames + 1:
            filled[left:right] = np.exp2(np.linspace(low, high, right - left, endpoint=False))
    return filled
