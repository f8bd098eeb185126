"""Check and sharpen a tracked pitch on the harmonics of the frame itself.

Every spectral peak of a frame has an instantaneous frequency, exact to a fraction of a cent for a steady tone
(reassignment with the window's derivative: Auger and Flandrin, 1995). From these peaks follow

- the fine pitch: the mean of ``frequency / harmonic number``, weighted by amplitude and number;
- the octave: the highest multiple or fraction of the tracked pitch whose harmonics still explain the peaks;
- a pitch for frames the tracker cannot judge (above its range, or nearly pure tones).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TOP_HZ = 5000.0  # harmonics above are noisier than they are useful
PEAK_FLOOR = 10 ** (-50 / 20)
RATIOS = (0.25, 1 / 3, 0.5, 1.0, 2.0, 3.0)


@dataclass
class Peaks:
    """Spectral peaks below 5 kHz. ``frequency`` and ``amplitude`` are ``[frames, bins]``, 0 where no peak is."""

    frequency: np.ndarray
    amplitude: np.ndarray
    magnitude: np.ndarray
    bin_hz: float


def window_length(sample_rate: int, seconds: float) -> int:
    """The power of two nearest to ``seconds``."""
    return 1 << max(6, round(np.log2(seconds * sample_rate)))


def peaks(audio: np.ndarray, sample_rate: int, frames: np.ndarray, hop_length: int, n_fft: int) -> Peaks:
    """Find the peaks of the frames centred on ``frames * hop_length``.

    Args:
        audio: float32 ``[samples]``.
        sample_rate: in Hz.
        frames: int ``[T]``.
        hop_length: samples between frames.
        n_fft: samples of an analysis window.
    """
    from scipy.fft import rfft

    half = n_fft // 2
    n = np.arange(n_fft)
    window = (0.5 - 0.5 * np.cos(2 * np.pi * n / n_fft)).astype(np.float32)
    slope = (np.pi / n_fft * np.sin(2 * np.pi * n / n_fft)).astype(np.float32)
    first = int(frames.min()) * hop_length - half
    last = int(frames.max()) * hop_length + half
    piece = np.zeros(last - first, dtype=np.float32)
    lo, hi = max(first, 0), min(last, len(audio))
    if hi > lo:
        piece[lo - first : hi - first] = audio[lo:hi]
    framed = np.lib.stride_tricks.sliding_window_view(piece, n_fft)[frames * hop_length - half - first]
    bins = min(half, int(TOP_HZ * n_fft / sample_rate) + 2)
    spectrum = rfft(framed * window, axis=1)[:, :bins]
    derivative = rfft(framed * slope, axis=1)[:, :bins]
    magnitude = np.abs(spectrum)
    power = np.maximum(magnitude**2, 1e-20)
    shift = -(derivative.imag * spectrum.real - derivative.real * spectrum.imag) / power
    bin_hz = sample_rate / n_fft
    frequency = np.arange(bins) * bin_hz + np.clip(shift * sample_rate / (2 * np.pi), -bin_hz, bin_hz)
    is_peak = np.zeros(magnitude.shape, dtype=bool)
    middle = magnitude[:, 1:-1]
    is_peak[:, 1:-1] = (middle > magnitude[:, :-2]) & (middle >= magnitude[:, 2:])
    is_peak &= magnitude > PEAK_FLOOR * magnitude.max(axis=1, keepdims=True) + 1e-9
    return Peaks(np.where(is_peak, frequency, 0.0), np.where(is_peak, magnitude, 0.0), magnitude, bin_hz)


def explained(found: Peaks, f0: np.ndarray, tolerance: float = 0.08) -> np.ndarray:
    """Share of the peaks' amplitude that lies on harmonics of ``f0 [T]``: ``[T]`` in 0..1."""
    number = found.frequency / np.maximum(f0, 1.0)[:, None]
    nearest = np.rint(number)
    on = (np.abs(number - nearest) < tolerance) & (nearest >= 1)
    return (found.amplitude * on).sum(1) / np.maximum(found.amplitude.sum(1), 1e-12)


