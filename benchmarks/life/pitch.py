"""Movement of the pitch while a note is held: vibrato and jitter."""

from __future__ import annotations

import numpy as np

from benchmarks.life.movement import pooled
from benchmarks.life.partials import follow
from benchmarks.life.sound import Sound, band

VIBRATO, JITTER = (3.0, 9.0), (12.0, 60.0)
SHORTEST = 0.016
"""Seconds of the shortest window, which passes the whole of the jitter's band."""


def cents(sound: Sound) -> np.ndarray:
    """Pitch by all partials in cents above 1 Hz: [frames], NaN where there is none."""
    f0 = follow(sound, SHORTEST).f0
    return np.where(f0 > 0, 1200 * np.log2(np.maximum(f0, 1e-9)), np.nan)


def movement(sound: Sound, values: np.ndarray, frequencies: tuple[float, float]) -> float:
    """Effective value in cents of the pitch ``values [frames]`` between two frequencies in Hz."""
    parts = []
    for stretch in sound.held:
        here = values[stretch]
        known = np.isfinite(here)
        if known.mean() > 0.9:
            filled = np.interp(np.arange(len(here)), np.flatnonzero(known), here[known])
            parts.append(band(filled, sound.frame_rate, *frequencies))
    return pooled(parts)
