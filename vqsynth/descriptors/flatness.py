"""Spectral flatness: 0 for tones, towards 1 for white noise."""

from __future__ import annotations

from typing import Any

import numpy as np

from vqsynth.descriptors._base import Descriptor, Measurement
from vqsynth.descriptors._spectrum import spectrum_of


def measure(audio: np.ndarray, sample_rate: int, n_fft: int = 2048, hop_length: int = 512, **hints: Any) -> Measurement:
    """Geometric over arithmetic mean of the power spectrum, as ``librosa.feature.spectral_flatness``."""
    spectrum = spectrum_of(audio, sample_rate, n_fft, hop_length, hints)
    values = np.empty(len(spectrum.magnitudes), dtype=np.float32)
    for start in range(0, len(values), 2048):
        power = np.maximum(spectrum.magnitudes[start : start + 2048] ** 2, 1e-10)
        values[start : start + 2048] = np.exp(np.log(power).mean(1)) / power.mean(1)
    return Measurement(values, spectrum.audible)


DESCRIPTOR = Descriptor("flatness", "ratio", "log", "spectral flatness (noise against tone)", measure)
