"""Does a feedback loop follow its band, stay bounded, and keep sounding?"""

from __future__ import annotations

import numpy as np
from scipy.stats import spearmanr

from benchmarks.tracking.measure import HOP, spectral
from benchmarks.wavae.material import Material
from benchmarks.wavae.rows import Row, collect, row
from vqsynth.dsp.loudness import loudness
from vqsynth.wavae.domain import Domain
from vqsynth.wavae.effects.feedback import FeedbackSettings, feedback

NAME = "feedback"
TEXT = """Loops started from a burst of noise. *Published curve*: frequency, Q and factor as read from the figure of
the original demonstration, 56 s; *sine* and *rise*: 200 to 4000 Hz in 20 s, Q 5, factor 2. Spearman's rho of the
band's frequency with the output's centroid (librosa; median over 0.25 s) where the factor has been above 1 for a
second; the mean over two seeds. Peak: the highest sample of all loops, among them one with a factor of 100 and one
with a Q of 50. Silent: share of frames below -50 LUFS where the factor has been above 1 for a second, the most of
all loops, among them one with a factor of 1.05."""

LIMIT, SILENT_LUFS, ONSET, SMOOTHING = 0.8, -50.0, 1.0, 0.25
SEEDS = (0, 1)

# Seconds and values of the published demonstration's sliders.
FREQUENCY = (
    (0, 210),
    (5.5, 210),
    (8, 710),
    (13, 710),
    (14, 1250),
    (15.5, 1250),
    (17, 800),
    (19, 520),
    (26.5, 520),
    (28, 860),
    (33.5, 860),
    (34, 680),
    (36, 680),
    (40, 1100),
    (42, 1800),
    (47.5, 1800),
    (48.5, 1020),
    (50.5, 1020),
    (52, 330),
    (56, 330),
)
QUALITY = (
    (0, 2.6),
    (9, 2.6),
    (9.5, 2),
    (10, 2),
    (12, 7.3),
    (20, 7.3),
    (20.5, 4.3),
    (24.5, 4.3),
    (25.5, 6.8),
    (43.5, 6.8),
    (45, 4.9),
    (49, 4.9),
    (49.2, 3),
    (50, 2.2),
    (56, 2.2),
)
FACTOR = (
    (0, 5.2),
    (1, 5.2),
    (3.2, 11.5),
    (3.5, 3.3),
    (4, 2),
    (22.5, 2),
    (23, 1.4),
    (30, 1.4),
    (31, 3.1),
    (31.5, 1.25),
    (35, 2),
    (45.5, 2),
    (46, 1.1),
    (53, 1.1),
    (53.5, 4.6),
    (54, 0),
    (56, 0),
)
GRID = 100
"""Values a second of a drawn curve."""


def drawn(points: tuple[tuple[float, float], ...]) -> np.ndarray:
    """Values at even times between points of (seconds, value). Shape: [n]."""
    times, values = np.array(points, float).T
    return np.interp(np.arange(round(times[-1] * GRID)) / GRID, times, values)


def cases(shorten: float = 1.0) -> dict[str, tuple[FeedbackSettings, tuple[int, ...], bool]]:
    """Settings of every loop, its seeds, and whether its centroid is to follow; ``shorten`` scales all durations."""
    published = FeedbackSettings(drawn(FREQUENCY), drawn(QUALITY), drawn(FACTOR), 56.0 * shorten)
    return {
        "published curve": (published, SEEDS, True),
        "sine": (FeedbackSettings("sin@200:4000", 5.0, 2.0, 20.0 * shorten), SEEDS, True),
        "rise": (FeedbackSettings("line@200:4000", 5.0, 2.0, 20.0 * shorten), SEEDS, True),
        "hot": (FeedbackSettings("sin@200:4000", 5.0, 100.0, 10.0 * shorten), (0,), False),
        "narrow": (FeedbackSettings("sin@200:4000", 50.0, 5.0, 10.0 * shorten), (0,), False),
        "hardly above 1": (FeedbackSettings("sin@200:4000", 5.0, 1.05, 20.0 * shorten), (0,), False),
    }


def on_frames(curve: np.ndarray, samples: int, frames: int) -> np.ndarray:
    """A curve of the loop at frames ``HOP`` apart. Shape: [n] -> [frames]."""
    return np.interp(np.arange(frames) * HOP / samples, np.linspace(0, 1, len(curve)), curve)


def judge(audio: np.ndarray, sample_rate: int, frequency: np.ndarray, factor: np.ndarray) -> tuple[float, float, float]:
    """Spearman's rho of frequency and centroid, highest sample in dB, silent share.

    Shape: [samples], 2 x [n] even over the sound
    """
    if not np.isfinite(audio).all():
        return np.nan, np.inf, np.nan
    _, centroid = spectral("centroid", audio, sample_rate)
    frames = len(centroid)
    band, times = (on_frames(curve, len(audio), frames) for curve in (frequency, factor))
    onset = round(ONSET * sample_rate / HOP)
    index = np.arange(frames)
    sounding = index - np.maximum.accumulate(np.where(times > 1, -1, index)) > onset
    reach = round(SMOOTHING * sample_rate / HOP) // 2
    padded = np.pad(centroid, reach, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    known = np.isfinite(windows).any(1) & sounding
    smooth = np.nanmedian(windows[known], 1)
    follows = (
        float(spearmanr(smooth, band[known])[0])
        if known.sum() > 2 and np.ptp(smooth) > 0 and np.ptp(band[known]) > 0
        else np.nan
    )
    level = loudness(audio, sample_rate, hop_length=HOP)[:frames]
    silent = float(np.mean(level[sounding] < SILENT_LUFS)) if sounding.any() else np.nan
    return follows, float(20 * np.log10(np.abs(audio).max() + 1e-9)), silent


def run(material: Material, shorten: float = 1.0) -> list[Row]:
    """Rows of every domain."""

    def measure(name: str) -> list[Row]:
        domain: Domain = material.domain(name)
        rows, peaks, silences = [], [], []
        for label, (settings, seeds, judged) in cases(shorten).items():
            found = []
            for seed in seeds:
                done = feedback(domain, FeedbackSettings(**{**vars(settings), "seed": seed}), figure=False)
                found.append(judge(done.audio, done.sample_rate, done.curves["frequency"], done.curves["feedback"]))
            peaks += [f[1] for f in found]
            silences += [f[2] for f in found]
            if judged:
                mean = float(np.mean([f[0] for f in found]))
                rows.append(row(NAME, name, label, mean, 3, "", f"{LIMIT} or more", lambda value: value >= LIMIT))
        rows.append(row(NAME, name, "peak", max(peaks), 2, " dB", "under 0 dB", lambda value: value < 0))
        most = 100 * float(np.max(silences))
        rows.append(row(NAME, name, "silent", most, 1, " %", "0 %", lambda value: value == 0))
        return rows

    return collect(NAME, material.names, measure)
