"""Principal axes of a corpus's latents: the dimensions that a user sees."""

from __future__ import annotations

import dataclasses

import numpy as np

LEAST_STD = 1e-4
"""Of an axis along which nothing moves: coordinates are told in it."""


@dataclasses.dataclass(frozen=True)
class Pca:
    """Decorrelated coordinates of the latent space, sorted by variance.

    Shape:
        mean: [latent_dim] of the latents; components: [latent_dim, latent_dim], a row an axis (orthonormal);
        std: [latent_dim] of the coordinates over the corpus (their mean is 0)
    """

    mean: np.ndarray
    components: np.ndarray
    std: np.ndarray

    def coordinates(self, z: np.ndarray) -> np.ndarray:
        """Shape: [frames, latent_dim] latents -> [frames, latent_dim] coordinates."""
        return (z - self.mean) @ self.components.T

    def latents(self, coordinates: np.ndarray) -> np.ndarray:
        """Inverse of :meth:`coordinates`."""
        return coordinates @ self.components + self.mean


def fit(z: np.ndarray) -> Pca:
    """Fit to latents. Shape: [frames, latent_dim], more frames than dimensions.

    The sign of an axis is chosen so that its largest component is positive: training twice gives one result.
    """
    mean = z.mean(0)
    _, singular, axes = np.linalg.svd((z - mean).astype(np.float64), full_matrices=False)
    largest = np.abs(axes).argmax(1)
    axes = axes * np.sign(axes[np.arange(len(axes)), largest])[:, None]
    std = np.maximum(singular / np.sqrt(len(z)), LEAST_STD)
    return Pca(mean.astype(np.float32), axes.astype(np.float32), std.astype(np.float32))
