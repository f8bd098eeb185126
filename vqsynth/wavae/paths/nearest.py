"""A sound from elsewhere, moved frame by frame to the nearest that a domain's recordings have.

Matching moments brings a path to where the corpus is on average; what it means there may still be nothing that any
recording has. Nearest neighbours on latents, averaged with weights that fall with distance, are how retrieval-based
voice conversion lands in a voice (kNN-VC: Baas, van Niekerk & Kamper, 2023). Search: FAISS (Johnson et al., 2019).
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import ndimage

from vqsynth.errors import UsageError
from vqsynth.units.index import UnitIndex
from vqsynth.wavae.paths.latent_path import LatentPath

NEIGHBOURS = 8
SMOOTHING_SECONDS = 0.05
"""Width (half height) of the average over time: frame by frame the neighbours flutter."""
VOICING = 2.0
"""What a difference of 1 in voicing counts, in root mean square distances of the corpus from its mean."""


@dataclasses.dataclass(frozen=True)
class Corpus:
    """Latents of a domain's recordings.

    Shape:
        latents: [n, latent_dim]; voicing: [n] 0..1
    """

    latents: np.ndarray
    voicing: np.ndarray


def check_strength(strength: float) -> None:
    """Raise UsageError unless ``strength`` is between 0 and 1."""
    if not 0 <= strength <= 1:
        raise UsageError(
            "give a number from 0 (as it is) to 1 (all the way into the domain)",
            field="strength",
            value=f"{strength:g}",
        )


def approach(path: LatentPath, corpus: Corpus, strength: float, neighbours: int = NEIGHBOURS) -> LatentPath:
    """Move every frame towards the mean of its nearest latents in the corpus.

    Distances are those of the latents, whose unit is what the decoder can tell apart; a frame with a pitch of its own
    looks for others that have one. Weights fall with the squared distance, by 1 / e at the mean of the neighbours'.

    Args:
        path: of any sound, best after its moments were matched.
        corpus: of the domain.
        strength: 0 leaves the path as it is, 1 goes all the way.
        neighbours: latents that are averaged.

    Raises:
        UsageError: ``strength`` is not between 0 and 1.
    """
    check_strength(strength)
    if strength == 0 or not len(corpus.latents):
        return path
    latents = corpus.latents.astype(np.float32)
    rows, queries = latents, path.z
    if path.pitched:
        price = VOICING * float(np.sqrt(np.square(latents - latents.mean(0)).sum(1).mean()))
        rows = np.column_stack([latents, price * corpus.voicing])
        queries = np.column_stack([path.z, price * path.voicing])
    distance, ids = UnitIndex.build(rows, "exact").search(queries, neighbours)
    square = distance.astype(np.float64) ** 2
    logits = -square / np.maximum(square.mean(1, keepdims=True), 1e-12)
    weights = np.exp(logits - logits.max(1, keepdims=True))
    weights /= weights.sum(1, keepdims=True)
    target = sum(weights[:, i, None] * latents[ids[:, i]] for i in range(ids.shape[1]))
    width = SMOOTHING_SECONDS / 2.355 * path.rate
    target = ndimage.gaussian_filter1d(target, width, axis=0, mode="nearest")
    return dataclasses.replace(path, z=(path.z + strength * (target - path.z)).astype(np.float32))
