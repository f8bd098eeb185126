"""Spectral centroid: where the middle of the spectrum lies, heard as brightness."""

from __future__ import annotations

from vqsynth.descriptors._base import Descriptor, Measurement
from vqsynth.descriptors._spectrum import spectrum_of


def measure(audio, sample_rate, n_fft=2048, hop_length=512, **hints) -> Measurement:
    """Magnitude-weighted mean frequency of each frame in Hz, as ``librosa.feature.spectral_centroid``."""
    spectrum = spectrum_of(audio, sample_rate, n_fft, hop_length, hints)
    return Measurement(spectrum.centroid, spectrum.audible)


DESCRIPTOR = Descriptor("centroid", "Hz", "log", "spectral centroid (brightness)", measure)
