"""A look-ahead limiter: the peak stays under a ceiling, the gain moves smoothly."""

from __future__ import annotations

import numpy as np

_PIECE = 4096


class Limiter:
    """A stream whose samples never exceed a ceiling.

    The gain that the loudest sample of the coming ``look_ahead`` samples needs is held, released exponentially
    and averaged over the same stretch: when that sample comes, the average is at or below what it needs.

    Args:
        sample_rate: in Hz. ceiling: highest absolute sample of the output.
        look_ahead_ms: time over which the gain falls before a peak. release_ms: time constant of its return.

    Attributes:
        delay: samples by which the output trails the input.
    """

    def __init__(
        self, sample_rate: int, ceiling: float = 10 ** (-0.5 / 20), look_ahead_ms: float = 2.0, release_ms: float = 80.0
    ) -> None:
        self.ceiling = ceiling
        self.length = max(1, round(look_ahead_ms / 1000 * sample_rate))
        self.delay = self.length - 1
        self._decay = np.exp(-1000 / (release_ms * sample_rate))
        self._audio = np.zeros(self.delay)
        self._needed = np.zeros(self.delay)
        self._reduced = np.zeros(self.delay)
        self._last = 0.0

    def push(self, audio: np.ndarray) -> np.ndarray:
        """Limit a block of any length. Shape: [samples] -> [samples] float64, ``delay`` samples late."""
        audio = np.asarray(audio, np.float64)
        return np.concatenate([self._push(audio[n : n + _PIECE]) for n in range(0, len(audio), _PIECE)] or [audio])

    def _push(self, audio: np.ndarray) -> np.ndarray:
        windows = np.lib.stride_tricks.sliding_window_view
        # Reductions, 1 - gain: silence before the stream needs none.
        level = np.abs(audio)
        needed = np.concatenate([self._needed, 1 - np.minimum(1.0, self.ceiling / np.maximum(level, self.ceiling))])
        held = windows(needed, self.length).max(1)
        released = self._release(held)
        reduced = np.concatenate([self._reduced, released])
        mean = windows(reduced, self.length).mean(1)
        delayed = np.concatenate([self._audio, audio])
        count, keep = len(audio), len(delayed) - self.delay
        self._needed, self._reduced, self._audio = needed[keep:], reduced[keep:], delayed[keep:]
        # Rounding of the mean must not let a peak over.
        return np.clip(delayed[:count] * (1 - mean), -self.ceiling, self.ceiling)

    def _release(self, held: np.ndarray) -> np.ndarray:
        """Let reductions fall exponentially: the highest of all past ones, each faded by its age."""
        if self._last < 1e-12 and not held.any():
            self._last = 0.0
            return held
        ages = self._decay ** np.arange(1, len(held) + 1)
        released = np.maximum(np.maximum.accumulate(held / ages), self._last) * ages
        self._last = float(released[-1])
        return released
