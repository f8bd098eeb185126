"""Is an interpolation a way, or a switch?"""

from __future__ import annotations

import dataclasses
from itertools import combinations

import numpy as np
from scipy.ndimage import gaussian_filter1d, uniform_filter1d

from benchmarks.tracking.measure import pitch
from benchmarks.wavae.material import Material
from benchmarks.wavae.rows import Gap, Row, collect, row
from vqsynth.wavae.domain import Domain
from vqsynth.wavae.paths.latent_path import LatentPath
from vqsynth.wavae.paths.mixing import mix, ramp, reconcile
from vqsynth.wavae.training.quality import mel_frames

NAME = "way"
TEXT = """Held-out recordings, of each the second that changes least and is at most 10 dB below its loudest, and of the
pairs of the steadiest 16 the eight that lie farthest apart for how much they move by themselves (what moves by itself
is no way), drawn out to 5 s and interpolated over it. The way is p = dA / (dA + dB), from the log-mel distances of
every frame to the medians over the frames of decoded A and of decoded B, smoothed over 0.2 s and scaled to run from 0
to 1 (levels end 60 dB below a frame's loudest band); its largest step within 0.23 s (a straight line: 5 %), the mean
over pairs and the largest, and beside it a plain crossfade's. *Glide*: pairs of voiced recordings; the pitch of the
sound by Praat against the straight line in log frequency that the path asks for, median and 95th percentile in cents
over the inner nine tenths. *Drawn out*: how much more the log-mel bands of a drawn-out stretch move (standard deviation
over its inner nine tenths, mean over bands) than those of the same stretch as it is: latents that jump from frame to
frame flutter."""

SECONDS, SMOOTH, STEP = 5.0, 0.2, 0.23
STEADY, NEAR_DB, CHOSEN, PAIRS = 1.0, 10.0, 16, 8
FLOOR_DB = 60.0
GOAL, GOAL_CENTS, DRAWN_OUT = 0.15, 20.0, 1.5


@dataclasses.dataclass
class Stretch:
    """A stretch of a sound. middle: median of its log-mel frames [n]; change: mean distance from it, dB."""

    path: LatentPath
    middle: np.ndarray
    change: float


def heard(domain: Domain, sound: np.ndarray) -> np.ndarray:
    """Log-mel frames in dB, nothing lower than 60 dB below a frame's loudest band. Shape: [samples] -> [frames, n]."""
    mel = mel_frames(domain.model, sound)[0]
    return np.maximum(mel, mel.max(1, keepdims=True) - FLOOR_DB)


def steady(domain: Domain, path: LatentPath) -> Stretch:
    """The second of a sound that changes least, of those that are loud; all of a shorter one."""
    config = domain.config
    count = domain.model.frames_of(round(STEADY * config.sample_rate))
    starts = np.arange(0, max(1, len(path) - count), 4)
    loud = np.array([path.loudness[i : i + count].min() for i in starts])
    starts = starts[loud >= min(path.loudness.max() - NEAR_DB, loud.max())]
    mel, hops = heard(domain, domain.decode(path)), config.latent_hop // config.hop_length
    found = []
    for start in starts:
        frames = mel[start * hops : (start + count) * hops]
        middle = np.median(frames, 0)
        part = slice(start, start + count)
        z, controls = path.z[part], path.controls[part]
        samples = min(path.samples, domain.model.samples_of(len(z)))
        cut = dataclasses.replace(path, z=z, controls=controls, samples=samples)
        found.append(Stretch(cut, middle, float(np.abs(frames - middle).mean())))
    return min(found, key=lambda stretch: stretch.change)


def pairs(material: Material, name: str) -> list[tuple[LatentPath, LatentPath]]:
    """Steady stretches of held-out recordings, two and two.

    Raises:
        Gap: fewer than two are long enough.
    """
    domain = material.domain(name)
    paths = [r.path for r in material.recordings(name) if r.path.samples > 0.6 * domain.config.sample_rate]
    if len(paths) < 2:
        raise Gap(f"{len(paths)} held-out recordings longer than 0.6 s are not a pair")
    found = sorted((steady(domain, path) for path in paths), key=lambda stretch: stretch.change)[:CHOSEN]

    def apart(pair: tuple[Stretch, Stretch]) -> float:
        a, b = pair
        return float(np.abs(a.middle - b.middle).mean() / (a.change + b.change))

    return [(a.path, b.path) for a, b in sorted(combinations(found, 2), key=apart)[-PAIRS:]]


def progress(mel: np.ndarray, ends: tuple[np.ndarray, np.ndarray], rate: float) -> np.ndarray:
    """The way of mel frames from one end's to the other's. Shape: [frames, n], 2 x [n] -> [frames]."""
    to_a, to_b = (np.abs(mel - end).mean(1) for end in ends)
    share = to_a / np.maximum(to_a + to_b, 1e-9)
    return uniform_filter1d(share, max(1, round(SMOOTH * rate)), mode="nearest")


def largest_step(way: np.ndarray, rate: float) -> float:
    """Largest change within 0.23 s, as a share of the range. Shape: [frames]."""
    apart = max(1, round(STEP * rate))
    return float(np.abs(way[apart:] - way[:-apart]).max() / max(np.ptp(way), 1e-6))


def movement(domain: Domain, path: LatentPath) -> float:
    """Standard deviation of the decoded log-mel bands over time, dB."""
    mel = heard(domain, domain.decode(path))
    edge = len(mel) // 20
    return float(mel[edge : len(mel) - edge].std(0).mean())


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
    mels = [heard(domain, sound) for sound in sounds]
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
        alone = {id(path): path for pair in chosen for path in pair}.values()
        length = domain.model.frames_of
        moved = [movement(domain, reconcile([a], str(SECONDS), length)[0]) / movement(domain, a) for a in alone]
        rows.append(row(NAME, name, "drawn out", np.median(moved), 2, "", "1.5 or less", lambda v: v <= DRAWN_OUT))
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
