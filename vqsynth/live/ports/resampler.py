"""A stream at another rate, with the least delay: a windowed sinc, looked up (Smith & Gossett 1984)."""

from __future__ import annotations

import math

import numpy as np

HALF = 24
"""Samples, at the lower rate, on either side that an output sample is made of; also the delay."""
_BETA = 8.0
_EDGE = 0.95
"""Cutoff, as a share of the lower of the two Nyquist frequencies."""


class Resampler:
    """Blocks of any size at one rate to what is ready of them at another; every division gives the same samples.

    Args:
        come: rate of what comes in, Hz.
        go: rate of what goes out, Hz.

    Attributes:
        wait: samples at the rate of the output that it keeps back, at most.
    """

    def __init__(self, come: int, go: int) -> None:
        common, self._half = math.gcd(come, go), math.ceil(HALF * max(1.0, come / go))
        half = self._half
        self._come, self._go = come // common, go // common
        share = _EDGE * min(1.0, go / come)
        offsets = np.arange(1 - half, half + 1) - np.arange(self._go)[:, None] / self._go
        window = np.i0(_BETA * np.sqrt(np.clip(1 - (offsets / half) ** 2, 0, None))) / np.i0(_BETA)
        table = share * np.sinc(share * offsets) * window
        self._table = (table / table.sum(1, keepdims=True)).astype(np.float32)
        self._held = np.zeros(2 * half, np.float32)
        self._start, self._made = -2 * half, 0
        self.wait = math.ceil((half + 1) * go / come) + 1

    def push(self, audio: np.ndarray) -> np.ndarray:
        """Shape: [n] -> [about n * go / come] float32."""
        held = np.concatenate([self._held, audio])
        # The last output whose whole window has come.
        end = ((self._start + len(held) - self._half - 1) * self._go + self._go - 1) // self._come + 1
        number = np.arange(self._made, max(end, self._made)) * self._come
        place, phase = number // self._go - self._start, number % self._go
        made = np.zeros(0, np.float32)
        if len(number):
            windows = np.lib.stride_tricks.sliding_window_view(held, 2 * self._half)[place + 1 - self._half]
            made = np.einsum("nk,nk->n", windows, self._table[phase])
            self._made = int(end)
        keep = self._made * self._come // self._go - self._half - self._start
        keep = max(0, min(keep, len(held)))
        self._held, self._start = held[keep:], self._start + keep
        return made
