"""Is loudness out of the latent, and does the sound follow a drawn one?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from benchmarks.wavae.material import Material
from benchmarks.wavae.rows import Gap, Row, collect, row
from vqsynth.dsp.loudness import loudness
from vqsynth.wavae.domain import Domain
from vqsynth.wavae.paths.latent_path import LatentPath

NAME = "loudness"
TEXT = """R2: a fresh regressor (two hidden layers of 128, standardised latents) learns to predict a frame's loudness
from its latent. *Across recordings*: five-fold cross-validation over training and held-out recordings, no recording
in two folds; *held out*: learnt from the training recordings, tested on the others. Frames within 40 dB of their
recording's loudest count. *Adversary off*: the same across recordings, for the same model trained without it.
*Drawn*: held-out paths, joined to pieces of 8 s, are decoded under drawn curves (a sine of 4 s, a ramp up, a ramp
down; 30 dB to the working level) and the sound is measured with the project's loudness: lowest Pearson r, and the
median distance in dB."""

ACTIVE_DB, RANGE_DB = 40.0, 30.0
FOLDS, MOST_FRAMES = 5, 20_000
PIECE_SECONDS, PIECES = 8.0, 3
CURVES = {
    "sine": lambda seconds: 0.5 - 0.5 * np.cos(2 * np.pi * seconds / 4.0),
    "up": lambda seconds: seconds / seconds[-1],
    "down": lambda seconds: 1 - seconds / seconds[-1],
}
"""Shares of the range over time."""
LIMIT_R2, LIMIT_R = 0.1, 0.97


def predict(z: np.ndarray, levels: np.ndarray, test: np.ndarray, seed: int = 0, epochs: int = 30) -> np.ndarray:
    """Loudness of ``test`` latents as a fresh regressor predicts it.

    The learning stops where a tenth of the training frames, kept aside, is predicted best.
    Shape: z [frames, dim], levels [frames] dB, test [n, dim] -> [n] dB
    """
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    mean, std = z.mean(0), z.std(0) + 1e-6
    x, unseen = (torch.from_numpy(((values - mean) / std).astype(np.float32)) for values in (z, test))
    y = torch.from_numpy(((levels - levels.mean()) / (levels.std() + 1e-6)).astype(np.float32))[:, None]
    order = torch.randperm(len(x), generator=generator)
    kept, used = order[: len(x) // 10], order[len(x) // 10 :]
    dim = x.shape[1]
    network = torch.nn.Sequential(
        torch.nn.Linear(dim, 128), torch.nn.GELU(), torch.nn.Linear(128, 128), torch.nn.GELU(), torch.nn.Linear(128, 1)
    )
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=1e-3)
    best, answer = np.inf, torch.zeros(len(unseen), 1)
    for _ in range(epochs):
        for rows in used[torch.randperm(len(used), generator=generator)].split(256):
            optimizer.zero_grad()
            (network(x[rows]) - y[rows]).square().mean().backward()
            optimizer.step()
        with torch.no_grad():
            error = float((network(x[kept]) - y[kept]).square().mean())
            if error < best:
                best, answer = error, network(unseen)
    return answer[:, 0].numpy() * (levels.std() + 1e-6) + levels.mean()


def r2(levels: np.ndarray, predicted: np.ndarray) -> float:
    """Share of the variance that is predicted; below 0 where the mean would do better."""
    return float(1 - np.square(levels - predicted).sum() / np.square(levels - levels.mean()).sum())


def active(path: LatentPath) -> tuple[np.ndarray, np.ndarray]:
    """Latents and loudness of the frames that count. Shape: [n, dim], [n] dB."""
    heard = path.loudness > path.loudness.max() - ACTIVE_DB
    return path.z[heard], path.loudness[heard]


def across(parts: Sequence[tuple[np.ndarray, np.ndarray]], seed: int = 0) -> float:
    """R2 by cross-validation over recordings. ``parts``: latents and loudness of each recording."""
    random = np.random.default_rng(seed)
    z, levels = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    folds = min(FOLDS, len(parts))
    if folds < 2:
        raise Gap("one recording is not enough to predict another's loudness")
    # Large recordings first, each to the fold that holds least: folds of about one size.
    fold, sizes = np.zeros(len(parts), int), np.zeros(folds)
    for index in sorted(random.permutation(len(parts)), key=lambda i: -len(parts[i][1])):
        fold[index] = sizes.argmin()
        sizes[fold[index]] += len(parts[index][1])
    group = np.concatenate([np.full(len(part[1]), f) for part, f in zip(parts, fold)])
    keep = np.sort(random.choice(len(z), min(len(z), MOST_FRAMES), replace=False))
    z, levels, group = z[keep], levels[keep], group[keep]
    predicted = np.zeros(len(levels))
    for number in range(folds):
        inside = group != number
        if (~inside).any():
            predicted[~inside] = predict(z[inside], levels[inside], z[~inside], seed)
    return r2(levels, predicted)


def joined(paths: Sequence[LatentPath], frames: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Latents and controls of recordings one after the other, in pieces of ``frames``. Shape: each [frames, n]."""
    z, controls = (np.concatenate([getattr(path, part) for path in paths]) for part in ("z", "controls"))
    z, controls = (np.concatenate([part] * -(-frames // len(part))) for part in (z, controls))
    pieces = [slice(i * frames, (i + 1) * frames) for i in range(min(PIECES, len(z) // frames))]
    return [(z[piece], controls[piece]) for piece in pieces]


def follow(domain: Domain, z: np.ndarray, controls: np.ndarray, share: np.ndarray) -> tuple[float, float]:
    """Pearson's r and median distance in dB of a drawn loudness and the sound's.

    Shape: z [frames, dim], controls [frames, n_controls], share [frames] 0..1
    """
    drawn = domain.level - RANGE_DB * (1 - share)
    config = domain.config
    sound = domain.model.decode(z, np.column_stack([drawn, controls[:, 1:]]))
    measured = loudness(sound, config.sample_rate, config.n_fft, config.latent_hop)
    count = min(len(measured), len(drawn))
    inner = slice(2, count - 2)  # frames at the ends lie half outside of the sound
    return float(np.corrcoef(measured[inner], drawn[inner])[0, 1]), float(
        np.median(np.abs(measured[inner] - drawn[inner]))
    )


def run(material: Material) -> list[Row]:
    """Rows of every domain."""

    def parts(name: str, held_out: bool, domain: Domain) -> list[tuple[np.ndarray, np.ndarray]]:
        limit = material.limit if held_out else 4 * material.limit
        return [active(recording.path) for recording in material.recordings(name, held_out, limit, domain)]

    def measure(name: str) -> list[Row]:
        domain = material.domain(name)
        seen, unseen = (parts(name, held_out, domain) for held_out in (False, True))
        print(f"{name}: {len(seen)} training recordings, {len(unseen)} held out", flush=True)
        random = np.random.default_rng(0)
        z, levels = (np.concatenate([part[i] for part in seen]) for i in (0, 1))
        pick = random.choice(len(z), min(len(z), MOST_FRAMES), replace=False)
        test, wanted = (np.concatenate([part[i] for part in unseen]) for i in (0, 1))
        held_out = r2(wanted, predict(z[pick], levels[pick], test))
        rows = [
            row(NAME, name, label, value, 3, "", f"under {LIMIT_R2}", lambda value: value < LIMIT_R2)
            for label, value in (("R2, across recordings", across(seen + unseen)), ("R2, held out", held_out))
        ]
        gaps = []
        if name in material.adversary_off:
            try:
                other = material.domain(material.adversary_off[name])
                rows.append(
                    row(
                        NAME, name, "R2, adversary off", across(parts(name, False, other) + parts(name, True, other)), 3
                    )
                )
            except Gap as gap:
                gaps.append(Row(NAME, name, "", text=str(gap)))
        frames = round(PIECE_SECONDS * domain.config.rate)
        seconds = np.arange(frames) / domain.config.rate
        paths = [recording.path for recording in material.recordings(name)]
        followed = [
            follow(domain, *piece, curve(seconds)) for piece in joined(paths, frames) for curve in CURVES.values()
        ]
        rows.append(
            row(
                NAME,
                name,
                "drawn, r",
                min(r for r, _ in followed),
                4,
                "",
                f"{LIMIT_R} or more",
                lambda value: value >= LIMIT_R,
            )
        )
        rows.append(row(NAME, name, "drawn, distance", float(np.median([d for _, d in followed])), 2, " dB"))
        return rows + gaps

    return collect(NAME, material.names, measure)
