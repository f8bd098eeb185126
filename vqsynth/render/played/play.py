"""From targets to what the synthesis needs, by way of a timbre's units."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vqsynth.control.request import Request
from vqsynth.control.resolve import ResolvedTarget
from vqsynth.control.score import ARTICULATIONS, brightness_of, glided, notes_of
from vqsynth.errors import UsageError
from vqsynth.render.played.colour import FARTHEST, PULL, usual_colour
from vqsynth.render.played.decode import UnitDecoder
from vqsynth.render.played.material import Material, prepare_material
from vqsynth.render.played.perform import SILENCE_DB, Performance, Performer
from vqsynth.render.played.search import PlayedSettings
from vqsynth.render.played.strokes import Span, strokes_of
from vqsynth.units.store import DESCRIPTORS

if TYPE_CHECKING:
    from vqsynth.library.timbre import Timbre
    from vqsynth.units.store import Units

TOLERANCE = 6 * 0.085
"""Error in a spectral descriptor that costs 1, in standard deviations of the table; trims do the rest."""


@dataclasses.dataclass(frozen=True)
class PlayedOptions:
    """How units are played.

    Attributes:
        life: share of the recordings' movement, 0 to 1.
        take: another number plays other runs along the same curve.
        attack: seconds of an attack; None leaves those of the recordings.
        articulation: ``auto``, ``legato`` or ``detached``.
        without: recordings that are left out.
        only: numbers of the units that are played around; None are all.
        search: weights of the search.
    """

    life: float = 1.0
    take: int = 0
    attack: float | None = None
    articulation: str = "auto"
    without: tuple[str, ...] = ()
    only: tuple[int, ...] | None = None
    search: PlayedSettings = PlayedSettings()

    def check(self) -> None:
        """Refuse what cannot be.

        Raises:
            UsageError: a life outside 0 to 1, a take below 0, an unknown articulation, or no possible attack.
        """
        if not 0 <= self.life <= 1:
            raise UsageError("give a number from 0 to 1", field="life", value=f"{self.life:g}")
        if not 0 <= self.take <= 2**31:
            raise UsageError("give a whole number, 0 or more", field="take", value=self.take)
        if self.articulation not in ARTICULATIONS:
            names = ", ".join(ARTICULATIONS)
            raise UsageError(f"unknown; choose one of {names}", field="articulation", value=self.articulation)
        if self.attack is not None and not 0 < self.attack <= 10:
            raise UsageError("give seconds above 0, at most 10", field="attack", value=f"{self.attack:g}")


@dataclasses.dataclass
class Played:
    """What the synthesis needs.

    Attributes:
        codes: int64 [frames].
        resolved: what is asked for: a pitch glides between slurred notes, loud notes are brighter.
        targets: the same, with the movement added.
        gain_db: [frames].
        decoder: gives the frames.
        performance: which unit sounds when.
        report: facts for the report.
    """

    codes: np.ndarray
    resolved: list[ResolvedTarget]
    targets: list[ResolvedTarget]
    gain_db: np.ndarray
    decoder: UnitDecoder
    performance: Performance
    report: dict[str, Any]


def play(
    timbre: Timbre,
    units: Units,
    resolved: Sequence[ResolvedTarget],
    requests: Sequence[Request],
    seconds: float,
    gain_db: np.ndarray,
    gain_asked: bool,
    options: PlayedOptions,
) -> Played:
    """Perform resolved targets.

    Args:
        timbre: what sounds.
        units: of the timbre, those that may be used.
        resolved: what is asked for, frame by frame.
        requests: the same, with targets that are read: notes of a MIDI file say how they are played.
        seconds: of the render.
        gain_db: [frames].
        gain_asked: whether somebody asked for this gain; else the player's own swells are kept.
        options: how to play.
    """
    config, frames = timbre.config, len(gain_db)
    times = np.arange(frames) / config.frame_rate
    notes = notes_of(resolved, requests, times, seconds, options.articulation)
    resolved = [glided(goal, notes, times) if goal.name == "f0" else goal for goal in resolved]
    brighter = brightness_of(requests, times)
    if brighter is not None:
        resolved = [_moved(goal, brighter) if goal.name == "centroid" else goal for goal in resolved]
    codes = np.asarray(units.code).astype(np.int64)
    columns = {goal.name: np.log2(np.maximum(timbre.table.column(goal.name), 1e-9)) for goal in resolved}
    # Of a descriptor that units do not have, the code says what it knows.
    described = {name: units.column(name) if name in DESCRIPTORS else columns[name][codes] for name in columns}
    for name in ("centroid", "flatness"):
        described.setdefault(name, units.column(name))
    material = prepare_material(units, described, config.frame_rate)
    goals = [(goal, TOLERANCE * max(float(np.nanstd(columns[goal.name])), 1e-6)) for goal in resolved]
    usual = (
        None
        if any(goal.name in DESCRIPTORS for goal in resolved)
        else _usual(material, resolved, requests, times, gain_db)
    )
    performer = Performer(
        material,
        codes,
        timbre.model.codebook.numpy(),
        timbre.card.get("quality", {}).get("roughness_real") or 1.0,
        goals,
        gain_db if gain_asked else None,
        None if usual is None else usual[0],
        options.search,
        options.take,
        config.frame_rate,
    )
    spans = [
        Span(round(note.start * config.frame_rate), round(note.end * config.frame_rate), note.slurred) for note in notes
    ]
    strokes = strokes_of(
        [span for span in spans if span.end > span.start],
        frames,
        material,
        config.frame_rate,
        options.articulation,
        options.take,
    )
    done = performer.perform(strokes, frames, options.attack)
    life = options.life
    moved = [_moved(goal, life * done.moves[goal.name]) for goal in resolved]
    if usual is not None:
        moved.append(_coloured(material, done, *usual, life))
    level = np.where(done.steady, life * done.level_db, done.level_db)
    swell = np.zeros(frames) if gain_asked else life * done.swell_db
    sounding = done.units >= 0
    gain = np.where(sounding, np.maximum(gain_db + level + swell, SILENCE_DB), SILENCE_DB)
    held = _held(done.units)
    seconds = len(done.units[sounding]) / config.frame_rate
    report = {
        "life": life,
        "take": options.take,
        "strokes": len(strokes),
        "runs": done.runs,
        "mean_run_seconds": seconds / max(1, done.runs),
        "recordings": len(np.unique(np.searchsorted(units.start, done.units[sounding], side="right"))),
    }
    return Played(codes[held], resolved, moved, gain, UnitDecoder(timbre.model, units, held, life), done, report)


def _usual(
    material: Material,
    resolved: Sequence[ResolvedTarget],
    requests: Sequence[Request],
    times: np.ndarray,
    gain_db: np.ndarray,
) -> tuple[np.ndarray, np.ndarray] | None:
    """The usual centroid in octaves of every frame, where nobody asks for a colour, and how much brighter it is played.

    Shape: 2 x [frames]
    """
    colour, pitch = usual_colour(material), next((goal for goal in resolved if goal.name == "f0"), None)
    if colour is None or pitch is None:
        return None
    # Notes of a MIDI file say themselves how bright their velocities and controllers are.
    brighter = brightness_of(requests, times, colour.slope)
    if brighter is None:
        brighter = colour.slope * np.clip(gain_db, -30, 12)
    return colour.at(np.log2(pitch.values)), brighter


def _coloured(
    material: Material, done: Performance, usual: np.ndarray, brighter: np.ndarray, life: float
) -> ResolvedTarget:
    """The centroid that notes are brought to: most of the way from their own to the usual one."""
    held = _held(done.units)
    own = material.means["centroid"][held]
    known = np.isfinite(own) & (done.units >= 0)
    pulled = np.clip(PULL * (usual - np.where(known, own, usual)), -FARTHEST, FARTHEST) + brighter
    values = np.exp2(np.where(known, own, usual) + pulled + life * done.moves["centroid"])
    ends = float(values.min()), float(values.max())
    return ResolvedTarget("centroid", "Hz", True, "usual", values, known & done.steady, 1.0, *ends, ends, "", held=True)


def _moved(goal: ResolvedTarget, octaves: np.ndarray) -> ResolvedTarget:
    """The goal with movement around it; of a linear scale, by the same ratio."""
    return dataclasses.replace(goal, values=goal.values * np.exp2(octaves))


def _held(units: np.ndarray) -> np.ndarray:
    """Rests keep the unit before them, the first one that after. Shape: [frames] -> [frames]."""
    known = np.flatnonzero(units >= 0)
    if not len(known):
        return np.zeros(len(units), np.int64)
    at = np.searchsorted(known, np.arange(len(units)), side="right") - 1
    return units[known[np.maximum(at, 0)]]
