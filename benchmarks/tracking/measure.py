"""How well does a sound follow a curve? Measured by other estimators than those that built the tables.

Spectral descriptors by librosa; pitch by Praat's autocorrelation method (Boersma 1993, through parselmouth) or by
librosa's pYIN (Mauch & Dixon 2014). The suite itself uses neither for its tables.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

N_FFT, HOP = 2048, 512
SILENT = 10 ** (-70 / 20)
PITCH_METHODS = ("praat", "pyin")


@dataclasses.dataclass(frozen=True)
class Score:
    """Agreement of a measured curve with its target, over the frames that count.

    Attributes:
        pearson: correlation in the descriptor's own unit; nan for a constant target.
        relative: median of ``|measured - target| / target``.
        cents: median distance in cents.
        within: share of frames, unvoiced ones included, within 20 cents.
        valid: share of frames that have a value (for pitch: that are voiced).
    """

    pearson: float
    relative: float
    cents: float
    within: float
    valid: float


def spectral(name: str, audio: np.ndarray, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Centroid or bandwidth by librosa.

    Returns:
        Times [frames] in s and values [frames] in Hz, NaN where the frame is silent (below -70 dBFS).
    """
    import librosa

    magnitude = np.abs(librosa.stft(audio, n_fft=N_FFT, hop_length=HOP))
    functions = {"centroid": librosa.feature.spectral_centroid, "bandwidth": librosa.feature.spectral_bandwidth}
    values = functions[name](S=magnitude, sr=sample_rate)[0]
    level = librosa.feature.rms(S=magnitude, frame_length=N_FFT)[0]
    return np.arange(len(values)) * HOP / sample_rate, np.where(level > SILENT, values, np.nan)


def pitch(
    audio: np.ndarray, sample_rate: int, low: float, high: float, method: str = "praat"
) -> tuple[np.ndarray, np.ndarray]:
    """Fundamental frequency by Praat or pYIN, searched from an octave below ``low`` to one above ``high`` Hz.

    Octave errors stay visible at the widest target; frames are independent of the suite's grid.

    Returns:
        Times [frames] in s and f0 [frames] in Hz, NaN where unvoiced.
    """
    floor, ceiling = max(35.0, 0.48 * low), min(2.1 * high, 0.45 * sample_rate)
    if method == "praat":
        import parselmouth

        sound = parselmouth.Sound(audio.astype(np.float64), sampling_frequency=sample_rate)
        found = sound.to_pitch_ac(time_step=HOP / sample_rate, pitch_floor=floor, pitch_ceiling=ceiling)
        f0 = found.selected_array["frequency"]
        return found.xs(), np.where(f0 > 0, f0, np.nan)
    import librosa

    length = N_FFT
    while length <= 2.1 * sample_rate / floor:
        length *= 2
    f0, _, _ = librosa.pyin(audio, fmin=floor, fmax=ceiling, sr=sample_rate, frame_length=length, hop_length=HOP)
    return np.arange(len(f0)) * HOP / sample_rate, f0


def measure(
    name: str, audio: np.ndarray, sample_rate: int, low: float, high: float, method: str = "praat"
) -> tuple[np.ndarray, np.ndarray]:
    """Any of the three descriptors; ``low`` and ``high``, the target's ends in Hz, only guide the pitch search."""
    return pitch(audio, sample_rate, low, high, method) if name == "f0" else spectral(name, audio, sample_rate)


def compare(
    times: np.ndarray, values: np.ndarray, target: Callable[[np.ndarray], np.ndarray], skip: float = 0.0
) -> Score:
    """Score a measured curve against a target.

    Args:
        times: [frames], in s.
        values: [frames]; NaN is no value.
        target: times [T] in s -> wanted values [T] above 0.
        skip: seconds left out at both ends.
    """
    inside = (times >= skip) & (times <= times[-1] - skip)
    times, values = times[inside], values[inside]
    wanted = target(times)
    known = np.isfinite(values)
    if not known.any():
        return Score(np.nan, np.nan, np.nan, 0.0, 0.0)
    measured, wanted = values[known], wanted[known]
    varies = np.ptp(wanted) > 1e-6 * np.abs(wanted).max() and np.ptp(measured) > 0
    cents = 1200 * np.abs(np.log2(measured / wanted))
    return Score(
        pearson=float(np.corrcoef(measured, wanted)[0, 1]) if varies else np.nan,
        relative=float(np.median(np.abs(measured - wanted) / wanted)),
        cents=float(np.median(cents)),
        within=float((cents <= 20).sum() / len(values)),
        valid=float(known.mean()),
    )
