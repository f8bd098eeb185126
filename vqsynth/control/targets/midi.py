"""MIDI files as targets: the pitch of a voice, with its level and brightness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vqsynth.control.targets.base import Target
from vqsynth.control.targets.midi_file import NEUTRAL, MidiNote, read_notes
from vqsynth.control.targets.midi_voices import one_voice, voices_of
from vqsynth.dsp.notes import midi_to_hz
from vqsynth.errors import UsageError, warn

ATTACK, RELEASE = 0.010, 0.040  # s
DIP = 0.3  # amplitude between two notes of one pitch, so that the second is heard
REST_DB = -80.0
FULL_VELOCITY = 100  # plays at 0 dB
PRIORITIES = ("highest", "last")
VIBRATO_HZ, VIBRATO_CENTS = 5.5, 50.0
"""Of the modulation wheel (CC 1), fully up."""
VIBRATO_DELAY, VIBRATO_RAMP = 0.25, 0.35  # s after the start of a note
PRESSURE_DB = 6.0
"""How much louder full aftertouch is."""
OCTAVES_A_DB = 0.03
"""How much brighter louder playing is."""
CC74_OCTAVES = 1.0
"""Octaves of brightness between the middle of CC 74 and either end."""
_BRIGHTENING_DB = (-30.0, 12.0)
_SLUR = 0.03


def velocity_to_db(velocity: float) -> float:
    """The square law 40 log10(v) of the General MIDI recommendations, with velocity 100 at 0 dB."""
    return 40.0 * float(np.log10(velocity / FULL_VELOCITY))


def controller_to_db(values: np.ndarray, full: float) -> np.ndarray:
    """The same law for volume and expression: 0 dB at ``full``, silence at 0. Shape: [T] -> [T]"""
    return 40.0 * np.log10(np.maximum(values, 1.0) / full) + np.where(values < 1, REST_DB * (1 - values), 0.0)


@dataclass(frozen=True, eq=False, kw_only=True)
class Melody(Target):
    """Notes one after the other: f0 in Hz, held through rests, which ``mask`` marks.

    The pitch bends with the pitch wheel, and trembles with CC 1, later than the note begins. The gain follows
    velocities, CC 7 and 11 and aftertouch; all but CC 7 also brighten, as CC 74 does alone.
    With ``level`` the values are the gain in dB instead (for the gain's own target).
    """

    notes: tuple[MidiNote, ...]
    level: bool = False

    @property
    def has_gain(self) -> bool:
        return not self.level

    def _index(self, times: np.ndarray) -> np.ndarray:
        starts = np.array([note.start for note in self.notes])
        return np.searchsorted(starts, times, side="right") - 1

    def _over(self, times: np.ndarray, value: Callable[[MidiNote, np.ndarray], np.ndarray | float]) -> np.ndarray:
        """A value of the note that sounds, or sounded last. Shape: [T] -> [T]"""
        index = np.maximum(self._index(times), 0)
        found = np.empty(len(times))
        order = np.argsort(index, kind="stable")
        for group in np.split(order, np.flatnonzero(np.diff(index[order])) + 1):
            if len(group):
                note = self.notes[index[group[0]]]
                found[group] = value(note, times[group])
        return found

    def _curve(self, times: np.ndarray, duration: float, lo: float | None, hi: float | None, log: bool) -> np.ndarray:
        if self.level:
            return self._level(times)
        return self._over(times, _pitch)

    def mask(self, times: np.ndarray) -> np.ndarray:
        if self.level:
            return super().mask(times)
        times = np.asarray(times, dtype=np.float64)
        index = self._index(times)
        ends = np.array([note.end for note in self.notes])
        return (index >= 0) & (times < ends[np.maximum(index, 0)])

    def gain(self, times: np.ndarray) -> np.ndarray | None:
        return None if self.level else self._level(np.asarray(times, dtype=np.float64))

    def dynamics(self, times: np.ndarray) -> np.ndarray:
        """The gain [T] in dB without the edges of notes, held through rests: for a player who makes these.

        Between slurred notes it glides.
        """
        times = np.asarray(times, dtype=np.float64)
        points: list[tuple[float, float]] = []
        for note in self.notes:
            level, half = velocity_to_db(note.velocity), _SLUR if note.slurred else 0.0
            if points:
                points.append((max(points[-1][0], note.start - half), points[-1][1]))
            points.append((max(note.start, note.start + min(half, (note.end - note.start) / 2)), level))
        at, velocity = np.array(points).T
        return np.maximum(np.interp(times, at, velocity) + self._over(times, _controlled_db), REST_DB)

    def brightness(self, times: np.ndarray, slope: float = OCTAVES_A_DB) -> np.ndarray:
        def octaves(note: MidiNote, at: np.ndarray) -> np.ndarray:
            played = velocity_to_db(note.velocity) + _played_db(note, _within(note, at))
            return slope * np.clip(played, *_BRIGHTENING_DB) + _cc74(note, _within(note, at))

        return self._over(np.asarray(times, dtype=np.float64), octaves)

    def _level(self, times: np.ndarray) -> np.ndarray:
        """Gain in dB [T], with ramps, straight in amplitude, at the edges of notes."""
        points: list[tuple[float, float]] = []
        for at, note in enumerate(self.notes):
            level = 10.0 ** (velocity_to_db(note.velocity) / 20.0)
            before = self.notes[at - 1] if at else None
            after = self.notes[at + 1] if at + 1 < len(self.notes) else None
            room = (note.end - note.start) / 2
            if before is None or before.end < note.start:
                points.append((note.start, 0.0))
            points.append((note.start + min(ATTACK, room), level))
            tied = after is not None and after.start <= note.end
            if tied and after is not None and after.pitch != note.pitch:
                points.append((note.end, level))  # legato: on to the next note's level
            else:  # a note fades before its end, so that rests are silent
                points.append((note.end - min(RELEASE, room), level))
                points.append((note.end, level * DIP if tied else 0.0))
        at, amplitude = np.array(points).T
        floor = 10.0 ** (REST_DB / 20.0)
        edges = 20.0 * np.log10(np.maximum(np.interp(times, at, amplitude), floor))
        return np.maximum(edges + self._over(times, _controlled_db), REST_DB)


def _within(note: MidiNote, times: np.ndarray) -> np.ndarray:
    """Times moved into the note: what its channel does before and after is not its own."""
    return np.clip(times, note.start, np.nextafter(note.end, 0.0))


def _sum(note: MidiNote, name: str, times: np.ndarray) -> np.ndarray:
    """What a controller adds to neutral, of all channels that count. Shape: [T] -> [T]"""
    return sum((controls.at(name, times) - NEUTRAL[name] for controls in note.controls), np.zeros(len(times)))


def _pitch(note: MidiNote, times: np.ndarray) -> np.ndarray:
    """Hz, bent and trembling. Shape: [T] -> [T]"""
    within = _within(note, times)
    wheel = np.clip(_sum(note, "modulation", within) / 127.0, 0.0, 1.0)
    since = np.maximum(times - note.start, 0.0)
    depth = VIBRATO_CENTS * wheel * np.clip((since - VIBRATO_DELAY) / VIBRATO_RAMP, 0.0, 1.0)
    semitones = _sum(note, "bend", within) + depth / 100.0 * np.sin(2 * np.pi * VIBRATO_HZ * since)
    return midi_to_hz(note.pitch) * np.exp2(semitones / 12.0)


def _played_db(note: MidiNote, times: np.ndarray) -> np.ndarray:
    """dB that expression and aftertouch add. Shape: [T] -> [T]"""
    pressure = np.clip(_sum(note, "pressure", times) / 127.0, 0.0, 1.0)
    return PRESSURE_DB * pressure + _gain_of(note, "expression", times)


def _controlled_db(note: MidiNote, times: np.ndarray) -> np.ndarray:
    """dB that all controllers add. Shape: [T] -> [T]"""
    within = _within(note, times)
    return _played_db(note, within) + _gain_of(note, "volume", within)


def _gain_of(note: MidiNote, name: str, times: np.ndarray) -> np.ndarray:
    parts = (controller_to_db(controls.at(name, times), NEUTRAL[name]) for controls in note.controls)
    return sum(parts, np.zeros(len(times)))


def _cc74(note: MidiNote, times: np.ndarray) -> np.ndarray:
    """Octaves that CC 74 asks for. Shape: [T] -> [T]"""
    return CC74_OCTAVES * np.clip(_sum(note, "brightness", times) / 64.0, -1.0, 1.0)


def read_midi(path: str | Path, *, priority: str = "highest", level: bool = False) -> Melody:
    """Read all tracks but percussion as one voice.

    Args:
        path: of the file.
        priority: which of several notes sounds: ``"highest"`` (the melody of a chord) or ``"last"``.
        level: give the gain curve as the target's values, not the pitch.

    Raises:
        UsageError: the file is missing, is not MIDI, or holds no notes.
    """
    if priority not in PRIORITIES:
        raise UsageError(f"note priority {priority!r}: choose highest or last")
    path = Path(path)
    return _melody(path, one_voice(_notes(path), priority), level)


def read_voices(path: str | Path, most: int | None = None) -> list[Melody]:
    """Read all tracks but percussion as voices that have one note at a time, highest first within a track.

    Args:
        path: of the file.
        most: voices; None takes as many as notes sound at once, up to 16. 1 is :func:`read_midi`.

    Raises:
        UsageError: the file is missing, is not MIDI, or holds no notes.
    """
    path = Path(path)
    voices, left_out = voices_of(_notes(path), most)
    if left_out:
        warn(f"{path}: {left_out:,} inner notes were left out, because only {len(voices)} voices play; give `voices`")
    return [_melody(path, voice, False) for voice in voices]


def _notes(path: Path) -> list[MidiNote]:
    notes = read_notes(path)
    if not notes:
        raise UsageError(f"{path}: there are no notes in it (percussion is left out); export a melody track")
    return notes


def _melody(path: Path, voice: Sequence[MidiNote], level: bool) -> Melody:
    return Melody(
        name=str(path),
        unit="dB" if level else "Hz",
        natural_duration=voice[-1].end,
        notes=tuple(voice),
        level=level,
    )
