"""MIDI files: their notes, and what bends and controllers do to each; in MPE every note has its own channel."""

from __future__ import annotations

import collections
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vqsynth.errors import UsageError
from vqsynth.storage.reading import read_bytes

LARGEST, MOST_NOTES = 2_000_000, 50_000
"""Bytes and notes of a MIDI file: some hours of music."""
PERCUSSION = 9
CONTROLS = {1: "modulation", 7: "volume", 11: "expression", 68: "legato", 74: "brightness"}
NEUTRAL = {
    "bend": 0.0,
    "modulation": 0.0,
    "volume": 100.0,
    "expression": 127.0,
    "legato": 0.0,
    "brightness": 64.0,
    "pressure": 0.0,
}
"""What counts until something else is said: 0 to 127, the bend in semitones."""
BEND_RANGE, MPE_BEND_RANGE = 2.0, 48.0
"""Semitones of a full bend; RPN 0 sets another."""
GESTURE = 0.1
"""Seconds between two values of a controller that are one movement, joined by a line; others are steps."""
_RPN_BEND, _RPN_MPE = 0, 6
_RESET = 121
_RESETS = ("bend", "modulation", "expression", "legato", "pressure")
_SELECTORS = (98, 99, 100, 101)

Key = tuple[int, int]
"""Track and channel."""
Event = tuple[float, int, Any]
"""Seconds, track, message."""


class Controls:
    """What the controllers of a channel do over time."""

    def __init__(self) -> None:
        self._points: dict[str, list[tuple[float, float]]] = {}
        self._arrays: dict[str, np.ndarray] = {}

    def put(self, name: str, time: float, value: float, joined: bool) -> None:
        """Note a value from ``time`` (s) on; ``joined`` to the one before if both are of one movement."""
        points = self._points.setdefault(name, [(time, NEUTRAL[name])])
        if not (joined and time - points[-1][0] <= GESTURE and name != "legato"):
            points.append((time, points[-1][1]))
        points.append((time, value))

    def at(self, name: str, times: np.ndarray) -> np.ndarray:
        """Values at some seconds. Shape: [T] -> [T]"""
        if name not in self._points:
            return np.full(np.shape(times), NEUTRAL[name])
        if name not in self._arrays:
            self._arrays[name] = np.array(self._points[name]).T
        return np.interp(times, *self._arrays[name])


@dataclass(eq=False)
class MidiNote:
    """A sounding note.

    Attributes:
        start: s.
        end: s.
        pitch: MIDI number.
        velocity: 1 to 127.
        part: notes of one part are written as one: those of a track and channel, or of a track in MPE.
        controls: of its channel; in MPE also of its zone.
        legato: whether the legato pedal is down when it starts.
        released: s, when its key was let go, though a later note may have cut it before.
        slurred: follows the one before in its voice without a new onset.
    """

    start: float
    end: float
    pitch: int
    velocity: int
    part: Key = (0, 0)
    controls: tuple[Controls, ...] = ()
    legato: bool = False
    released: float = field(default=0.0)
    slurred: bool = False


def read_notes(path: Path) -> list[MidiNote]:
    """Notes of all tracks but percussion, in order of their starts; changes of tempo are followed.

    A channel's controllers count for the notes of their own track; those in a track without notes on the channel
    (of a conductor) count for all. A track is MPE when RPN 6 says so, or when it looks it: notes on several of
    channels 2 to 16, none on 1, never two at once on a channel, with bends, CC 74 or pressure on several of them.

    Raises:
        UsageError: the file is missing, is not MIDI, or holds too many notes.
    """
    data = read_bytes(path, "a MIDI file", LARGEST, error=UsageError)
    try:
        events = _events(data)
    # mido raises what its parts raise on damaged files.
    except Exception as error:
        reason = "it ends too early" if isinstance(error, EOFError) else str(error) or type(error).__name__
        raise UsageError(f"{path}: cannot be read as MIDI ({reason}); export it again") from None
    count = sum(_begins(message) for _, _, message in events)
    if count > MOST_NOTES:
        raise UsageError(f"{path}: holds {count:,} notes, more than {MOST_NOTES:,}; export a shorter part")
    return _Reader(events).notes()


