"""Spectral centroid: where the middle of the spectrum lies, heard as brightness."""

from __future__ import annotations

from typing import Any

import numpy as np

from vqsynth.descriptors._base import Descriptor, Measurement
from vqsynth.descriptors._spectrum import spectrum_of


def measure(audio: np.ndarray, sample_rate: int, n_fft: int = 2048, hop_length: int = 512, **hints: Any) -> Measurement:
    """Magnitude-weighted mean frequency of each frame in Hz, as ``librosa.feature.spectral_centroid``."""
    spectrum = spectrum_of(audio, sample_rate, n_fft, hop_length, hints)
    return Measurement(spectrum.centroid, spectrum.audible)


DESCRIPTOR = Descriptor("centroid", "Hz", "log", "spectral centroid (brightness)", measure)
