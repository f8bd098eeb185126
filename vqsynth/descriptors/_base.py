"""What every descriptor is, and the level below which a frame says nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

FLOOR_DB = -70.0  # the absolute gate of ITU-R BS.1770-4


@dataclass
class Measurement:
    """Values of one descriptor: ``values`` float32 ``[frames]`` and ``valid`` bool ``[frames]``."""

    values: np.ndarray
    valid: np.ndarray


@dataclass(frozen=True)
class Descriptor:
    """One measurable property of sound.

    ``measure(audio float32 [samples], sample_rate, n_fft=2048, hop_length=512, **hints) -> Measurement`` with
    ``1 + samples // hop_length`` frames, frame ``t`` centred on sample ``t * hop_length``. ``scale`` says in which
    scale equal steps sound equal: ``log`` or ``linear``.
    """

    name: str
    unit: str
    scale: str
    description: str
    measure: Callable[..., Measurement]


def audible(audio: np.ndarray, hop_length: int = 512, n_fft: int = 2048) -> np.ndarray:
    """True for frames whose root mean square over ``n_fft`` samples reaches -70 dBFS: bool ``[frames]``."""
    n_frames = 1 + len(audio) // hop_length
    total = np.concatenate(([0.0], np.cumsum(np.square(audio, dtype=np.float64))))
    centre = np.arange(n_frames) * hop_length
    lo = np.clip(centre - n_fft // 2, 0, len(audio))
    hi = np.clip(centre + n_fft // 2, 0, len(audio))
    return (total[hi] - total[lo]) / n_fft >= 10 ** (FLOOR_DB / 10)
