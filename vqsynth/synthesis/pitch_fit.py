"""Bring a melody into a timbre's pitch range, and find codes that can sing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vqsynth.synthesis.match import PathSettings, jump_costs, path

if TYPE_CHECKING:
    from vqsynth.codebook.folder import Timbre

_LEAP = 4.0  # semitones between frames that are two notes, not one
_TOLERANCE = 0.4  # semitones by which a code may miss its pitch at a cost of 1; bending does the rest
_LATENT_WEIGHT = 4.0  # cost of being twice as far as the nearest code


def reachable_f0(timbre: Timbre) -> tuple[float, float] | None:
    """Lowest and highest pitch in Hz that a timbre's codes sing, or None if they have none."""
    if "f0" not in timbre.table.names or not np.isfinite(timbre.table.column("f0")).any():
        return None
    low, high = timbre.table.percentile("f0", np.array([1.0, 99.0]))
    return float(low), float(high)


def best_octave(f0: np.ndarray, low: float, high: float) -> int:
    """Octaves by which the whole melody moves so that most of it lies in ``low`` to ``high`` Hz.

    Shape: f0 [frames] Hz, 0 where unvoiced. Of equally good moves the smallest is taken.
    """
    pitch = np.log2(f0[f0 > 0])
    if not len(pitch):
        return 0
    half = 1 / 24  # a quarter tone beyond the range is as good as within
    moves = sorted(range(-6, 7), key=lambda k: (abs(k), k))
    inside = [np.mean((pitch + k >= np.log2(low) - half) & (pitch + k <= np.log2(high) + half)) for k in moves]
    if max(inside) > 0:
        return moves[int(np.argmax(inside))]
    return int(np.round(np.log2(np.sqrt(low * high)) - np.median(pitch)))


def fit_octaves(f0: np.ndarray, low: float, high: float, octaves: int | None = None) -> tuple[np.ndarray, int]:
    """Move a melody by octaves into ``low`` to ``high`` Hz.

    The whole moves by one number of octaves, so intervals stay; only notes that are still outside move
    further, each note as one.

    Args:
        f0: [frames] Hz, 0 where unvoiced.
        octaves: move by this many and leave outliers alone; None finds the best move.

    Returns:
        ([frames] Hz, octaves moved)
    """
    whole = best_octave(f0, low, high) if octaves is None else octaves
    moved = f0 * 2.0**whole
    if octaves is not None:
        return moved.astype(np.float32), whole
    for start, stop in _notes(moved):
        pitch = float(np.log2(np.median(moved[start:stop])))
        further = 0
        if pitch < np.log2(low) - 1 / 12:
            further = int(np.ceil(np.log2(low) - 1 / 12 - pitch))
        elif pitch > np.log2(high) + 1 / 12:
            further = -int(np.ceil(pitch - np.log2(high) - 1 / 12))
        moved[start:stop] *= 2.0**further
    return moved.astype(np.float32), whole


def _notes(f0: np.ndarray) -> list[tuple[int, int]]:
    """Runs of voiced frames without a leap, as (start, stop)."""
    voiced = f0 > 0
    log_f0 = 12 * np.log2(np.maximum(f0, 1.0))
    joined = voiced[1:] & voiced[:-1] & (np.abs(np.diff(log_f0)) < _LEAP)
    starts = np.flatnonzero(voiced & ~np.concatenate([[False], joined]))
    stops = np.flatnonzero(voiced & ~np.concatenate([joined, [False]])) + 1
    return list(zip(starts.tolist(), stops.tolist()))


def bridge(f0: np.ndarray, frames: int) -> np.ndarray:
    """Fill gaps of up to ``frames`` between voiced frames with a straight line in octaves, so that a
    consonant does not make the pitch leap. Shape: [frames] Hz -> [frames] Hz."""
    voiced = np.flatnonzero(f0 > 0)
    filled = f0.astype(np.float32)
    log_f0 = np.log2(f0[voiced])
    for left, right, low, high in zip(voiced[:-1], voiced[1:], log_f0[:-1], log_f0[1:]):
        if 1 < right - left <= frames + 1:
            filled[left:right] = np.exp2(np.linspace(low, high, right - left, endpoint=False))
    return filled


class PitchedCosts:
    """Cost of every code in every frame: its distance in latent space, and from the wanted pitch.

    Distances are in units of the mean distance of a frame to its nearest code, so that a sound unlike
    anything the encoder has heard is judged by the same measure.

    Shape:
        latents [frames, dim]; codebook [codes, dim]; code_f0 [codes] Hz, NaN without pitch; f0 [frames] Hz,
        0 where unvoiced: those frames go by the latent alone
    """

    def __init__(self, latents: np.ndarray, codebook: np.ndarray, code_f0: np.ndarray, f0: np.ndarray) -> None:
        self.latents, self.codebook = latents, codebook
        self.code_pitch = np.where(np.isfinite(code_f0), 12 * np.log2(np.where(code_f0 > 0, code_f0, 1.0)), np.nan).astype(np.float32)
        self.pitch = np.where(f0 > 0, 12 * np.log2(np.maximum(f0, 1.0)), np.nan).astype(np.float32)
        sample = slice(None, None, max(1, len(latents) // 4096))
        nearest = ((latents[sample] ** 2).sum(1) + self._distance(sample).min(1)).mean()
        self.unit = max(float(nearest), 0.1 * float(codebook.var(0).sum()), 1e-9) / _LATENT_WEIGHT

    def _distance(self, frames: slice) -> np.ndarray:
        return (self.codebook**2).sum(1) - 2 * self.latents[frames] @ self.codebook.T

    def __call__(self, start: int, stop: int) -> np.ndarray:
        """Costs of frames ``start`` to ``stop``: float32 [frames, codes]."""
        distance = self._distance(slice(start, stop))
        cost = (distance - distance.min(1, keepdims=True)) / self.unit
        off = ((self.pitch[start:stop, None] - self.code_pitch) / _TOLERANCE) ** 2
        # A code without pitch is worse than any wrong note, but only where a note is wanted.
        wanted = np.isfinite(self.pitch[start:stop, None])
        cost += np.where(wanted, np.nan_to_num(off, nan=1e4), 0.0)
        return cost.astype(np.float32)


def codes_at_pitch(latents: np.ndarray, f0: np.ndarray, timbre: Timbre) -> np.ndarray:
    """The smoothest sequence of codes that are near the sound and near its pitch.

    Shape: latents [frames, dim], f0 [frames] Hz, 0 where unvoiced -> [frames] int64
    """
    codebook = timbre.model.codebook.numpy()
    costs = PitchedCosts(latents, codebook, timbre.table.column("f0"), f0)
    settings = PathSettings(jump=1.0)
    jumps = jump_costs(codebook, timbre.card.get("quality", {}).get("roughness_real"), timbre.transitions, settings)
    return path(costs, len(latents), jumps, settings)
