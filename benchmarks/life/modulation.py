"""Modulation spectra: how much of the movement of pitch, level and brightness is how fast."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from benchmarks.life.sound import Sound

EDGES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
BANDS = tuple(f"{low:g}-{high:g}" for low, high in itertools.pairwise(EDGES))
PIECE, OVERLAP = 2.0, 0.5
FLOOR = {"pitch": 0.1, "level": 0.02, "centroid": 0.01}
"""Movements below these (cents, dB, semitones) count as none."""


def spectrum(sound: Sound, values: np.ndarray, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """Power in octave bands of a curve, over held stretches in pieces of at most 2 s.

    Args:
        sound: whose stretches count.
        values: [frames].
        floor: effective value that counts as no movement.

    Returns:
        Mean log power [6] in dB, NaN where no stretch is long enough, and the seconds [6] that it is a mean of.
    """
    total, weight = np.zeros(len(BANDS)), np.zeros(len(BANDS))
    for piece in pieces(sound):
        here = values[piece]
        known = np.isfinite(here)
        if known.mean() < 0.9:
            continue
        here = np.interp(np.arange(len(here)), np.flatnonzero(known), here[known])
        x = np.linspace(-1, 1, len(here))
        here = here - np.polyval(np.polyfit(x, here, 2), x)
        window = np.hanning(len(here))
        power = 2 * np.abs(np.fft.rfft(here * window)) ** 2 / (window**2).sum() / len(here)
        frequency = np.fft.rfftfreq(len(here), 1 / sound.frame_rate)
        seconds = len(here) / sound.frame_rate
        for i, (low, high) in enumerate(itertools.pairwise(EDGES)):
            inside = (frequency >= low) & (frequency < high)
            if low * seconds > 0.9 and inside.any():
                # A short piece has few lines in a band; their mean times the band's width is fair to all lengths.
                found = power[inside].mean() * (high - low) * seconds
                total[i] += seconds * 10 * np.log10(found + floor**2)
                weight[i] += seconds
    return np.where(weight > 0, total / np.maximum(weight, 1e-9), np.nan), weight


def pieces(sound: Sound) -> Iterator[slice]:
    """Held stretches, cut into pieces of 2 s that overlap by a half."""
    size = round(PIECE * sound.frame_rate)
    for stretch in sound.held:
        length = stretch.stop - stretch.start
        if length <= size:
            yield stretch
            continue
        count = 1 + int(np.ceil((length - size) / (size * (1 - OVERLAP))))
        for start in np.linspace(stretch.start, stretch.stop - size, count).round().astype(int):
            yield slice(int(start), int(start) + size)


def mean(spectra: list[np.ndarray], seconds: list[np.ndarray]) -> np.ndarray:
    """Mean of log power spectra [..., 6] weighted by ``seconds [..., 6]``; NaN where there is none."""
    values, weights = np.asarray(spectra), np.asarray(seconds)
    total = weights.sum(0)
    return np.where(total > 0, (np.nan_to_num(values) * weights).sum(0) / np.maximum(total, 1e-9), np.nan)


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Root mean square difference in dB over quantities and bands that both have; NaN without any."""
    difference = (one - other).ravel()
    difference = difference[np.isfinite(difference)]
    return float(np.sqrt((difference**2).mean())) if len(difference) else float("nan")
