"""Mel analysis and the smooth filters that the decoder draws."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor


def hz_to_mel(frequency: np.ndarray | float) -> np.ndarray:
    """HTK mel scale (O'Shaughnessy, 1987)."""
    return 2595.0 * np.log10(1.0 + np.asarray(frequency) / 700.0)


def mel_to_hz(mel: np.ndarray) -> np.ndarray:
    """Inverse of :func:`hz_to_mel`."""
    return 700.0 * (10.0 ** (np.asarray(mel) / 2595.0) - 1.0)


def mel_filters(sample_rate: int, n_fft: int, n_mels: int, fmin: float = 30.0, fmax: float = 16_000.0) -> Tensor:
    """Triangular filters of unit sum that never fall between two bins. Shape: [n_fft // 2 + 1, n_mels]."""
    bins = np.fft.rfftfreq(n_fft, 1 / sample_rate)
    fmax = min(fmax, sample_rate / 2)
    edges = mel_to_hz(np.linspace(hz_to_mel(fmin), hz_to_mel(fmax), n_mels + 2))
    width = bins[1]
    filters = np.zeros((len(bins), n_mels))
    for band in range(n_mels):
        low, centre, high = edges[band : band + 3]
        # A filter narrower than a bin is widened to one, or it would read nothing.
        low, high = min(low, centre - width), max(high, centre + width)
        rise, fall = (bins - low) / (centre - low), (high - bins) / (high - centre)
        filters[:, band] = np.clip(np.minimum(rise, fall), 0, None)
    return torch.from_numpy((filters / filters.sum(0)).astype(np.float32))


def band_interpolation(
    sample_rate: int, n_fft: int, n_bands: int, fmin: float = 30.0, top: float | None = None
) -> Tensor:
    """Matrix that interpolates log magnitudes at mel-spaced knots onto STFT bins.

    Shape: [n_bands, n_fft // 2 + 1]. Knots run from ``fmin`` to ``top``, the Nyquist frequency unless said.
    """
    bins = np.fft.rfftfreq(n_fft, 1 / sample_rate)
    position = (hz_to_mel(bins) - hz_to_mel(fmin)) / (hz_to_mel(top or sample_rate / 2) - hz_to_mel(fmin))
    position = np.clip(position, 0, 1) * (n_bands - 1)
    matrix = np.maximum(0, 1 - np.abs(position[None, :] - np.arange(n_bands)[:, None]))
    return torch.from_numpy(matrix.astype(np.float32))


def relative_mel(power: Tensor, filters: Tensor, loudness: Tensor, n_fft: int) -> Tensor:
    """Log-mel spectrum of frames relative to their loudness: what both models read.

    80 dB below the frame's loudness is the floor. A full-scale sine peaks near ``20 log10(n_fft / 4)``.

    Shape:
        power: [..., frames, n_fft // 2 + 1]; filters: [n_fft // 2 + 1, n_mels]; loudness: [..., frames] dB
        -> [..., frames, n_mels] about -1..1
    """
    mel = 10 * (power @ filters + 1e-10).log10() - 20 * math.log10(n_fft / 4)
    return ((mel - loudness[..., None]).clamp(-80, 20) + 30) / 40


def absolute_mel(relative: Tensor, loudness: Tensor) -> Tensor:
    """Inverse of :func:`relative_mel` above its floor: dB of a full-scale sine.

    Shape:
        relative: [..., frames, n_mels]; loudness: [..., frames] dB -> [..., frames, n_mels] dB
    """
    return relative * 40 - 30 + loudness[..., None]
