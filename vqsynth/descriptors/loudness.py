"""Loudness of a frame, K-weighted."""

from __future__ import annotations

import numpy as np

from vqsynth.descriptors._base import FLOOR_DB, Descriptor, Measurement


def measure(audio, sample_rate, n_fft=2048, hop_length=512, **hints) -> Measurement:
    """K-weighted level of each frame in LUFS; valid above the absolute gate of -70 (ITU-R BS.1770-4)."""
    from vqsynth.dsp.loudness import loudness

    audio = np.asarray(audio, dtype=np.float32)
    values = loudness(audio if audio.size else np.zeros(1, np.float32), sample_rate, n_fft, hop_length)
    return Measurement(values, values >= FLOOR_DB)


DESCRIPTOR = Descriptor("loudness", "LUFS", "linear", "K-weighted loudness", measure)
