"""Targets and curves as a page writes them, as texts and files that the commands read; no text names a file."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from vqsynth.control.quantity import parse_quantity
from vqsynth.control.targets import library
from vqsynth.errors import UsageError
from vqsynth.play.answers import CURVE_POINTS, Body, Refused
from vqsynth.play.sessions import WAV, Session
from vqsynth.storage.atomic import write_text

SHAPES = ("sin", "log", "exp", "arch", "line", "constant", "steps", "walk")
_END = r"[pP]?-?\d{1,9}(?:\.\d{1,9})?(?:[a-zA-Z]{1,4})?|[A-Ga-g][#b]?-?\d(?:[+-]\d{1,3})?"
_RANGE = re.compile(rf"(?:{_END}):(?:{_END})")
_SHAPE = re.compile(rf"-?(?:{'|'.join(SHAPES)})(?::\d{{1,4}}(?:\.\d{{1,4}})?)?")
MOST_NOTES = 2000
TICKS = 9600
"""Of a second, in a MIDI file."""
Point = Annotated[list[float], Field(min_length=2, max_length=2)]


class Note(Body):
    """A note: seconds, whole MIDI number, velocity."""

    time: float = Field(ge=0, le=3600)
    duration: float = Field(gt=0, le=3600)
    pitch: int = Field(ge=12, le=120)
    velocity: int = Field(default=90, ge=1, le=127)


class Target(Body):
    """What a descriptor should do; one of the kinds."""

    shape: Literal["sin", "log", "exp", "arch", "line", "constant", "steps", "walk"] | None = None
    periods: float | None = Field(default=None, gt=0, le=1000)
    down: bool = False
    range: str | Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    points: list[Point] | None = Field(default=None, min_length=2, max_length=CURVE_POINTS)
    note: str | None = Field(default=None, max_length=12)
    value: float | None = None
    notes: list[Note] | None = Field(default=None, min_length=1, max_length=MOST_NOTES)
    sound: str | None = Field(default=None, max_length=40)
    library: str | None = Field(default=None, max_length=40)

    @model_validator(mode="after")
    def _one(self) -> Target:
        kinds = ("shape", "points", "note", "value", "notes", "sound", "library")
        if sum(getattr(self, kind) is not None for kind in kinds) != 1:
            raise ValueError(f"give one of {', '.join(kinds)}")
        return self

    @property
    def ends(self) -> str | None:
        """The range as the commands have it.

        Raises:
            Refused: it is no range.
        """
        if self.range is None:
            return None
        text = f"{self.range[0]:.9g}:{self.range[1]:.9g}" if isinstance(self.range, list) else self.range
        if "e" not in text and not _RANGE.fullmatch(text):
            raise Refused(400, "write a range as p10:p90, 500:3000 or A3:A4", "range", text)
        return text

    def written(self, name: str, folder: Path, session: Session) -> str:
        """The target as the commands have it: a text, or the name of a file that is written into the folder.

        Args:
            name: of the descriptor, and of the file.
            folder: of the render.
            session: whose sounds may be meant.

        Raises:
            Refused: a note, a name or a time that is none.
        """
        if self.shape is not None:
            periods = "" if self.periods is None else f":{self.periods:g}"
            return f"{'-' if self.down else ''}{self.shape}{periods}"
        if self.value is not None:
            return f"{self.value:.9g}"
        if self.note is not None:
            return quantity(self.note, name)
        if self.library is not None:
            if self.library not in library.available():
                raise Refused(400, "no target of this name ships with vqsynth", f"{name}.library", self.library)
            return self.library
        if self.sound is not None:
            file = f"{name}_heard.wav"
            shutil.copyfile(session.sound(self.sound).folder / WAV, folder / file)
            return file
        if self.points is not None:
            write_points(folder / f"{name}.csv", self.points, name)
            return f"{name}.csv"
        if name != "f0":
            raise Refused(400, "notes are a pitch; give them to f0", name)
        write_midi(folder / "notes.mid", self.notes or [])
        return "notes.mid"


def quantity(text: str, field: str) -> str:
    """A note or a number with its unit, which is no name of a file.

    Raises:
        Refused: it is none.
    """
    try:
        known = parse_quantity(text.strip()) is not None and not re.search(r"[/\\\0]", text)
    except UsageError:
        known = False
    if not known:
        raise Refused(400, "give a note such as A4 or a number", field, text)
    return text.strip()


def curve_text(text: str, field: str) -> str:
    """A shape, a note or a number, with ``@LO:HI`` behind it for a range; no name of a file.

    Raises:
        Refused: it is none.
    """
    spec, mark, range_ = text.strip().partition("@")
    if mark and not _RANGE.fullmatch(range_):
        raise Refused(400, "write the range behind the @ as 200:2000 or p10:p90", field, text)
    if not _SHAPE.fullmatch(spec):
        quantity(spec, field)
    return text.strip()


class Points(Body):
    """A curve drawn as points of seconds and values."""

    points: list[Point] = Field(min_length=2, max_length=CURVE_POINTS)


Curve = float | str | Points
"""A number, a shape or note as text, or points."""


def curve_written(curve: Curve, name: str, folder: Path) -> str:
    """A curve as the commands have it: a text, or the name of a file that is written into the folder.

    Raises:
        Refused: it is none.
    """
    if isinstance(curve, Points):
        write_points(folder / f"{name}.csv", curve.points, name)
        return f"{name}.csv"
    return curve_text(curve if isinstance(curve, str) else f"{curve:.9g}", name)


def write_points(path: Path, points: list[Any], field: str) -> None:
    """Write a curve as rows of ``time,value``.

    Raises:
        Refused: times run backwards, or are before 0.
    """
    last = 0.0
    for time, _ in points:
        if time < last:
            raise Refused(400, "times of a curve must rise from 0", field, f"{time:g}")
        last = time
    write_text(path, "time,value\n" + "".join(f"{time:.6f},{value:.9g}\n" for time, value in points))


def write_midi(path: Path, notes: list[Note]) -> None:
    """Write notes as a MIDI file of one track."""
    import mido

    events = []
    for note in notes:
        start, end = round(note.time * TICKS), round((note.time + note.duration) * TICKS)
        # At one moment notes end before others begin.
        events.append((start, 1, mido.Message("note_on", note=note.pitch, velocity=note.velocity)))
        events.append((max(end, start + 1), 0, mido.Message("note_off", note=note.pitch)))
    track, now = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000)]), 0
    for time, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=time - now))
        now = time
    mido.MidiFile(ticks_per_beat=TICKS // 2, tracks=[track]).save(path)
