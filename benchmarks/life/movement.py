"""Movement of level, brightness and spectrum while a note is held."""

from __future__ import annotations

import numpy as np

from benchmarks.life.sound import Sound, around_mean, low_pass

N_FFT, BANDS = 2048, 64
FRAME = 512 / 44_100
"""Seconds between the two frames that flux compares, and of those that brightness is seen in."""


def pooled(parts: list[np.ndarray]) -> float:
    """Standard deviation around 0 of all parts together; NaN where there are none."""
    return float(np.sqrt(np.mean(np.concatenate(parts) ** 2))) if parts else float("nan")


def level(sound: Sound) -> float:
    """Movement of the K-weighted level between 2 and 20 Hz: standard deviation in dB around the 0.5 s mean."""
    rate = sound.frame_rate
    return pooled([low_pass(around_mean(sound.level[part], rate), rate, 20.0) for part in sound.held])


def brightness(sound: Sound) -> np.ndarray:
    """Spectral centroid in semitones above 1 Hz, on the frames of ``sound``: [frames]."""
    import librosa

    magnitude = np.abs(librosa.stft(sound.audio, n_fft=N_FFT, hop_length=sound.hop))[:, : len(sound.level)]
    values = librosa.feature.spectral_centroid(S=magnitude, sr=sound.rate)[0]
    return 12 * np.log2(np.maximum(values, 1.0))


def centroid(sound: Sound) -> float:
    """Movement of the centroid: standard deviation in semitones around its 0.5 s mean."""
    values = brightness(sound)
    return pooled([around_mean(values[part], sound.frame_rate) for part in sound.held])


def flux(sound: Sound) -> float:
    """Mean change of a mel band from one frame to the next 12 ms later, in dB, down to 70 dB below the loudest."""
    import librosa

    hop = round(FRAME * sound.rate)
    mel = librosa.feature.melspectrogram(y=sound.audio, sr=sound.rate, n_fft=N_FFT, hop_length=hop, n_mels=BANDS)
    decibels = 10 * np.log10(mel + 1e-20)
    decibels = np.maximum(decibels, decibels.max() - 70)
    change = np.abs(np.diff(decibels, axis=1)).mean(0)
    held = np.zeros(len(sound.level), dtype=bool)
    for part in sound.held:
        held[part] = True
    chosen = held[np.minimum(np.arange(len(change)) * hop // sound.hop, len(held) - 1)]
    return float(change[chosen].mean()) if chosen.any() else float("nan")
