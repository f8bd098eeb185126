"""A sound from elsewhere, moved towards what a domain knows.

Matching the first two moments along decorrelated axes is the diagonal case of CORAL (Sun, Feng & Saenko, 2016).
"""

from __future__ import annotations

import numpy as np

from vqsynth.errors import UsageError
from vqsynth.wavae.paths.latent_path import LatentPath

CLIP_STD = 3.0
MOST_STRETCH = 2.0
"""A held note hardly moves: stretched to the corpus's spread, it would be nothing but its own flutter."""
_ACTIVE_DB = 40.0


def heard(path: LatentPath) -> np.ndarray:
    """Frames that are within 40 dB of the loudest. Shape: [frames] bool."""
    return path.loudness > path.loudness.max() - _ACTIVE_DB


def distance(path: LatentPath) -> float:
    """How far a path is from the corpus: root mean square of its heard coordinates in the corpus's std.

    1 is at home.
    """
    return float(np.sqrt(np.mean((path.coordinates[heard(path)] / path.pca.std) ** 2)))


def check_strength(strength: float) -> None:
    """Raise UsageError unless ``strength`` is between 0 and 1."""
    if not 0 <= strength <= 1:
        raise UsageError(
            "give a number from 0 (as it is) to 1 (all the way into the domain)",
            field="strength",
            value=f"{strength:g}",
        )


def match_moments(path: LatentPath, strength: float) -> LatentPath:
    """Move a path's mean and standard deviation along the principal axes towards the corpus's.

    What stands out is clipped.

    Args:
        path: the path.
        strength: 0 leaves the path as it is; 1 gives it mean 0 and the corpus's spread (no more than twice its own).

    Returns:
        The path, its coordinates within 3 std of the corpus where ``strength`` is above 0.

    Raises:
        UsageError: ``strength`` is not between 0 and 1.
    """
    check_strength(strength)
    if strength == 0:
        return path
    coordinates, std = path.coordinates, path.pca.std
    mean, spread = (getattr(coordinates[heard(path)], name)(0) for name in ("mean", "std"))
    stretch = np.minimum(std / np.maximum(spread, 1e-9), MOST_STRETCH)
    moved = (coordinates - mean) * (1 + strength * (stretch - 1)) + (1 - strength) * mean
    return path.with_coordinates(np.clip(moved, -CLIP_STD * std, CLIP_STD * std))
