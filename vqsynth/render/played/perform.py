"""Perform targets with a timbre's units: which frame as played sounds when, and how it moves."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from vqsynth.control.resolve import ResolvedTarget
from vqsynth.render.played.material import MEAN_SECONDS, Material, _moving_mean
from vqsynth.render.played.search import GRID, PlayedSettings, Script, best_run
from vqsynth.render.played.sources import joins_of
from vqsynth.render.played.strokes import Stroke
from vqsynth.units.candidates import Finder

SILENCE_DB = -80.0
_ONSETS = 12
_FADE = 3
_SCOOP = 1.5 / 12
_SHARPNESS = 1.5
_SHADE = 0.5
_SWELL_DB = 6.0


@dataclasses.dataclass
class Performance:
    """Which unit sounds in every frame, and what it adds to the targets.

    Attributes:
        units: int64 [frames], -1 in rests.
        moves: name -> [frames] octaves, to be added to the target of that name.
        level_db: [frames], to be added to the gain.
        swell_db: [frames], slower movement, to be added where nobody asked for a gain.
        steady: bool [frames], false in onsets, releases and rests.
        strokes: in order of time.
        runs: how many runs of real playing it is made of.
    """

    units: np.ndarray
    moves: dict[str, np.ndarray]
    level_db: np.ndarray
    swell_db: np.ndarray
    steady: np.ndarray
    strokes: list[Stroke]
    runs: int


class Performer:
    """Finds units for strokes.

    Args:
        material: prepared units.
        codes: of the units, int [units].
        codebook: [codes, dim].
        scale: mean latent jump a frame in recordings.
        goals: what is asked for, frame by frame, with a tolerance each (octaves).
        gain_db: asked for, [frames], or None where nobody asked.
        usual: centroid in octaves that units should be near, [frames], or None where a colour is asked for.
        settings: weights of the search.
        take: another take plays other runs.
    """

    def __init__(
        self,
        material: Material,
        codes: np.ndarray,
        codebook: np.ndarray,
        scale: float,
        goals: Sequence[tuple[ResolvedTarget, float]],
        gain_db: np.ndarray | None,
        usual: np.ndarray | None,
        settings: PlayedSettings,
        take: int,
        frame_rate: float,
    ) -> None:
        self.material, self.codes, self.codebook, self.scale = material, codes, codebook, scale
        self.settings, self.frame_rate, self.take = settings, frame_rate, take
        self.random = np.random.default_rng([take, 7])
        self.goals: list[tuple[str, np.ndarray, np.ndarray, float]] = []
        for goal, tolerance in goals:
            tolerance = settings.pitch if goal.name == "f0" else tolerance
            weight = goal.weight * np.where(goal.mask, 1.0, 0.01)
            self.goals.append((goal.name, np.log2(np.maximum(goal.values, 1e-9)), weight, tolerance))
        if gain_db is not None and len(material.notes):
            wanted = gain_db + float(np.median(material.notes.level))
            self.goals.append(("loudness", wanted, np.ones(len(wanted)), settings.level))
        if usual is not None:
            self.goals.append(("centroid", usual, np.ones(len(usual)), settings.colour))
        self._span = max(1, round(MEAN_SECONDS * frame_rate))
        # A second of a recording is dearer in one take than in another.
        seconds = np.arange(len(codes)) // max(1, round(frame_rate))
        self.mood = settings.variety * self.random.random(int(seconds[-1]) + 1)[seconds]
        self._find()

    def _find(self) -> None:
        self.pool = np.flatnonzero(self.material.pool)
        columns = [self.material.means[name][self.pool] / tolerance for name, _, _, tolerance in self.goals]
        self.finder = Finder(np.stack(columns, 1) if columns else np.zeros((len(self.pool), 1)))

    def candidates(self, stroke: Stroke) -> Callable[[int], np.ndarray]:
        """Find the units whose half-second means are nearest to what each moment of a stroke asks for."""
        moments = np.arange(stroke.start, stroke.release, GRID)
        if self.goals:
            targets = np.stack([values[moments] / tolerance for _, values, _, tolerance in self.goals], 1)
            weights = np.stack([weights[moments] for _, _, weights, _ in self.goals], 1)
        else:
            targets = weights = np.zeros((len(moments), 1))
        found = self.finder.find(targets, self.settings.candidates, weights)

        def at(frame: int) -> np.ndarray:
            ids = found[(frame - stroke.start) // GRID]
            return self.pool[ids[ids >= 0]]

        return at

    def frame_cost(self, units: np.ndarray, frames: np.ndarray) -> np.ndarray:
        """Cost of units in frames, broadcast."""
        total = self.mood[units]
        for name, values, weights, tolerance in self.goals:
            off = np.abs(self.material.means[name][units] - values[frames]) / tolerance
            off = np.where(np.isfinite(off), off, 10.0)
            total = total + weights[frames] * np.where(off > 2, 4 * off - 4, off * off)
        return total

    def jump_cost(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Cost of going from units to units. Shape: [n], [m] -> [n, m]."""
        a, b = self.codebook[self.codes[before]], self.codebook[self.codes[after]]
        square = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
        cost = self.settings.price + self.settings.latent * np.sqrt(np.maximum(square, 0)) / self.scale
        recording = self.material.recording
        cost = cost + self.settings.foreign * (recording[before][:, None] != recording[after])
        level = self.material.moves["loudness"]
        if "flatness" in self.material.means:
            flatness = self.material.means["flatness"]
            last, first = np.nan_to_num(flatness[before]), np.nan_to_num(flatness[after])
            cost = cost + self.settings.noise * np.abs(last[:, None] - first)
        return cost + ((level[before][:, None] - level[after]) / 3.0) ** 2

    def perform(self, strokes: Sequence[Stroke], frames: int, attack: float | None) -> Performance:
        """Play the strokes.

        Args:
            strokes: in order of time.
            frames: of the render.
            attack: seconds from the first sound to the sustained level; None leaves those of the recordings.
        """
        units, levels = np.full(frames, -1, np.int64), np.full(frames, SILENCE_DB)
        swell, steady = np.zeros(frames), np.zeros(frames, bool)
        names = [name for name in self.material.moves if name != "loudness"]
        moves = {name: np.zeros(frames) for name in names}
        runs = 0
        for stroke in strokes:
            scripts = self._scripts(stroke, attack)
            path = best_run(
                range(stroke.start, stroke.release),
                self.material.stop,
                scripts,
                self.candidates(stroke),
                self.frame_cost,
                self.jump_cost,
                self.settings.beam,
            )
            release = self._release(int(path[-1]), stroke)
            played = np.concatenate([path, release])
            here = slice(stroke.start, stroke.start + len(played))
            units[here] = played
            runs += 1 + len(joins_of(path, self.material.recording[path]))
            level, around, onset = self._movement(path, release)
            levels[here], steady[stroke.start + onset : stroke.release] = level, True
            swell[here] = self._swell(played, len(path))
            for name in names:
                moves[name][here] = around[name]
        sounding = units >= 0
        for name, values in moves.items():
            # Attacks are brighter, ends darker: over half a second nothing of that is left.
            mean = _moving_mean(np.where(sounding, values, np.nan), self._span)
            moves[name] = np.where(sounding, values - np.nan_to_num(mean), 0.0)
        return Performance(units, moves, levels, swell, steady, list(strokes), runs)

    def _scripts(self, stroke: Stroke, attack: float | None) -> list[Script]:
        """Onsets of recorded notes that suit the stroke, best first."""
        notes = self.material.notes
        if not len(notes):
            return []
        at = min(stroke.start + 8, stroke.release - 1)
        cost = np.zeros(len(notes))
        for name, values, weights, tolerance in self.goals:
            own = notes.pitch if name == "f0" else notes.level if name == "loudness" else None
            if own is None:
                own = self.material.means[name][notes.sustain]
            off = np.abs(own - values[at]) / tolerance
            off = np.where(np.isfinite(off), off, 20.0)
            cost += weights[at] * np.where(off > 2, 4 * off - 4, off * off)
        missing = np.maximum(0, (stroke.release - stroke.start) - (notes.release - notes.begin)) / self.frame_rate
        cost = 6.0 * cost + 1.0 * missing + 10.0 * self.settings.variety * self.random.random(len(notes))
        scripts = []
        for note in np.argsort(cost, kind="stable")[:_ONSETS]:
            begin, sustain = int(notes.begin[note]), int(notes.sustain[note])
            own_length = sustain - begin
            if attack is not None:
                length = max(1, round(attack * self.frame_rate))
                units = begin + np.floor(np.arange(length) * own_length / length).astype(np.int64)
            else:
                units = np.arange(begin, sustain)
            units = units[: max(1, (stroke.release - stroke.start) // 2)]
            scripts.append(Script(units, sustain, float(cost[note])))
        return scripts

    def _release(self, last: int, stroke: Stroke) -> np.ndarray:
        """Units of a release that goes on from ``last``; it ends where the stroke must."""
        notes, room = self.material.notes, stroke.end - stroke.release
        lengths = notes.end - notes.release
        usable = np.flatnonzero(lengths > 2) if room > 0 else np.zeros(0, np.int64)
        if not len(usable):
            return np.full(min(room, _FADE), last, np.int64)
        first = notes.release[usable]
        cost = self.jump_cost(np.array([last]), first)[0]
        for name, values, weights, tolerance in self.goals:
            if name == "f0":
                off = np.abs(notes.pitch[usable] - values[stroke.release - 1]) / tolerance
                cost = cost + 6.0 * weights[stroke.release - 1] * np.where(np.isfinite(off), off * off, 100.0)
        chosen = usable[int(np.argmin(cost))]
        return np.arange(notes.release[chosen], min(notes.end[chosen], notes.release[chosen] + room))

    def _movement(self, path: np.ndarray, release: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray], int]:
        """Level in dB and moves in octaves of a stroke's frames, and the length of its onset."""
        played, count = np.concatenate([path, release]), len(path)
        joins = joins_of(path, self.material.recording[path])
        moves = {}
        for name, column in self.material.moves.items():
            moves[name] = _joined(column[played], joins)
        onset = int(np.searchsorted(np.cumsum(moves["loudness"][:count] > -3.0), 1))
        for name, values in moves.items():
            if name == "f0":
                values[:] = _sharpened(values)
                np.clip(values, -_SCOOP, _SCOOP, out=values)
            elif name != "loudness":
                np.clip(values, -_SHADE, _SHADE, out=values)
        level = moves.pop("loudness")
        if count - onset > self._span:
            level[onset:count] -= _moving_mean(level[onset:count], self._span)
        if len(release):
            faded = np.minimum(_FADE, len(release))
            level[len(level) - faded :] -= np.linspace(0, 30, faded + 1)[1:]
        return np.maximum(level, SILENCE_DB), moves, onset

    def _swell(self, played: np.ndarray, count: int) -> np.ndarray:
        """How the half-second mean of the level goes up and down over a stroke, without steps at joins."""
        means = self.material.means["loudness"][played]
        steps = np.diff(means, prepend=means[0])
        steps[1:][np.diff(played) != 1] = 0.0
        course = np.cumsum(steps)
        return np.clip(course - np.median(course[:count]), -_SWELL_DB, _SWELL_DB)


def _sharpened(values: np.ndarray) -> np.ndarray:
    """Give back the fast movement that a tracker's window of 46 ms averages out: 1.7 times at 20 Hz, 1.1 at 6 Hz.

    Shape: [n] -> [n]
    """
    if len(values) < 3:
        return values
    around = np.convolve(np.pad(values, 1, mode="edge"), [0.25, 0.5, 0.25], "valid")
    return values + _SHARPNESS * (values - around)


def _joined(values: np.ndarray, joins: np.ndarray) -> np.ndarray:
    """Soften the step where one run goes over into another."""
    smooth = values.copy()
    for join in joins:
        low, high = max(0, join - 2), min(len(values), join + 2)
        smooth[low:high] = np.interp(
            np.arange(low, high), [low - 1, high], values[[max(0, low - 1), min(high, len(values) - 1)]]
        )
    return smooth
