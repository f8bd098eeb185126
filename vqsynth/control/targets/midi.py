"""MIDI files: one voice of pitch, with the gain of its notes."""

from __future__ import annotations

import collections
import io
import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vqsynth.control.targets.base import Target
from vqsynth.dsp.notes import midi_to_hz
from vqsynth.errors import UsageError
from vqsynth.storage.reading import read_bytes

PERCUSSION = 9
LEGATO = 0.08  # s; players' notes overlap by less than this where they mean one voice
ATTACK, RELEASE = 0.010, 0.040  # s
DIP = 0.3  # amplitude between two notes of one pitch, so that the second is heard
REST_DB = -80.0
FULL_VELOCITY = 100  # plays at 0 dB
LARGEST, MOST_NOTES = 2_000_000, 50_000
"""Bytes and notes of a MIDI file: some hours of music."""
PRIORITIES = ("highest", "last")


@dataclass
class Note:
    """A sounding note: seconds, MIDI number, velocity 1..127."""

    start: float
    end: float
    pitch: int
    velocity: int


def velocity_to_db(velocity: float) -> float:
    """The square law 40 log10(v) of the General MIDI recommendations, with velocity 100 at 0 dB."""
    return 40.0 * float(np.log10(velocity / FULL_VELOCITY))


@dataclass(frozen=True, eq=False, kw_only=True)
class Melody(Target):
    """Notes one after the other: f0 in Hz, held through rests, which ``mask`` marks.

    With ``level`` its values are the gain in dB instead (for the gain's own target).
    """

    notes: tuple[Note, ...]
    level: bool = False

    @property
    def has_gain(self) -> bool:
        return not self.level

    def _index(self, times: np.ndarray) -> np.ndarray:
        starts = np.array([note.start for note in self.notes])
        return np.searchsorted(starts, times, side="right") - 1

    def _curve(self, times: np.ndarray, duration: float, lo: float | None, hi: float | None, log: bool) -> np.ndarray:
        if self.level:
            return self._level(times)
        hertz = np.array([midi_to_hz(note.pitch) for note in self.notes])
        return hertz[np.maximum(self._index(times), 0)]

    def mask(self, times: np.ndarray) -> np.ndarray:
        if self.level:
            return super().mask(times)
        times = np.asarray(times, dtype=np.float64)
        index = self._index(times)
        ends = np.array([note.end for note in self.notes])
        return (index >= 0) & (times < ends[np.maximum(index, 0)])

    def gain(self, times: np.ndarray) -> np.ndarray | None:
        return None if self.level else self._level(np.asarray(times, dtype=np.float64))

    def _level(self, times: np.ndarray) -> np.ndarray:
        """Velocities as dB [T], with ramps, straight in amplitude, at the edges of notes."""
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
        return 20.0 * np.log10(np.maximum(np.interp(times, at, amplitude), floor))


def read_midi(path: str | Path, *, priority: str = "highest", level: bool = False) -> Melody:
    """Read all tracks but percussion as one voice; tempo changes are followed, pitch bend is not.

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
    notes = one_voice(_read_notes(path), priority)
    if not notes:
        raise UsageError(f"{path}: there are no notes in it (percussion is left out); export a melody track")
    return Melody(
        name=str(path),
        unit="dB" if level else "Hz",
        natural_duration=notes[-1].end,
        notes=tuple(notes),
        level=level,
    )


def _read_notes(path: Path) -> list[Note]:
    import mido

    data = read_bytes(path, "a MIDI file", LARGEST, error=UsageError)
    try:
        messages = list(mido.MidiFile(file=io.BytesIO(data), clip=True))
    # mido raises what its parts raise on damaged files.
    except Exception as error:
        reason = "it ends too early" if isinstance(error, EOFError) else str(error) or type(error).__name__
        raise UsageError(f"{path}: cannot be read as MIDI ({reason}); export it again") from None
    now, notes = 0.0, []
    sounding: dict[tuple[int, int], Note] = {}
    for message in messages:
        now += message.time
        if message.type not in ("note_on", "note_off") or message.channel == PERCUSSION:
            continue
        key = (message.channel, message.note)
        if key in sounding:
            sounding.pop(key).end = now
        if message.type == "note_on" and message.velocity > 0:
            sounding[key] = Note(now, now, message.note, message.velocity)
            notes.append(sounding[key])
    if len(notes) > MOST_NOTES:
        raise UsageError(f"{path}: holds {len(notes):,} notes, more than {MOST_NOTES:,}; export a shorter part")
    for note in sounding.values():  # never released
        note.end = now
    return [note for note in notes if note.end > note.start]


def one_voice(notes: list[Note], priority: str = "highest") -> list[Note]:
    """Cut overlapping notes to one voice; a short overlap into a later note is legato and goes to it."""
    notes = sorted(notes, key=lambda note: (note.start, note.pitch))
    for at, note in enumerate(notes):
        for following in range(at + 1, len(notes)):
            later = notes[following]
            if later.start >= note.end:
                break
            if note.end - later.start < LEGATO and later.start - note.start > LEGATO:
                note.end = later.start

    def rank(note: Note) -> tuple[float, int]:
        return (0.0 if priority == "highest" else note.start, note.pitch)

    edges = sorted({edge for note in notes for edge in (note.start, note.end)})
    voice: list[Note] = []
    source: Note | None = None
    held: list[Note] = []
    waiting = collections.deque(notes)
    for start, end in itertools.pairwise(edges):
        held = [note for note in held if note.end > start]
        while waiting and waiting[0].start <= start:
            held.append(waiting.popleft())
        best = max(held, key=rank, default=None)
        if best is not None and best is source and voice[-1].end == start:
            voice[-1].end = end
        elif best is not None:
            voice.append(Note(start, end, best.pitch, best.velocity))
        source = best
    return voice
