"""The pitch to hold when nobody asks for one: where the asked ranges are reached best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vqsynth import descriptors

if TYPE_CHECKING:
    from vqsynth.codebook.table import Table

NEAR_F0 = 60 / 1200
"""Octaves by which a code may miss a pitch and still meet it; bending does the rest."""
MIN_CODES = 6
"""Fewer codes than this at a pitch cannot carry a curve."""
_GRID = 1 / 48
_ENOUGH = 1.5

Span = Callable[[np.ndarray], tuple[float, float]]
"""What a request asks for, lowest and highest, when only the codes in a mask [K] are left."""


def best_pitch(table: Table, sings: np.ndarray, spans: Sequence[tuple[str, Span]]) -> float | None:
    """The pitch in Hz at which a timbre reaches the asked ranges best, or None where no pitch has enough codes.

    With percentile ranges, which depend on the pitch, the one whose codes spread widest and most evenly; with
    fixed values, the one whose codes cover them.

    Args:
        sings: bool [K], codes that carry a pitch. spans: descriptor and what is asked of it.
    """
    if sings.sum() < MIN_CODES:
        return None
    pitches = np.log2(np.where(sings, table.column("f0"), 1.0))
    best, choice = -np.inf, None
    for at in np.arange(pitches[sings].min(), pitches[sings].max() + _GRID, _GRID):
        among = sings & (np.abs(pitches - at) <= NEAR_F0)
        if among.sum() < MIN_CODES:
            continue
        score = sum(_support(table, name, among, span) for name, span in spans)
        # Of equally good pitches, the one that needs the least bending.
        score -= 2 * float(np.abs(pitches[among] - at).mean())
        if score > best:
            best, choice = score, at
    return None if choice is None else float(2.0**choice)


def _support(table: Table, name: str, among: np.ndarray, span: Span) -> float:
    """How well some codes carry a request: what it spans, less its widest gap and what lies beyond the codes.

    In octaves, or in standard deviations of a linear descriptor. A wide span is worth no more than 1.5:
    beyond it evenness counts.
    """
    column = table.column(name)
    log = descriptors.get(name).scale == "log"
    unit = 1.0 if log else max(float(np.nanstd(column)), 1e-9)
    scale = np.log2 if log else (lambda x: np.asarray(x) / unit)
    own = np.sort(scale(column[among & np.isfinite(column)]))
    if len(own) < MIN_CODES:
        return -10.0
    low, high = (float(scale(max(end, 1e-9) if log else end)) for end in span(among))
    inside = own[(own >= low) & (own <= high)]
    gap = float(np.diff(np.concatenate([[low], inside, [high]])).max())
    beyond = max(0.0, own[0] - low) + max(0.0, high - own[-1])
    return min(high - low, _ENOUGH) - gap - 2 * beyond
