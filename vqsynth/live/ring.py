"""A ring of samples between two threads, without a lock."""

from __future__ import annotations

import numpy as np


class Ring:
    """Samples from one thread that writes to one thread that reads.

    Each side moves its own counter alone, after the samples are copied, so neither waits for the other: an
    assignment of a whole number is never seen half done.

    Args:
        capacity: most samples in it.
    """

    def __init__(self, capacity: int) -> None:
        self._samples = np.zeros(capacity, np.float32)
        self._written = self._taken = 0

    def __len__(self) -> int:
        return self._written - self._taken

    @property
    def free(self) -> int:
        """Samples that there is room for."""
        return len(self._samples) - len(self)

    def write(self, audio: np.ndarray) -> bool:
        """Put samples [n] in, all or none; whether there was room."""
        count, size = len(audio), len(self._samples)
        if count > self.free:
            return False
        start = self._written % size
        first = min(count, size - start)
        self._samples[start : start + first] = audio[:first]
        self._samples[: count - first] = audio[first:]
        self._written += count
        return True

    def read(self, out: np.ndarray) -> int:
        """Take samples into ``out`` [n], as many as there are; returns how many."""
        count, size = min(len(out), len(self)), len(self._samples)
        start = self._taken % size
        first = min(count, size - start)
        out[:first] = self._samples[start : start + first]
        out[first:count] = self._samples[: count - first]
        self._taken += count
        return count
