"""What training knows of a recording besides its samples."""

from __future__ import annotations

import numpy as np

from vqsynth.descriptors import f0 as tracker
from vqsynth.dsp.loudness import loudness
from vqsynth.wavae.network.config import WavaeConfig

SILENCE_DB = 60.0
"""A frame this far under the loudest of its recording is silence."""


def pitch_and_level(audio: np.ndarray, config: WavaeConfig) -> dict[str, np.ndarray]:
    """Pitch and level on the mel grid, frame ``t`` centred on sample ``t * hop_length``.

    Shape: [samples] -> f0 [frames] Hz (0 where unvoiced), loudness [frames] dB, active [frames] bool
    """
    f0, _, voiced = tracker.track(audio, config.sample_rate, config.n_fft, config.hop_length)
    level = loudness(audio, config.sample_rate, config.n_fft, config.hop_length)
    return {
        "f0": np.where(voiced, np.nan_to_num(f0), 0.0),
        "loudness": level,
        "active": level > max(float(level.max()) - SILENCE_DB, -90.0),
    }
