"""The one loudness function of the project.

Level of a frame in dB after the K-weighting of ITU-R BS.1770-4 (annex 1), so that a
stationary sound reads what a loudness meter reads in LUFS. Training, transfer, analysis
and the synthesiser's gain all use this and nothing else.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
from torch import Tensor

from vqsynth.dsp.stft import hann, power_spectrogram

VERSION = 1
"""Raised when the measure changes: models that were trained with another one cannot follow it."""
FLOOR_DB = -120.0
UNIT_LUFS = -20.0
"""Loudness of a frame that is synthesised with gain 1."""

# Biquads of ITU-R BS.1770-4, tables 1 and 2 (given for 48 kHz).
_SHELF = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585))
_HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))


def k_weighting(frequencies: np.ndarray) -> np.ndarray:
    """Power gain of the K-weighting at ``frequencies`` in Hz (held above 24 kHz)."""
    z = np.exp(-2j * np.pi * np.minimum(frequencies, 23_900.0) / 48_000.0)
    gain = np.ones(len(z))
    for b, a in (_SHELF, _HIGH_PASS):
        gain = gain * np.abs(np.polyval(b[::-1], z) / np.polyval(a[::-1], z)) ** 2
    return gain


def k_weighting_of(frequencies: Tensor) -> Tensor:
    """:func:`k_weighting` of a tensor, which compiles."""
    angle = 2 * math.pi / 48_000.0 * frequencies.double().clamp_max(23_900.0)
    one, two = torch.cos(angle), torch.cos(2 * angle)
    # |b0 + b1 z + b2 z^2|^2 on the unit circle, of both biquads and their denominators.
    shelf = _square(1.53512485958697, -2.69169618940638, 1.19839281085285, one, two)
    shelf = shelf / _square(1.0, -1.69065929318241, 0.73248077421585, one, two)
    high = _square(1.0, -2.0, 1.0, one, two) / _square(1.0, -1.99004745483398, 0.99007225036621, one, two)
    return shelf * high


def _square(b0: float, b1: float, b2: float, one: Tensor, two: Tensor) -> Tensor:
    return b0 * b0 + b1 * b1 + b2 * b2 + 2 * (b0 * b1 + b1 * b2) * one + 2 * b0 * b2 * two


@functools.lru_cache(maxsize=32)
def power_weights(sample_rate: int, n_fft: int) -> Tensor:
    """Weights that turn a frame's power spectrum into K-weighted mean square, Shape: [n_fft // 2 + 1]."""
    weights = k_weighting(np.fft.rfftfreq(n_fft, 1 / sample_rate))
    sides = np.full(len(weights), 2.0)
    sides[0] = sides[-1] = 1.0
    scale = n_fft * float(hann(n_fft).double().square().sum())
    with torch.inference_mode(False):
        return torch.from_numpy((weights * sides / scale).astype(np.float32))


def loudness_of_power(power: Tensor, sample_rate: int, n_fft: int) -> Tensor:
    """Loudness in dB of power spectra. Shape: [..., frames, n_fft // 2 + 1] -> [..., frames]."""
    return weighted_loudness(power, power_weights(sample_rate, n_fft).to(power))


def weighted_loudness(power: Tensor, weights: Tensor, floor_db: float = FLOOR_DB) -> Tensor:
    """Loudness in dB of power spectra, given their :func:`power_weights`.

    Shape:
        power: [..., frames, bins]; weights: [bins] -> [..., frames]
    """
    return -0.691 + 10 * (power @ weights).clamp_min(10 ** (floor_db / 10)).log10()


def loudness(audio: np.ndarray, sample_rate: int, n_fft: int = 2048, hop_length: int = 512) -> np.ndarray:
    """Loudness of every frame of ``audio``.

    Shape:
        audio: [samples] -> [1 + samples // hop_length] in dB (LUFS of a stationary sound)
    """
    power = power_spectrogram(torch.from_numpy(np.ascontiguousarray(audio, np.float32)), n_fft, hop_length)
    return loudness_of_power(power, sample_rate, n_fft).numpy()


def gain_of_loudness(loudness_db: Tensor, unit_lufs: float = UNIT_LUFS) -> Tensor:
    """Linear synthesiser gain that yields ``loudness_db`` (a tensor or an array)."""
    return 10 ** ((loudness_db - unit_lufs) / 20)
