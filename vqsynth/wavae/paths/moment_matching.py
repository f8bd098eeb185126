"""A sound from elsewhere, moved towards what a domain knows.

Matching the first two moments along decorrelated axes is the diagonal case of CORAL (Sun, Feng & Saenko, 2016).
"""

from __future__ import annotations

import numpy as np

from vqsynth.wavae.paths.latent_path import LatentPath
from vqsynth.wavae.paths.nearest import Corpus, check_strength

CLIP_STD = 3.0
MOST_STRETCH = 2.0
"""A held note hardly moves: stretched to the corpus's spread, it would be nothing but its own flutter."""
_ACTIVE_DB = 40.0
_ENOUGH = 60
"""Latents of the corpus, and heard frames, from which a kind of frames has moments of its own."""


def heard(path: LatentPath) -> np.ndarray:
    """Frames that are within 40 dB of the loudest. Shape: [frames] bool."""
    return path.loudness > path.loudness.max() - _ACTIVE_DB


def distance(path: LatentPath) -> float:
    """How far a path is from the corpus: root mean square of its heard coordinates in the corpus's std.

    1 is at home.
    """
    return float(np.sqrt(np.mean((path.coordinates[heard(path)] / path.pca.std) ** 2)))


def match_moments(path: LatentPath, strength: float, corpus: Corpus | None = None) -> LatentPath:
    """Move a path's mean and standard deviation along the principal axes towards the corpus's.

    What stands out is clipped. Frames with a pitch of their own and frames without are matched to those of their kind:
    the mean of a singer's vowels and breath is neither.

    Args:
        path: the path.
        strength: 0 leaves the path as it is; 1 gives it the corpus's mean and spread (no more than twice its own).
        corpus: latents of the domain; without them, or of a kind that they or the path hardly have, all frames are
            matched to the mean 0 and the spread of the axes.

    Returns:
        The path, its coordinates within 3 std of the corpus's mean where ``strength`` is above 0.

    Raises:
        UsageError: ``strength`` is not between 0 and 1.
    """
    check_strength(strength)
    if strength == 0:
        return path
    coordinates, std, sounding = path.coordinates, path.pca.std, heard(path)
    moved = _towards(coordinates, sounding, np.zeros_like(std), std, strength)
    if corpus is not None and path.pitched:
        told = path.pca.coordinates(corpus.latents)

        def of_kind(here: np.ndarray, there: np.ndarray) -> np.ndarray:
            if min(here.sum(), there.sum()) < _ENOUGH:
                return moved
            return _towards(coordinates, here, told[there].mean(0), told[there].std(0), strength)

        voiced, share = path.voicing > 0.5, path.voicing[:, None]
        sung = of_kind(sounding & voiced, corpus.voicing > 0.5)
        free = of_kind(sounding & ~voiced, corpus.voicing <= 0.5)
        moved = share * sung + (1 - share) * free
    return path.with_coordinates(np.clip(moved, -CLIP_STD * std, CLIP_STD * std))


def _towards(
    coordinates: np.ndarray, sounding: np.ndarray, mean: np.ndarray, std: np.ndarray, strength: float
) -> np.ndarray:
    """Coordinates moved so that their ``sounding`` frames come to a mean and spread. Shape: [frames, n] -> the same."""
    own, spread = coordinates[sounding].mean(0), coordinates[sounding].std(0)
    stretch = np.minimum(std / np.maximum(spread, 1e-9), MOST_STRETCH)
    goal = own + strength * (mean - own)
    return (coordinates - own) * (1 + strength * (stretch - 1)) + goal
