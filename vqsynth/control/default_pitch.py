"""The pitch to hold when nobody asks for one: where the asked ranges are reached best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vqsynth import descriptors

if TYPE_CHECKING:
    from vqsynth.library.table import Table

NEAR_F0 = 60 / 1200
"""Octaves by which a code may miss a pitch and still meet it; bending does the rest."""
MIN_CODES = 6
"""Fewer codes than this at a pitch cannot carry a curve."""
_A4 = float(np.log2(440.0))
_LEVELS = 16
_BEND, _STEP = 20 / 1200, 0.05
_ENOUGH, _PRICE = 1.5, 0.15
_PULL = 0.5
"""Octaves of range that are given up to be an octave nearer to the usual pitch."""

Span = Callable[[np.ndarray], tuple[float, float]]
"""What a request asks for, lowest and highest, when only the codes in a mask [K] are left."""


def best_pitch(
    table: Table, sings: np.ndarray, spans: Sequence[tuple[str, Span]], usual: float | None = None
) -> float | None:
    """The note in Hz at which a timbre reaches the asked ranges best, or None where none has enough codes.

    Notes are those of equal temperament on A4 = 440 Hz, so that renders can be played together.

    Ranges in percentiles depend on the pitch: the wider the better, up to one and a half octaves. Against that
    stands how far the best codes there are from evenly spaced levels of the range and from the pitch itself.

    Args:
        table: what the codes sound like.
        sings: bool [K], codes that carry a pitch.
        spans: descriptor and what is asked of it.
        usual: pitch in Hz from which the note should not be far without need.
    """
    if sings.sum() < MIN_CODES:
        return None
    pitches = np.log2(np.where(sings, table.column("f0"), 1.0))
    best, choice = -np.inf, None
    first, last = np.round(12 * (pitches[sings].min() - _A4)), np.round(12 * (pitches[sings].max() - _A4))
    for at in _A4 + np.arange(first, last + 1) / 12:
        off = np.abs(pitches - at)
        among = sings & (off <= NEAR_F0)
        if among.sum() < MIN_CODES:
            continue
        score = sum(_support(table, name, among, off, span) for name, span in spans)
        score += 0.001 * among.sum()
        if usual is not None:
            score -= _PULL * abs(at - float(np.log2(usual)))
        if score > best:
            best, choice = score, at
    return None if choice is None else float(2.0**choice)


def _support(table: Table, name: str, among: np.ndarray, off: np.ndarray, span: Span) -> float:
    """How well some codes carry a request: octaves (or standard deviations) that it spans, less their misses."""
    column = table.column(name)
    among = among & np.isfinite(column)
    if among.sum() < MIN_CODES:
        return -100.0
    log = descriptors.get(name).scale == "log"
    unit = 1.0 if log else max(float(np.nanstd(column)), 1e-9)
    low, high = span(among)
    ends = np.array([low, high])
    own, ends = (
        (np.log2(column[among]), np.log2(np.maximum(ends, 1e-9))) if log else (column[among] / unit, ends / unit)
    )
    levels = np.linspace(ends[0], ends[1], _LEVELS)
    misses = ((levels[:, None] - own) / _STEP) ** 2 + (off[among] / _BEND) ** 2
    return float(min(ends[1] - ends[0], _ENOUGH) - _PRICE * misses.min(1).mean())
