"""A sound on a fine grid: its level, its pitch, and the stretches in which a note is held."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vqsynth.descriptors import f0 as pitch
from vqsynth.dsp.loudness import loudness

STEP = 0.004
"""Seconds between frames; jitter up to 60 Hz needs 250 of them a second."""
AUDIBLE_DB, DIP_DB, LEAP_CENTS = 35.0, 12.0, 70.0
AFTER_ONSET, BEFORE_END, SHORTEST = 0.15, 0.1, 0.3
MEAN = 0.5
"""Seconds that movement is measured around the mean of."""


class Sound:
    """One sound, mono.

    Args:
        audio: [samples].
        rate: in Hz.

    Attributes:
        hop: samples between frames; frame ``t`` is centred on sample ``t * hop``.
        frame_rate: frames a second, about 250.
    """

    def __init__(self, audio: np.ndarray, rate: int) -> None:
        self.audio, self.rate = np.nan_to_num(np.asarray(audio, dtype=np.float32)), rate
        self.hop = round(STEP * rate)
        self.frame_rate = rate / self.hop

    @classmethod
    def read(cls, path: str | Path) -> Sound:
        """A sound file; channels are averaged."""
        import soundfile

        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
        return cls(audio.mean(1), rate)

    @property
    def seconds(self) -> float:
        return len(self.audio) / self.rate

    @functools.cached_property
    def level(self) -> np.ndarray:
        """K-weighted level over 23 ms: [frames] dB."""
        return loudness(self.audio, self.rate, 1 << round(np.log2(0.023 * self.rate)), self.hop)

    @functools.cached_property
    def heard(self) -> np.ndarray:
        """True within 35 dB of the loudest: bool [frames]."""
        return self.level > self.level.max() - AUDIBLE_DB

    @functools.cached_property
    def f0(self) -> np.ndarray:
        """Pitch as the suite tracks it, a reference for finer estimators: [frames] Hz, 0 where unvoiced."""
        values, _, voiced = pitch.track(self.audio, self.rate, hop_length=2 * self.hop)
        return np.repeat(np.where(voiced, values, 0.0), 2)[: len(self.level)]

    @functools.cached_property
    def held(self) -> list[slice]:
        """Stretches of frames in which one note is held, without its attack and its end.

        Cut where the pitch leaps or is lost, and where the level dips 12 dB under what surrounds it.
        """
        from scipy.ndimage import maximum_filter1d, median_filter

        smooth = median_filter(self.f0, size=5)
        cents = 1200 * np.log2(np.maximum(smooth, 1.0))
        reach = round(0.024 * self.frame_rate)
        leap = np.zeros(len(cents), dtype=bool)
        leap[reach:] = np.abs(cents[reach:] - cents[:-reach]) > LEAP_CENTS
        dip = self.level < maximum_filter1d(self.level, size=round(MEAN * self.frame_rate)) - DIP_DB
        lost = ~self.heard | (smooth <= 0) | leap
        # A dip that lasts is a soft note, and a lost frame or two is the tracker's fault.
        lost = (median_filter(lost.astype(np.int8), size=7) > 0) | dip
        first, last = round(AFTER_ONSET * self.frame_rate), round(BEFORE_END * self.frame_rate)
        found = [slice(run.start + first, run.stop - last) for run in runs(~lost)]
        return [run for run in found if run.stop - run.start >= SHORTEST * self.frame_rate]


def runs(flags: np.ndarray) -> Iterator[slice]:
    """The stretches in which ``flags [frames]`` are true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    for start, stop in edges.reshape(-1, 2):
        yield slice(int(start), int(stop))


def around_mean(values: np.ndarray, frame_rate: float, seconds: float = MEAN) -> np.ndarray:
    """Deviations of ``values [frames, ...]`` from their moving mean; at the ends the mean is of what is there."""
    from scipy.ndimage import convolve1d

    frames = np.arange(len(values))
    values = values - line(values, frames)
    kernel = np.ones(min(len(values), max(1, round(seconds * frame_rate))) // 2 * 2 + 1)
    count = convolve1d(np.ones(len(values)), kernel, mode="constant")
    total = convolve1d(values, kernel, axis=0, mode="constant")
    return values - total / count.reshape(-1, *[1] * (values.ndim - 1))


def line(values: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """The straight line of least error through ``values [frames, ...]``."""
    x = frames - frames.mean()
    slope = np.tensordot(x, values, 1) / max((x**2).sum(), 1e-9)
    return values.mean(0) + np.multiply.outer(x, slope)


def band(values: np.ndarray, frame_rate: float, low: float, high: float) -> np.ndarray:
    """``values [frames]`` between two frequencies in Hz (Butterworth, both ways)."""
    from scipy.signal import butter, sosfiltfilt

    values = values - line(values, np.arange(len(values)))
    sections = butter(3, [low, min(high, 0.45 * frame_rate)], "bandpass", fs=frame_rate, output="sos")
    return sosfiltfilt(sections, values, padlen=min(len(values) - 1, round(frame_rate / low)))


def low_pass(values: np.ndarray, frame_rate: float, high: float) -> np.ndarray:
    """``values [frames, ...]`` below a frequency in Hz (Butterworth, both ways)."""
    from scipy.signal import butter, sosfiltfilt

    sections = butter(3, min(high, 0.45 * frame_rate), "lowpass", fs=frame_rate, output="sos")
    return sosfiltfilt(sections, values, axis=0, padlen=min(len(values) - 1, round(frame_rate / high)))
