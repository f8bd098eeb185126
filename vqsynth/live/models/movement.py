"""A player's own movement around what is asked for, taken from the recordings as they were played."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vqsynth.render.played.material import prepare_material

if TYPE_CHECKING:
    from vqsynth.units.store import Units

NAMES = ("f0", "loudness", "centroid")
"""Octaves, dB, octaves."""
_LIMITS = np.array([0.1, 6.0, 0.4])
_SHORTEST_SECONDS, _FADE_SECONDS = 0.4, 0.1
_NEAR = 4
"""A run is one of so many whose pitch is nearest."""


class Movement:
    """What notes of the recordings do around their half-second means, one run after the other.

    Args:
        units: of a timbre.
        frame_rate: of its units.
        step: units that go by with every value that is taken.
        seed: of the choice of runs.
    """

    def __init__(self, units: Units, frame_rate: float, step: float, seed: int = 0) -> None:
        material = prepare_material(units, {"centroid": units.column("centroid")}, frame_rate)
        moves = np.stack([material.moves[name] for name in NAMES], 1).clip(-_LIMITS, _LIMITS)
        notes, shortest = material.notes, round(_SHORTEST_SECONDS * frame_rate)
        long = np.flatnonzero(notes.release - notes.sustain >= shortest)
        self.runs = [moves[notes.sustain[note] : notes.release[note]].astype(np.float32) for note in long]
        self.pitch = np.nan_to_num(notes.pitch[long], nan=99.0)
        self.step, self.fade, self.seed = step, round(_FADE_SECONDS * frame_rate), seed
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.random = np.random.default_rng(self.seed)
        self._now: tuple[int, float] | None = None
        self._before: tuple[int, float] | None = None

    def begin(self) -> None:
        """A note begins: another run."""
        self._now = self._before = None

    def take(self, octaves: float) -> np.ndarray:
        """The next values, for a sound at a pitch in octaves above 1 Hz. Shape: -> [3], as :data:`NAMES`."""
        if not self.runs:
            return np.zeros(3)
        if self._now is None:
            self._now = self._choose(octaves), 0.0
        run, place = self._now
        value = self._at(run, place)
        if self._before is not None:
            # Two runs overlap for a tenth of a second.
            share = min(1.0, place / self.fade)
            value = share * value + (1 - share) * self._at(*self._before)
            self._before = (self._before[0], self._before[1] + self.step) if share < 1 else None
        self._now = run, place + self.step
        if place + self.step > len(self.runs[run]) - 1 - self.fade:
            self._before, self._now = self._now, (self._choose(octaves), 0.0)
        return value

    def _choose(self, octaves: float) -> int:
        nearest = np.argsort(np.abs(self.pitch - octaves), kind="stable")[:_NEAR]
        return int(self.random.choice(nearest))

    def _at(self, run: int, place: float) -> np.ndarray:
        moves = self.runs[run]
        low = min(int(place), len(moves) - 1)
        high = min(low + 1, len(moves) - 1)
        return moves[low] + (place - int(place)) * (moves[high] - moves[low])
