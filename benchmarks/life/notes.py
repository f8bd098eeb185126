"""How notes begin, and how much of a sound is harmonic."""

from __future__ import annotations

import numpy as np

from benchmarks.life.sound import Sound

LOW_DB, HIGH_DB = -20.0, -3.0
STEP = 0.001


def envelope(sound: Sound) -> tuple[np.ndarray, float]:
    """Level over 10 ms or two periods, whichever is longer: [frames] dB, and frames a second.

    It begins with 0.1 s of silence, so that a sound that begins at once has an attack too.
    """
    from scipy.signal import fftconvolve

    voiced = sound.f0[sound.f0 > 0]
    seconds = max(0.010, 2 / np.median(voiced)) if len(voiced) else 0.010
    window = np.hanning(max(3, round(seconds * sound.rate)))
    padded = np.pad(sound.audio.astype(np.float64), (round(0.1 * sound.rate), 0))
    power = fftconvolve(padded**2, window / window.sum(), mode="same")
    hop = round(STEP * sound.rate)
    return 10 * np.log10(np.maximum(power[::hop], 1e-12)), sound.rate / hop


def attacks(sound: Sound) -> np.ndarray:
    """Seconds that each note takes from 20 to 3 dB below its sustain.

    The sustain is the median level from 0.1 to 0.6 s after the note has come within 20 dB of what follows; a note
    that begins less than 20 dB below it (slurred) has no attack.
    """
    from scipy.ndimage import maximum_filter1d

    level, rate = envelope(sound)
    ahead = round(0.5 * rate)
    # The loudest of the next half second.
    coming = maximum_filter1d(level, size=ahead, origin=-(ahead // 2))
    low = (level < coming + LOW_DB) & (coming > level.max() - 30)
    found: dict[int, float] = {}
    for start in np.flatnonzero(low[:-1] & ~low[1:]):
        rest = level[start + 1 : start + 1 + round(1.0 * rate)]
        sustain = np.median(rest[round(0.1 * rate) : round(0.6 * rate)]) if len(rest) > 0.15 * rate else rest.max()
        below = level[max(0, start - round(0.5 * rate)) : start + len(rest)]
        reached = np.flatnonzero(rest >= sustain + HIGH_DB)
        if not len(reached) or below.min() > sustain + LOW_DB:
            continue
        top = start + 1 + reached[0]
        under = np.flatnonzero(level[:top] <= sustain + LOW_DB)
        if len(under):
            found[int(top)] = (top - under[-1]) / rate
    return np.asarray(list(found.values()))


def harmonicity(sound: Sound) -> float:
    """Harmonics to noise in dB by Praat (Boersma, 1993): mean over the frames that have a pitch."""
    import parselmouth

    voiced = sound.f0[sound.f0 > 0]
    floor = min(75.0, 0.75 * float(np.percentile(voiced, 5))) if len(voiced) else 75.0
    whole = parselmouth.Sound(sound.audio.astype(np.float64), sampling_frequency=sound.rate)
    found = whole.to_harmonicity_cc(time_step=0.01, minimum_pitch=max(30.0, floor))
    values = found.values[found.values > -199]
    return float(values.mean()) if len(values) else float("nan")
