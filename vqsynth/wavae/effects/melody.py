"""What a transferred sound sings: its own melody where a domain has its pitches, or a drawn one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vqsynth.control.melody import fit_octaves
from vqsynth.wavae.paths.latent_path import HIGHEST_HZ, LOWEST_HZ, LatentPath
from vqsynth.wavae.paths.operator_line import apply

if TYPE_CHECKING:
    from vqsynth.wavae.domain import Domain

_HEARD = 0.5
"""Voicing from which a frame belongs to the melody."""


def fit_melody(path: LatentPath, domain: Domain, octaves: int | None = None) -> tuple[LatentPath, int]:
    """A path with its pitch moved by octaves to where the domain's recordings have theirs, and the octaves.

    Args:
        path: with pitch and voicing among its controls.
        domain: the model.
        octaves: move by this many instead of the best.
    """
    heard, hz, reach = path.voicing >= _HEARD, path.pitch.astype(np.float64), domain.pitch_range
    if reach is None:
        return path, 0
    moved, whole = fit_octaves(np.where(heard, hz, 0.0), *reach, octaves)
    # A pitch that is carried on moves with the note that it comes from.
    newest = np.maximum.accumulate(np.where(heard, np.arange(len(hz)), -1))
    factor = np.where(newest < 0, 2.0**whole, moved[newest] / hz[newest])
    return path.with_control("pitch", np.clip(hz * factor, LOWEST_HZ, HIGHEST_HZ)), whole


def draw_melody(path: LatentPath, curve: str, octaves: int = 0) -> LatentPath:
    """Give a sound another melody.

    Args:
        path: of the sound.
        curve: as for :func:`vqsynth.wavae.paths.operators.with_pitch`.
        octaves: that it is moved by.

    Raises:
        UsageError: a curve that cannot be used.
    """
    return apply(path, [("pitch", curve), ("transpose", str(12 * octaves))])
