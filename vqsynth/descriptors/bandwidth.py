"""Spectral bandwidth: how far the spectrum spreads about its centroid."""

from __future__ import annotations

from typing import Any

import numpy as np

from vqsynth.descriptors._base import Descriptor, Measurement
from vqsynth.descriptors._spectrum import spectrum_of


def measure(audio: np.ndarray, sample_rate: int, n_fft: int = 2048, hop_length: int = 512, **hints: Any) -> Measurement:
    """Magnitude-weighted standard deviation of frequency in Hz, as ``librosa.feature.spectral_bandwidth`` (p=2)."""
    spectrum = spectrum_of(audio, sample_rate, n_fft, hop_length, hints)
    # E[f^2] - E[f]^2, in float64 because the difference cancels for narrow spectra.
    frequencies = spectrum.frequencies.astype(np.float64)
    total = spectrum.total.astype(np.float64)
    moments = np.stack([frequencies, frequencies**2], axis=1)
    first, second = np.empty(len(total)), np.empty(len(total))
    for start in range(0, len(total), 2048):
        block = slice(start, start + 2048)
        first[block], second[block] = (spectrum.magnitudes[block] @ moments).T / total[block]
    values = np.sqrt(np.maximum(second - first**2, 0.0)).astype(np.float32)
    return Measurement(values, spectrum.audible)


DESCRIPTOR = Descriptor("bandwidth", "Hz", "log", "spectral bandwidth (spread about the centroid)", measure)
