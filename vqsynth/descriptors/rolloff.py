"""Spectral rolloff: the frequency below which most of the spectrum lies."""

from __future__ import annotations

from typing import Any

import numpy as np

from vqsynth.descriptors._base import Descriptor, Measurement
from vqsynth.descriptors._spectrum import spectrum_of

SHARE = 0.85


def measure(audio: np.ndarray, sample_rate: int, n_fft: int = 2048, hop_length: int = 512, **hints: Any) -> Measurement:
    """Lowest bin in Hz below which 85 % of the magnitude lies, as ``librosa.feature.spectral_rolloff``."""
    spectrum = spectrum_of(audio, sample_rate, n_fft, hop_length, hints)
    values = np.empty(len(spectrum.magnitudes), dtype=np.float32)
    for start in range(0, len(values), 2048):
        cumulative = np.cumsum(spectrum.magnitudes[start : start + 2048], axis=1)
        values[start : start + 2048] = spectrum.frequencies[(cumulative >= SHARE * cumulative[:, -1:]).argmax(1)]
    return Measurement(values, spectrum.audible)


DESCRIPTOR = Descriptor("rolloff", "Hz", "log", "spectral rolloff at 85 % (upper edge)", measure)