def _events(data: bytes) -> list[Event]:
    """Messages of all tracks in order of time."""
    import mido

    file = mido.MidiFile(file=io.BytesIO(data), clip=True)
    if file.type == 2:
        raise ValueError("its tracks are songs of their own")
    division = file.ticks_per_beat
    if division <= 0:
        raise ValueError("its time is not counted in beats")
    ticks = []
    for number, track in enumerate(file.tracks):
        now = 0
        for message in track:
            now += message.time
            ticks.append((now, number, message))
    ticks.sort(key=lambda event: event[0])
    events, tempo, before, seconds = [], 500_000, 0, 0.0
    for tick, number, message in ticks:
        seconds += (tick - before) * tempo * 1e-6 / division
        before = tick
        events.append((seconds, number, message))
        if message.type == "set_tempo":
            tempo = message.tempo
    return events


def _begins(message: Any) -> bool:
    return message.type == "note_on" and message.velocity > 0


class _Parameters:
    """Registered parameters of channels: which one a data entry is for."""

    def __init__(self) -> None:
        self._selected: dict[tuple[Key, int], int] = {}

    def entry(self, key: Key, message: Any) -> int | None:
        """Number of the registered parameter that a message sets coarsely (CC 6) or finely (CC 38), if it sets one."""
        if message.control in _SELECTORS:
            registered = message.control >= 100
            self._selected[key, message.control % 2] = message.value if registered else 127
            return None
        if message.control not in (6, 38):
            return None
        coarse, fine = self._selected.get((key, 1), 127), self._selected.get((key, 0), 127)
        return None if coarse == fine == 127 else coarse << 7 | fine


