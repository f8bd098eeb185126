"""SwiftF0, a small pitch network, on the suite's frame grid.

The network (https://swift-f0.github.io) hears 16 kHz audio and answers every 16 ms, between 46.875 and
2093.75 Hz; its frame ``i`` is centred on ``16 ms * i`` (measured with glides). It is coarse by a few cents and
sometimes sits an octave or two high on steady tones, so :mod:`vqsynth.descriptors._harmonics` checks it.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from vqsynth.errors import VqsynthError

if TYPE_CHECKING:
    from swift_f0 import SwiftF0

FMIN, FMAX = 46.875, 2093.75
RATE = 16_000
PERIOD = 0.016
THRESHOLD = 0.5


@functools.cache
def _detector(threads: int) -> SwiftF0:
    try:
        from swift_f0 import SwiftF0
    except ImportError as error:
        raise VqsynthError("pitch tracking needs the package swift-f0 (or method 'yin'); install it") from error
    return SwiftF0(threads=threads, spin=False)


def track(
    audio: np.ndarray, sample_rate: int, n_frames: int, hop_length: int, threads: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Track pitch on frames centred on ``t * hop_length``.

    Args:
        audio: float32 ``[samples]``.
        sample_rate: in Hz.
        n_frames: how many frames to answer.
        hop_length: samples between frames.
        threads: CPU threads of the network.

    Returns:
        ``(f0 [n_frames] Hz, confidence [n_frames] 0..1)``. Pitch is interpolated in log frequency between
        neighbours that agree within a whole tone, and taken from the nearer one where they do not.
    """
    if audio.size < 2:
        return np.zeros(n_frames), np.zeros(n_frames)
    import soxr

    signal = audio if sample_rate == RATE else soxr.resample(audio, sample_rate, RATE)
    # The network has an absolute silence gate: bring quiet recordings well above it.
    peak = float(np.abs(signal).max(initial=0.0))
    if peak < 1e-6 or signal.size == 0:
        return np.zeros(n_frames), np.zeros(n_frames)
    result = _detector(threads).detect(signal * np.float32(0.5 / peak), RATE)
    pitch, confidence = result.pitch_hz, result.confidence
    position = np.arange(n_frames) * (hop_length / sample_rate / PERIOD)
    left = np.clip(position.astype(int), 0, len(pitch) - 1)
    right = np.minimum(left + 1, len(pitch) - 1)
    part = np.clip(position - left, 0.0, 1.0)
    a, b = np.log2(pitch[left]), np.log2(pitch[right])
    both = (np.abs(a - b) < 1 / 6) & (confidence[left] >= THRESHOLD) & (confidence[right] >= THRESHOLD)
    log_f0 = np.where(both, a + (b - a) * part, np.where(part < 0.5, a, b))
    return 2.0**log_f0, confidence[left] * (1 - part) + confidence[right] * part
