"""The usual colour of a timbre: how bright its recordings are at a pitch, and how much brighter when louder.

Sampled notes differ in colour as no player's notes in a melody do. Where nobody asks for a colour, notes are chosen
near the usual one and brought most of the way to it.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from vqsynth.render.played.material import Material

BRIGHTER = 0.03
"""Octaves of centroid a dB, where the recordings do not say."""
PULL = 0.7
"""Share of the way to the usual colour that a note is brought."""
FARTHEST = 0.4
"""Octaves by which a colour is moved at most."""
_SLOPES = 0.02, 0.035
_DEGREE = 2


@dataclasses.dataclass(frozen=True)
class Colour:
    """Centroid in octaves as a parabola over pitch, and its slope over level.

    Attributes:
        terms: coefficients of the parabola, of pitches around ``middle``.
        middle: in octaves above 1 Hz.
        span: octaves around the middle within which the parabola holds.
        slope: octaves a dB.
    """

    terms: np.ndarray
    middle: float
    span: float
    slope: float

    def at(self, pitch: np.ndarray) -> np.ndarray:
        """Usual centroid in octaves at the usual level. Shape: pitch (octaves) [n] -> [n]."""
        return np.polyval(self.terms, np.clip(pitch - self.middle, -self.span, self.span))


def usual_colour(material: Material) -> Colour | None:
    """Fit the usual colour to the notes of the recordings, or None where they have no pitch.

    Args:
        material: with a centroid.
    """
    notes, centroid = material.notes, material.means["centroid"]
    at = (notes.sustain + notes.release) // 2
    known = np.isfinite(notes.pitch) & np.isfinite(centroid[at])
    if known.sum() < 4:
        return None
    pitch, bright, level = notes.pitch[known], centroid[at][known], notes.level[known]
    middle = float(np.median(pitch))
    span = max(float(np.max(np.abs(pitch - middle))), 0.1)
    degree = _DEGREE if known.sum() >= 8 and span > 0.5 else 0
    columns = np.stack([*((pitch - middle) ** k for k in range(degree, -1, -1)), level - np.median(level)], 1)
    weights = np.ones(len(pitch))
    for _ in range(8):
        # Least absolute deviations by reweighting: a note of odd colour does not bend the law.
        root = np.sqrt(weights)[:, None]
        terms = np.linalg.lstsq(
            np.vstack([columns * root, 0.3 * np.eye(columns.shape[1])[-1:]]),
            np.append(bright * root[:, 0], 0.3 * BRIGHTER),
            rcond=None,
        )[0]
        weights = 1 / np.maximum(np.abs(bright - columns @ terms), 0.05)
    return Colour(terms[:-1], middle, span, float(np.clip(terms[-1], *_SLOPES)))