class _Reader:
    """Follows the messages of a file."""

    def __init__(self, events: list[Event]) -> None:
        self.events = events
        self.sounds: dict[int, set[int]] = collections.defaultdict(set)
        """Channel -> tracks with notes on it."""
        for _, track, message in events:
            if _begins(message):
                self.sounds[message.channel].add(track)
        self.zones = self._zones()
        """Track -> member channel -> manager channel."""
        for track, members in self.zones.items():
            for manager in set(members.values()):
                self.sounds[manager].add(track)
        self.controls: dict[Key, Controls] = collections.defaultdict(Controls)
        self.ranges: dict[Key, float] = {}
        self.bent: dict[Key, float] = {}
        self.held: dict[Key, dict[int, tuple[MidiNote, Controls]]] = collections.defaultdict(dict)

    def _zones(self) -> dict[int, dict[int, int]]:
        parameters = _Parameters()
        zones: dict[int, dict[int, int]] = {}
        tracks = set().union(*self.sounds.values())
        for _, track, message in self.events:
            if message.type != "control_change":
                continue
            if parameters.entry((track, message.channel), message) == _RPN_MPE and message.control == 6:
                count = min(message.value, 15)
                members = range(1, 1 + count) if message.channel == 0 else range(15 - count, 15)
                for of in [track] if track in tracks else tracks:
                    zone = zones.setdefault(of, {})
                    for member in [m for m, manager in zone.items() if manager == message.channel]:
                        del zone[member]
                    if message.channel in (0, 15):
                        zone |= dict.fromkeys(members, message.channel)
        for track in tracks - zones.keys():
            if self._looks_mpe(track):
                zones[track] = dict.fromkeys(range(1, 16), 0)
        return zones

    def _looks_mpe(self, track: int) -> bool:
        channels = {channel for channel, tracks in self.sounds.items() if track in tracks}
        if 0 in channels or len(channels) < 2:
            return False
        moved: set[int] = set()
        held: dict[int, int] = {}
        for _, number, message in self.events:
            if number != track or getattr(message, "channel", None) not in channels:
                continue
            channel = message.channel
            if message.type == "program_change":
                return False
            if message.type in ("pitchwheel", "aftertouch") or message.is_cc(74):
                moved.add(channel)
            elif _begins(message):
                if channel in held:
                    return False
                held[channel] = message.note
            elif message.type in ("note_on", "note_off") and held.get(channel) == message.note:
                del held[channel]
        return len(moved) > 1

    def _keys(self, track: int, channel: int) -> Iterable[Key]:
        """Whose controllers a message moves."""
        owners = self.sounds[channel]
        return [(of, channel) for of in ([track] if track in owners else sorted(owners))]

    def notes(self) -> list[MidiNote]:
        """All notes that sound."""
        parameters, found, now = _Parameters(), [], 0.0
        for now, track, message in self.events:
            if message.type in ("note_on", "note_off"):
                note = self._note(now, track, message)
                if note is not None:
                    found.append(note)
                continue
            channel = getattr(message, "channel", None)
            if channel is None:
                continue
            if message.type == "control_change":
                entry = parameters.entry((track, channel), message)
                if entry == _RPN_BEND:
                    self._set_range(now, track, message)
                    continue
            for key in self._keys(track, channel):
                for name, value in self._values(key, message):
                    joined = track != key[0] or self._sounding(key)
                    self.controls[key].put(name, now, value, joined)
                if message.type == "polytouch" and message.note in self.held[key]:
                    self.held[key][message.note][1].put("pressure", now, message.value, True)
        for held in self.held.values():
            for note, _ in held.values():  # never released
                note.end = now
        for note in found:
            note.released = note.end
        return [note for note in found if note.end > note.start]

    def _sounding(self, key: Key) -> bool:
        """Whether a note sounds that a movement of these controllers would be heard on."""
        track, channel = key
        members = [member for member, manager in self.zones.get(track, {}).items() if manager == channel]
        return any(self.held.get((track, one)) for one in (channel, *members))

    def _note(self, now: float, track: int, message: Any) -> MidiNote | None:
        channel = message.channel
        zone = self.zones.get(track, {})
        if channel == PERCUSSION and channel not in zone:
            return None
        key, held = (track, channel), self.held[track, channel]
        if message.note in held:
            held.pop(message.note)[0].end = now
        if not _begins(message):
            return None
        own = Controls()
        parts = [self.controls[key], own]
        if channel in zone:
            parts.append(self.controls[track, zone[channel]])
        part = (track, -1 - zone[channel]) if channel in zone else key
        note = MidiNote(now, now, message.note, message.velocity, part, tuple(parts))
        note.legato = any(one.at("legato", np.array([now]))[0] >= 64 for one in parts)
        held[message.note] = note, own
        return note

    def _range(self, key: Key) -> float:
        default = MPE_BEND_RANGE if key[1] in self.zones.get(key[0], {}) else BEND_RANGE
        return self.ranges.get(key, default)

    def _set_range(self, now: float, track: int, message: Any) -> None:
        """RPN 0: whole semitones by CC 6, cents by CC 38; of one member of an MPE zone for all of them."""
        for key in self._keys(track, message.channel):
            zone = self.zones.get(key[0], {})
            members = [m for m in zone if zone[m] == zone[key[1]]] if key[1] in zone else [key[1]]
            for member in members:
                one = key[0], member
                semitones = (
                    float(message.value) if message.control == 6 else int(self._range(one)) + message.value / 100
                )
                self.ranges[one] = semitones
                if self.bent.get(one):
                    self.controls[one].put("bend", now, self.bent[one] * semitones, False)

    def _values(self, key: Key, message: Any) -> Iterator[tuple[str, float]]:
        """Names and values that a message sets."""
        if message.type == "pitchwheel":
            self.bent[key] = message.pitch / (8192 if message.pitch < 0 else 8191)
            yield "bend", self.bent[key] * self._range(key)
        elif message.type == "aftertouch":
            yield "pressure", float(message.value)
        elif message.type == "control_change" and message.control in CONTROLS:
            yield CONTROLS[message.control], float(message.value)
        elif message.type == "control_change" and message.control == _RESET:
            self.bent[key] = 0.0
            for name in _RESETS:
                yield name, NEUTRAL[name]