def sharpen(found: Peaks, f0: np.ndarray, harmonics: int = 10, reach: float = 100.0) -> np.ndarray:
    """Return the pitch that the harmonics near ``f0 [T]`` agree on, within ``reach`` cents: ``[T]`` Hz.

    The lowest harmonics first bring the estimate within reach of the higher ones, whose numbers are less sure
    but whose frequencies divide more finely. A frame whose harmonics disagree keeps its value.
    """
    estimate = f0
    for top, cents in ((3, reach), (harmonics, 0.4 * reach)):
        number = found.frequency / np.maximum(estimate, 1.0)[:, None]
        nearest = np.rint(number)
        on = (nearest >= 1) & (nearest <= top) & (found.amplitude > 0)
        single = found.frequency / np.maximum(nearest, 1)
        off = 1200 * np.log2(np.where(on, single, 1.0) / np.maximum(estimate, 1.0)[:, None])
        on &= np.abs(off) < cents
        weight = np.where(on, found.amplitude * nearest, 0.0)
        total = weight.sum(1)
        mean = (weight * off).sum(1) / np.maximum(total, 1e-12)
        # A second mean without the outliers: a noise peak among the harmonics must not pull.
        weight *= np.abs(off - mean[:, None]) < np.maximum(10.0, 0.25 * cents)
        kept = weight.sum(1)
        mean = (weight * off).sum(1) / np.maximum(kept, 1e-12)
        estimate = np.where(kept > 0.3 * np.maximum(total, 1e-12), estimate * 2 ** (mean / 1200), estimate)
    return estimate


def octave(found: Peaks, f0: np.ndarray, fmin: float, fmax: float, down: float = 0.85, up: float = 0.97) -> np.ndarray:
    """Return the ratio in ``RATIOS`` by which each frame's pitch must be multiplied: ``[T]``.

    Lower: when the pitch leaves out peaks that a fraction of it explains. Higher: when a multiple explains as much.
    """
    share = np.stack([explained(found, f0 * r) * ((f0 * r >= fmin) & (f0 * r <= fmax)) for r in RATIOS])
    one = RATIOS.index(1.0)
    best = share[: one + 1].max(0)
    choice = np.full(len(f0), one)
    for i in range(one):  # the highest sufficient fraction wins: it is written last
        choice = np.where((share[one] < down * best) & (share[i] >= 0.95 * best), i, choice)
    for i in range(one + 1, len(RATIOS)):
        choice = np.where((choice == one) & (share[one] > 0.5) & (share[i] >= up * share[one]), i, choice)
    return np.asarray(RATIOS)[choice]


def strongest(found: Peaks, fmin: float, fmax: float) -> tuple[np.ndarray, np.ndarray]:
    """Pitch from the strongest peak alone: ``(f0 [T] Hz, share [T])``.

    ``share`` is the part of the frame's whole energy in the main lobes (two bins each way) of its harmonics.
    """
    rows = np.arange(len(found.frequency))
    top = found.frequency[rows, found.amplitude.argmax(1)]
    f0 = np.where((top >= fmin) & (top <= fmax), top, 0.0)
    share = explained(found, f0)
    for divisor in (2, 3):
        lower = top / divisor
        better = (lower >= fmin) & (lower <= fmax) & (explained(found, lower) > 1.3 * share)
        f0 = np.where(better, lower, f0)
        share = np.where(better, explained(found, lower), share)
    number = np.rint(found.frequency / np.maximum(f0, 1.0)[:, None])
    on = (found.amplitude > 0) & (number >= 1) & (np.abs(found.frequency - number * f0[:, None]) < 0.05 * f0[:, None])
    lobe = np.zeros(on.shape, dtype=bool)
    for k in range(-2, 3):
        lobe |= np.roll(on, k, axis=1)
    energy = found.magnitude**2
    return f0, np.where(f0 > 0, (energy * lobe).sum(1) / np.maximum(energy.sum(1), 1e-20), 0.0)
