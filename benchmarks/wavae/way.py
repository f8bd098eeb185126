"""Is an interpolation a way, or a switch?"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d, uniform_filter1d

from benchmarks.tracking.measure import pitch
from benchmarks.wavae.interpolation import pairs
from benchmarks.wavae.material import Material
from benchmarks.wavae.rows import Row, collect, row
from vqsynth.wavae.domain import Domain
from vqsynth.wavae.paths.latent_path import LatentPath
from vqsynth.wavae.paths.mixing import mix, ramp, reconcile
from vqsynth.wavae.training.quality import mel_frames

NAME = "way"
TEXT = """Pairs of held-out recordings as above, interpolated over 5 s. The way is p = dA / (dA + dB), from the log-mel
distances of every frame to the medians over the frames of decoded A and of decoded B, smoothed over 0.2 s and
scaled to run from 0 to 1; its largest step within 0.23 s (a straight line: 5 %), the mean over pairs and the
largest, and beside it a plain crossfade's. *Glide*: pairs of voiced recordings; the pitch of the sound by Praat
against the straight line in log frequency that the path asks for, median and 95th percentile in cents over the
inner nine tenths."""

SECONDS, SMOOTH, STEP = 5.0, 0.2, 0.23
GOAL, GOAL_CENTS = 0.15, 20.0


def progress(mel: np.ndarray, ends: tuple[np.ndarray, np.ndarray], rate: float) -> np.ndarray:
    """The way of mel frames from one end's to the other's. Shape: [frames, n], 2 x [n] -> [frames]."""
    to_a, to_b = (np.abs(mel - end).mean(1) for end in ends)
    share = to_a / np.maximum(to_a + to_b, 1e-9)
    return uniform_filter1d(share, max(1, round(SMOOTH * rate)), mode="nearest")


def largest_step(way: np.ndarray, rate: float) -> float:
    """Largest change within 0.23 s, as a share of the range. Shape: [frames]."""
    apart = max(1, round(STEP * rate))
    return float(np.abs(way[apart:] - way[:-apart]).max() / max(np.ptp(way), 1e-6))


def walk(domain: Domain, a: LatentPath, b: LatentPath) -> tuple[float, float, np.ndarray]:
    """Largest step of the interpolation and of a crossfade; distance of the pitch from the line in cents [n]."""
    config = domain.config
    both = reconcile([a, b], str(SECONDS), domain.model.frames_of)
    share = ramp(len(both[0]))
    path = mix(both, np.stack([1 - share, share], -1))
    sounds = [domain.decode(part) for part in (*both, path)]
    length = min(map(len, sounds))
    fade = np.linspace(0, 1, length)
    sounds.append(((1 - fade) * sounds[0][:length] + fade * sounds[1][:length]).astype(np.float32))
    rate = config.sample_rate / config.hop_length
    mels = [mel_frames(domain.model, sound)[0] for sound in sounds]
    ends = np.median(mels[0], 0), np.median(mels[1], 0)
    steps = [largest_step(progress(mel, ends, rate), rate) for mel in mels[2:]]
    cents = np.zeros(0)
    if min(part.voicing.mean() for part in both) > 0.8:
        asked = gaussian_filter1d(np.log2(path.pitch), 1)
        low, high = 2 ** asked.min(), 2 ** asked.max()
        times, hz = pitch(sounds[2], config.sample_rate, low / 1.2, high * 1.2)
        inner = np.isfinite(hz) & (times > 0.05 * SECONDS) & (times < 0.95 * SECONDS)
        cents = np.abs(1200 * (np.log2(hz[inner]) - np.interp(times[inner], path.times, asked)))
    return steps[0], steps[1], cents


def run(material: Material) -> list[Row]:
    """Rows of every domain."""

    def measure(name: str) -> list[Row]:
        domain, chosen = material.domain(name), pairs(material, name)
        walked = [walk(domain, a, b) for a, b in chosen]
        steps, fades = (np.array([w[i] for w in walked]) for i in (0, 1))
        rows = [
            Row(NAME, name, "pairs", len(chosen), str(len(chosen))),
            row(NAME, name, "step, mean", 100 * steps.mean(), 0, " %"),
            row(NAME, name, "step, largest", 100 * steps.max(), 0, " %", "15 % or less", lambda v: v <= 100 * GOAL),
            row(NAME, name, "crossfade, mean", 100 * fades.mean(), 0, " %"),
        ]
        cents = np.concatenate([w[2] for w in walked])
        if len(cents):
            rows.append(row(NAME, name, "glide, median", np.median(cents), 1, " c"))
            rows.append(
                row(
                    NAME,
                    name,
                    "glide, 95 %",
                    np.percentile(cents, 95),
                    1,
                    " c",
                    "20 c or less",
                    lambda v: v <= GOAL_CENTS,
                )
            )
        return rows

    return collect(NAME, material.names, measure)
