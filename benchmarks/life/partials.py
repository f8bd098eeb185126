"""The partials of a sound one by one, by moving each to 0 Hz: exact pitch, and how single partials flutter.

The sound is turned back by the phase of a reference pitch times the partial's number and seen through a
Blackman-Harris window of eight periods, whose side lobes (-92 dB) keep neighbours out. The slope of what is left of
the phase (by the window's derivative: Auger and Flandrin, 1995) is the partial's distance from the reference.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from benchmarks.life.sound import Sound, around_mean, low_pass

COUNT = 12
PERIODS = 8.0
TOP_HZ = 5000.0
STANDS_OUT_DB = 12.0
"""By how much a partial is above what lies between it and the next."""
STEP = 3
"""Flutter is below 20 Hz and needs no more than every third frame."""
_BLOCK = 512


@dataclasses.dataclass(frozen=True)
class Partials:
    """Partials 1 to 12 of every frame.

    Attributes:
        level: [frames, 12] dB; of every ``step``-th frame.
        between: [frames, 12] dB, half a partial higher.
        f0: [frames] Hz, agreed on by all partials; 0 where there is no reference.
    """

    level: np.ndarray
    between: np.ndarray
    f0: np.ndarray


def follow(sound: Sound, shortest: float, count: int = COUNT, between: bool = False, step: int = 1) -> Partials:
    """Follow the partials.

    Args:
        sound: with one voice.
        shortest: seconds of the window where eight periods are shorter.
        count: of partials.
        between: whether to look between them too (nothing is seen there otherwise).
        step: of how many frames one is looked at.
    """
    frames = len(sound.level)
    known = np.flatnonzero(sound.f0[:frames] > 0)
    seen = np.arange(0, frames, step)
    level, gap = np.full((len(seen), count), -200.0), np.full((len(seen), count), -200.0)
    if not len(known):
        return Partials(level, gap, np.zeros(len(seen)))
    log = np.interp(np.arange(frames), known, np.log2(sound.f0[known]))
    log = low_pass(log, sound.frame_rate, 20.0)  # a smooth reference; what it misses is measured against it
    at = np.arange(len(sound.audio)) / sound.hop
    reference = 2.0 ** log[seen]
    phase = 2 * np.pi * np.cumsum(2.0 ** np.interp(at, np.arange(frames), log)) / sound.rate
    offset = np.zeros((len(seen), count))
    length = np.maximum(PERIODS * sound.rate / reference, shortest * sound.rate)
    length = 2 * np.round(2 ** (np.round(2 * np.log2(length)) / 2 - 1)).astype(int)
    for number in np.arange(1, count + 1):
        level[:, number - 1], offset[:, number - 1] = _seen(sound, number * phase, seen, length)
        if between:
            gap[:, number - 1], _ = _seen(sound, (number + 0.5) * phase, seen, length)
    numbers = np.arange(1, count + 1)
    inside = (numbers * reference[:, None] < min(TOP_HZ, 0.45 * sound.rate)) | (numbers == 1)
    strongest = np.where(inside, level, -200.0).max(1, keepdims=True)
    weight = np.where(inside & (level > strongest - 40), 10 ** (level / 10), 0.0) * numbers**2
    deviation = (weight * offset / numbers).sum(1) / np.maximum(weight.sum(1), 1e-30)
    f0 = np.where(sound.f0[seen] > 0, np.maximum(reference + deviation, 0.0), 0.0)
    return Partials(level, gap, f0)


def _seen(sound: Sound, phase: np.ndarray, frames: np.ndarray, length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What stands at ``phase [samples]``, in frames ``frames [n]`` through windows of ``length [n]`` samples.

    Returns:
        Level [n] in dB and distance [n] in Hz.
    """
    turned = (sound.audio * np.exp(-1j * phase)).astype(np.complex64)
    level, offset = np.full(len(frames), -200.0), np.zeros(len(frames))
    reach = int(length.max()) // 2 + sound.hop
    padded = np.pad(turned, (reach, reach))
    for size in np.unique(length):
        n = 2 * np.pi * np.arange(size) / size
        terms = (0.35875, -0.48829, 0.14128, -0.01168)
        window = sum(a * np.cos(k * n) for k, a in enumerate(terms))
        slope = sum(-a * k * np.sin(k * n) for k, a in enumerate(terms)) * 2 * np.pi / size
        both = np.stack([window, slope], 1).astype(np.float32)
        view = np.lib.stride_tricks.sliding_window_view(padded, int(size))
        chosen = np.flatnonzero(length == size)
        for start in range(0, len(chosen), _BLOCK):
            at = chosen[start : start + _BLOCK]
            pieces = view[np.minimum(frames[at] * sound.hop + reach - size // 2, len(view) - 1)]
            here = pieces.real @ both + 1j * (pieces.imag @ both)
            power = np.maximum(np.abs(here[:, 0]) ** 2, 1e-20)
            level[at] = 10 * np.log10(power * 4 / window.sum() ** 2 + 1e-20)
            offset[at] = -(here[:, 1] * here[:, 0].conj()).imag / power * sound.rate / (2 * np.pi)
    return level, np.clip(offset, -sound.rate / length, sound.rate / length)


@dataclasses.dataclass(frozen=True)
class Flutter:
    """How single partials move.

    Attributes:
        decibels: standard deviation around the 0.5 s mean, the common movement taken away.
        coherence: mean correlation of the movements of two partials, the common movement not taken away.
        frames: that were measured.
    """

    decibels: float
    coherence: float
    frames: int


def flutter(sound: Sound, shortest: float = 0.046) -> Flutter:
    """Flutter of the partials 1 to 12 that stand out of what lies between them, over all held stretches."""
    found = follow(sound, shortest, between=True, step=STEP)
    rate = sound.frame_rate / STEP
    squares, correlations, weights = [], [], []
    for stretch in sound.held:
        chosen = slice(-(-stretch.start // STEP), stretch.stop // STEP)
        level = found.level[chosen]
        out = np.median(level - found.between[chosen], 0) > STANDS_OUT_DB
        out &= np.median(level, 0) > np.median(level, 0).max() - 45
        out &= np.arange(1, COUNT + 1) * np.median(sound.f0[stretch]) < 0.4 * sound.rate
        if out.sum() < 2:
            continue
        moved = low_pass(around_mean(level[:, out], rate), rate, 20.0)
        alone = moved - moved.mean(1, keepdims=True)
        count = out.sum()
        squares.append((alone**2).mean() * count / (count - 1))
        matrix = np.corrcoef(moved.T)
        correlations.append((matrix.sum() - count) / (count * (count - 1)))
        weights.append(len(moved))
    if not weights:
        return Flutter(np.nan, np.nan, 0)
    return Flutter(
        float(np.sqrt(np.average(squares, weights=weights))),
        float(np.average(correlations, weights=weights)),
        int(sum(weights)),
    )
