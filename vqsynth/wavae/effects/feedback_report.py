"""Whether a feedback loop did what it was asked to: followed the band, kept sounding, stayed under its ceiling."""

from __future__ import annotations

from typing import Any

import numpy as np

from vqsynth import descriptors
from vqsynth.dsp.loudness import loudness
from vqsynth.streaming.band_pass import SEGMENT

HOP_LENGTH = 512
SMOOTHING_SECONDS = 0.25
"""Over which the centroid is averaged: a few passes of the loop."""
ONSET_SECONDS = 1.0
"""That a loop is given (or ten passes, if longer) to sound after its start, or after its factor has come over 1."""
SILENT_LUFS = -50.0


def smoothed_centroid(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """Centroid in Hz, geometric mean over a quarter of a second. Shape: [samples] -> [1 + samples // 512]."""
    measured = descriptors.measure(["centroid"], audio, sample_rate, hop_length=HOP_LENGTH)["centroid"]
    size = max(1, round(SMOOTHING_SECONDS * sample_rate / HOP_LENGTH))
    valid = measured.valid.astype(np.float64)
    weights = np.ones(min(size, len(valid)))
    total = np.convolve(np.where(measured.valid, np.log(np.maximum(measured.values, 1.0)), 0.0), weights, "same")
    return np.where(valid > 0, np.exp(total / np.maximum(np.convolve(valid, weights, "same"), 1.0)), np.nan)[
        : len(valid)
    ]


def follows(audio: np.ndarray, sample_rate: int, frequency: np.ndarray, sounding: np.ndarray) -> float | None:
    """Spearman's correlation of the smoothed centroid with the band's frequency, while the loop sounds.

    None where the frequency stands still.

    Shape: audio [samples]; frequency [ceil(samples / 64)]; sounding bool [1 + samples // 512]
    """
    from scipy.stats import spearmanr

    centroid = smoothed_centroid(audio, sample_rate)
    band = at_frames(frequency, len(centroid))
    use = sounding & np.isfinite(centroid)
    if use.sum() < 3 or np.ptp(np.log(band[use])) < 0.01 or np.ptp(centroid[use]) == 0:
        return None
    return float(spearmanr(centroid[use], band[use])[0])


def at_frames(curve: np.ndarray, frames: int) -> np.ndarray:
    """A curve given at every 64th sample, at frames 512 samples apart. Shape: [n] -> [frames]."""
    return curve[np.minimum(np.arange(frames) * (HOP_LENGTH // SEGMENT), len(curve) - 1)]


def measure(
    audio: np.ndarray, sample_rate: int, frequency: np.ndarray, factor: np.ndarray, passed: int
) -> dict[str, Any]:
    """Numbers for the report.

    Args:
        audio: the finished loop.
        sample_rate: in Hz.
        frequency: of the band, in Hz.
        factor: of the feedback.
        passed: samples of a pass of the loop; silence is a whole pass below -50 LUFS.

    Shape: audio [samples]; frequency, factor [ceil(samples / 64)]
    """
    from scipy.ndimage import maximum_filter1d

    level = loudness(audio, sample_rate)
    growing = at_frames(factor, len(level)) > 1
    # Frames that have been growing for as long as a loop needs to sound.
    onset = round(max(ONSET_SECONDS * sample_rate, 10 * passed) / HOP_LENGTH)
    index = np.arange(len(level))
    since = index - np.maximum.accumulate(np.where(growing, -1, index))
    sounding = growing & (since > onset)
    loudest = maximum_filter1d(level, max(1, round(passed / HOP_LENGTH)))
    spearman = follows(audio, sample_rate, frequency, sounding)
    return {
        "peak_db": round(float(20 * np.log10(max(np.abs(audio).max(), 1e-9))), 2),
        "loudness_p5_p50_p95": [round(float(p), 1) for p in np.percentile(level, [5, 50, 95])],
        "silent_share_while_factor_above_1": round(float(np.mean(loudest[sounding] < SILENT_LUFS)), 4)
        if sounding.any()
        else None,
        "centroid_follows_frequency_spearman": None if spearman is None else round(spearman, 3),
    }
