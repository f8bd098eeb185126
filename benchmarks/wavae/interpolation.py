"""Does an interpolation leave A and reach B evenly?"""

from __future__ import annotations

import dataclasses
from itertools import combinations

import numpy as np
from scipy.stats import spearmanr

from benchmarks.wavae.material import Material
from benchmarks.wavae.rows import Gap, Row, collect, row
from vqsynth.wavae.domain import Domain
from vqsynth.wavae.paths.latent_path import LatentPath
from vqsynth.wavae.paths.mixing import mix, ramp, reconcile
from vqsynth.wavae.training.quality import mel_distance, mel_frames

NAME = "interpolation"
TEXT = """Pairs of held-out recordings, the longer one cut. *Position*: the two paths are mixed at a constant p = 0,
0.1 ... 1 and the log-mel distance of the sound to decoded A and decoded B, frame by frame, is ranked against p
(Spearman's rho, for B with its sign turned); the mean over the pairs and the lowest of them. *Along the path*: the
interpolation z_a (1 - n/N) + z_b n/N in 20 windows, each window's distance to A's and to B's same window, their
share a / (a + b) ranked against time."""

POSITIONS = np.linspace(0, 1, 11)
PAIRS, SHORTEST, LONGEST = 6, 0.4, 4.0
WINDOWS = 20
LIMIT = 0.95


def pairs(material: Material, name: str) -> list[tuple[LatentPath, LatentPath]]:
    """Held-out recordings, two and two, at one length.

    Raises:
        Gap: fewer than two are long enough.
    """
    domain = material.domain(name)
    paths = [r.path for r in material.recordings(name) if r.path.samples > SHORTEST * domain.config.sample_rate]
    if len(paths) < 2:
        raise Gap(f"{len(paths)} held-out recordings longer than {SHORTEST} s are not a pair")
    every = list(combinations(range(len(paths)), 2))
    chosen = np.random.default_rng(3).permutation(len(every))[:PAIRS]
    most = round(LONGEST * domain.config.sample_rate)
    result = []
    for a, b in (every[i] for i in chosen):
        both = reconcile([paths[a], paths[b]], "shortest", domain.model.frames_of)
        frames = domain.model.frames_of(min(most, both[0].samples))
        cut = [
            dataclasses.replace(p, z=p.z[:frames], controls=p.controls[:frames], samples=min(most, p.samples))
            for p in both
        ]
        result.append((cut[0], cut[1]))
    return result


def positions(domain: Domain, a: LatentPath, b: LatentPath) -> tuple[float, float]:
    """Spearman's rho of the position with the distance to A, and with the nearness to B."""
    sounds = [domain.decode(mix([a, b], np.tile([1 - p, p], (len(a), 1)))) for p in POSITIONS]
    to_a, to_b = ([mel_distance(domain.model, sound, end) for sound in sounds] for end in (sounds[0], sounds[-1]))
    return float(spearmanr(POSITIONS, to_a)[0]), -float(spearmanr(POSITIONS, to_b)[0])


def along(domain: Domain, a: LatentPath, b: LatentPath) -> float:
    """Spearman's rho of time with the share of A's distance, over windows of one moving interpolation."""
    share = ramp(len(a))
    mel, mel_a, mel_b = (
        mel_frames(domain.model, domain.decode(path))[0]
        for path in (mix([a, b], np.stack([1 - share, share], -1)), a, b)
    )
    count = min(map(len, (mel, mel_a, mel_b)))
    to_a, to_b = (np.abs(mel[:count] - end[:count]).mean(1) for end in (mel_a, mel_b))
    windows = np.array_split(np.arange(count), min(WINDOWS, count))
    shares = [to_a[w].mean() / max(to_a[w].mean() + to_b[w].mean(), 1e-9) for w in windows]
    return float(spearmanr(np.arange(len(shares)), shares)[0])


def run(material: Material) -> list[Row]:
    """Rows of every domain."""

    def measure(name: str) -> list[Row]:
        domain, chosen = material.domain(name), pairs(material, name)
        found = np.array([positions(domain, a, b) for a, b in chosen])
        rows = [Row(NAME, name, "pairs", len(chosen), str(len(chosen)))]
        for label, values in zip(("from A", "to B"), found.T):
            rows.append(row(NAME, name, f"{label}, mean", values.mean(), 4))
            rows.append(
                row(
                    NAME,
                    name,
                    f"{label}, lowest",
                    values.min(),
                    4,
                    "",
                    f"{LIMIT} or more",
                    lambda value: value >= LIMIT,
                )
            )
        moving = np.array([along(domain, a, b) for a, b in chosen])
        rows.append(
            row(
                NAME,
                name,
                "along the path, mean",
                moving.mean(),
                4,
                "",
                f"{LIMIT} or more",
                lambda value: value >= LIMIT,
            )
        )
        return rows

    return collect(NAME, material.names, measure)
