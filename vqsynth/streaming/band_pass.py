"""Band-pass filter whose centre and quality move: a state-variable filter for streams.

The topology-preserving transform of the analogue state-variable filter (Zavalishin, The Art of VA Filter
Design, 2.1.0, ch. 4): its two states are the charges of integrators, so that coefficients may change at any
time without a jump of the output. Peak gain is 1 at the centre, for every quality.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.signal import lfilter

SEGMENT = 64
"""Samples between two changes of the coefficients, counted from the start of the stream."""
LOWEST, HIGHEST = 10.0, 0.49
"""Limits of the centre: in Hz, and as a share of the sample rate."""


class BandPass:
    """A stream through a band-pass with moving centre frequency and quality.

    Args:
        sample_rate: in Hz.

    Any division into blocks gives the same sound: coefficients are read at every 64th sample of the stream.
    """

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self._integrators = (0.0, 0.0)
        self._position = 0
        self._held = (1.0, 1.0)

    def push(self, audio: np.ndarray, frequency: np.ndarray | float, quality: np.ndarray | float) -> np.ndarray:
        """Filter a block of any length.

        Args:
            frequency: centre in Hz, one number or one a sample; held within 10 Hz and 0.49 of the sample rate.
            quality: centre frequency over bandwidth at -3 dB, one number or one a sample, above 0.

        Shape: audio [samples] -> [samples] float64
        """
        audio = np.asarray(audio, np.float64)
        count = len(audio)
        frequency, quality = (np.broadcast_to(np.asarray(x, np.float64), count) for x in (frequency, quality))
        first = -self._position % SEGMENT
        starts = np.arange(first, count, SEGMENT)
        # Segments with equal coefficients are filtered at once.
        pairs = [(0, self._held), *((int(n), (float(frequency[n]), float(quality[n]))) for n in starts)]
        runs = [pair for before, pair in zip([None, *pairs], pairs) if before is None or before[1] != pair[1]]
        parts = []
        for (start, (centre, q)), end in zip(runs, [*(n for n, _ in runs[1:]), count]):
            if end > start:
                parts.append(self._run(audio[start:end], centre, q))
        self._held = runs[-1][1]
        self._position += count
        return np.concatenate(parts) if parts else audio

    def _run(self, audio: np.ndarray, centre: float, quality: float) -> np.ndarray:
        """Filter with fixed coefficients, as the direct form of the same filter, states converted on both ends."""
        centre = min(max(centre, LOWEST), HIGHEST * self.sample_rate)
        g, k = math.tan(math.pi * centre / self.sample_rate), 1 / quality
        d = 1 / (1 + g * (g + k))
        a1, a2 = 2 * (g * g - 1) * d, (1 + g * (g - k)) * d
        # The first two samples of silence that either form would put out.
        band, low = self._integrators
        now = d * (band - g * low)
        first, second = k * now, k * d * (2 * (1 - g * g) * now - band - g * low)
        state = np.array([first, second + a1 * first])
        output, state = lfilter([g * k * d, 0.0, -g * k * d], [1.0, a1, a2], audio, zi=state)
        first, second = state[0], state[1] - a1 * state[0]
        difference, total = first / (k * d), 2 * (1 - g * g) * first / k - second / (k * d)
        self._integrators = ((difference + total) / 2, (total - difference) / (2 * g))
        return output
