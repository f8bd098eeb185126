"""Descriptors of what sounds now, and whether they are those that were asked for."""

from __future__ import annotations

import numpy as np
import torch

from vqsynth import descriptors
from vqsynth.dsp.yin import yin

N_FFT = 2048
MEASURED = ("centroid", "bandwidth", "rolloff", "flatness", "loudness")
TOLERANCES = {"f0": 0.2 / 12, "loudness": 3.0, "flatness": 1.0}
"""How far a descriptor may be off and counts as reached: octaves, or dB; of the others a tenth of an octave."""
_TOLERANCE = 0.1


class Gauge:
    """The newest frame of the output.

    Args:
        sample_rate: in Hz.

    Attributes:
        peak: highest sample since it was last asked for.
    """

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate, self.peak = sample_rate, 0.0
        self._newest = np.zeros(N_FFT, np.float32)

    def write(self, audio: np.ndarray) -> None:
        """Take samples [n]."""
        if len(audio):
            self.peak = max(self.peak, float(np.abs(audio).max()))
            # A new array, so that a reader in another thread has a whole one.
            self._newest = np.concatenate([self._newest, audio])[-N_FFT:]

    def take_peak(self) -> float:
        """The highest sample since the last call."""
        peak, self.peak = self.peak, 0.0
        return peak

    def read(self) -> dict[str, float]:
        """Measure; what a frame does not have (pitch of noise, anything of silence) is missing."""
        audio = self._newest
        found = {}
        for name, measured in descriptors.measure(MEASURED, audio, self.sample_rate, N_FFT, N_FFT // 2).items():
            if measured.valid[1]:
                found[name] = float(measured.values[1])
        if "loudness" in found:
            pitch = float(yin(torch.from_numpy(audio.copy())[None], self.sample_rate)[0])
            if pitch > 0:
                found["f0"] = pitch
        return found


def reached(asked: dict[str, float], measured: dict[str, float]) -> dict[str, bool]:
    """Of everything asked for, whether it is there."""
    return {name: name in measured and _near(name, value, measured[name]) for name, value in asked.items()}


def _near(name: str, asked: float, measured: float) -> bool:
    if name == "loudness":
        return abs(asked - measured) <= TOLERANCES[name]
    return abs(np.log2(max(measured, 1e-9) / max(asked, 1e-9))) <= TOLERANCES.get(name, _TOLERANCE)
