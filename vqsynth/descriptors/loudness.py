"""Loudness of a frame, K-weighted."""

from __future__ import annotations

from typing import Any

import numpy as np

from vqsynth.descriptors._base import FLOOR_DB, Descriptor, Measurement
from vqsynth.descriptors._spectrum import spectrum_of


def measure(audio: np.ndarray, sample_rate: int, n_fft: int = 2048, hop_length: int = 512, **hints: Any) -> Measurement:
    """K-weighted level of each frame in LUFS; valid above the absolute gate of -70 (ITU-R BS.1770-4)."""
    import torch

    from vqsynth.dsp.loudness import loudness_of_power

    magnitudes = spectrum_of(audio, sample_rate, n_fft, hop_length, hints).magnitudes
    values = np.empty(len(magnitudes), dtype=np.float32)
    for start in range(0, len(values), 2048):
        power = torch.from_numpy(np.square(magnitudes[start : start + 2048]))
        values[start : start + 2048] = loudness_of_power(power, sample_rate, n_fft).numpy()
    return Measurement(values, values >= FLOOR_DB)


DESCRIPTOR = Descriptor("loudness", "LUFS", "linear", "K-weighted loudness", measure)
