"""The magnitude spectrum that the spectral descriptors share.

Definitions are librosa's (``feature.spectral_*`` with ``center=True``): periodic Hann window, zero padding, magnitudes.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from vqsynth.descriptors._base import FLOOR_DB

_BLOCK = 2048  # frames transformed at a time


class Spectrum:
    """Magnitudes of all frames of one sound.

    Args:
        audio: float32 ``[samples]``.
        sample_rate: in Hz.
        n_fft: samples of an analysis window.
        hop_length: samples between frames.

    Attributes:
        frequencies: float32 ``[n_fft // 2 + 1]`` Hz.
    """

    def __init__(self, audio: np.ndarray, sample_rate: int, n_fft: int = 2048, hop_length: int = 512) -> None:
        self.audio, self.sample_rate, self.n_fft, self.hop_length = audio, sample_rate, n_fft, hop_length
        self.frequencies = np.linspace(0, sample_rate / 2, n_fft // 2 + 1, dtype=np.float32)

    @functools.cached_property
    def magnitudes(self) -> np.ndarray:
        """float32 ``[frames, n_fft // 2 + 1]``."""
        from scipy.fft import rfft

        n_frames = 1 + len(self.audio) // self.hop_length
        half = self.n_fft // 2
        window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.n_fft) / self.n_fft)).astype(np.float32)
        padded = np.concatenate([np.zeros(half, np.float32), self.audio, np.zeros(self.n_fft, np.float32)])
        frames = np.lib.stride_tricks.sliding_window_view(padded, self.n_fft)[:: self.hop_length][:n_frames]
        result = np.empty((n_frames, half + 1), dtype=np.float32)
        for start in range(0, n_frames, _BLOCK):
            np.abs(rfft(frames[start : start + _BLOCK] * window, axis=1), out=result[start : start + _BLOCK])
        return result

    @functools.cached_property
    def total(self) -> np.ndarray:
        """Sum of the magnitudes, never 0: float32 ``[frames]``."""
        return np.maximum(self.magnitudes.sum(1), 1e-10)

    @functools.cached_property
    def centroid(self) -> np.ndarray:
        """Mean frequency in Hz, weighted by magnitude: float32 ``[frames]``."""
        return self.magnitudes @ self.frequencies / self.total

    @functools.cached_property
    def audible(self) -> np.ndarray:
        """True for frames that reach -70 dBFS: bool ``[frames]``."""
        # Parseval with the window's mean square of 3/8; both halves of the spectrum.
        mean_square = 2 * np.einsum("tf,tf->t", self.magnitudes, self.magnitudes) / (0.375 * self.n_fft**2)
        return mean_square >= 10 ** (FLOOR_DB / 10)


def spectrum_of(audio: np.ndarray, sample_rate: int, n_fft: int, hop_length: int, hints: Mapping[str, Any]) -> Spectrum:
    """The spectrum that the caller shares, or a new one."""
    return hints.get("spectrum") or Spectrum(np.asarray(audio, dtype=np.float32), sample_rate, n_fft, hop_length)
