"""MIDI and MPE to messages: notes, bends, and controllers by a mapping that can be learned."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vqsynth.errors import VqsynthError
from vqsynth.live.messages import Message, Refused, read
from vqsynth.storage.atomic import write_text
from vqsynth.storage.reading import read_text

BEND_RANGE, MPE_BEND_RANGE = 2.0, 48.0
"""Semitones of a full bend; RPN 0 sets another."""
PRESSURE = "pressure"
DEFAULTS: dict[str, tuple[str, float, float]] = {
    "cc 74": ("/descriptor/centroid", 600.0, 5000.0),
    "cc 7": ("/gain", -60.0, 0.0),
    "cc 1": ("/life", 0.0, 2.0),
    PRESSURE: ("/descriptor/loudness", -40.0, -12.0),
}
"""Controller: address, and its values at 0 and at 127."""
LEARNED = {
    "/descriptor/centroid": (600.0, 5000.0),
    "/descriptor/bandwidth": (500.0, 5000.0),
    "/descriptor/f0": (110.0, 880.0),
    "/descriptor/loudness": (-40.0, -12.0),
    "/gain": (-60.0, 0.0),
    "/life": (0.0, 2.0),
    "/bend": (-12.0, 12.0),
}
"""Ranges of what is learned without one; else -3 to 3."""
_SELECTORS = {98: None, 99: None, 100: "fine", 101: "coarse"}
_RPN_BEND, _RPN_MPE = 0, 6
_ALL_OFF = (120, 123)

Mapped = tuple[str, float, float]


def scaled(mapped: Mapped, value: float) -> Message:
    """The message of a controller at ``value``, 0 to 1; frequencies move in octaves.

    Raises:
        Refused: the address does not take it.
    """
    address, low, high = mapped
    if address.startswith("/descriptor/") and address.rpartition("/")[2] not in ("loudness",) and min(low, high) > 0:
        return read(address, [low * (high / low) ** value])
    return read(address, [low + (high - low) * value])


def check_mapped(controller: str, entry: object) -> Mapped:
    """One entry of a mapping.

    Raises:
        Refused: it is none.
    """
    kind, _, number = controller.partition(" ")
    known = controller == PRESSURE or (kind == "cc" and number.isdecimal() and 0 <= int(number) < 128)
    if not known or not isinstance(entry, (list, tuple)) or len(entry) != 3 or not isinstance(entry[0], str):
        raise Refused('a line is "cc 74" = ["/descriptor/centroid", 600, 5000], or pressure = [...]')
    low, high = (float(value) if isinstance(value, (int, float)) else math.nan for value in entry[1:])
    mapped = entry[0], low, high
    for value in (0.0, 1.0):
        scaled(mapped, value)
    return mapped


def read_map(path: str | Path) -> dict[str, Mapped]:
    """The mapping of a TOML file: its section [controllers].

    Raises:
        VqsynthError: it cannot be read; the message names what is wrong.
    """
    import sys

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    text = read_text(Path(path), "a mapping of MIDI controllers")
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise VqsynthError(f"{path}: is no mapping of MIDI controllers ({error}); it is a TOML file") from error
    section = content.get("controllers")
    if not isinstance(section, Mapping) or set(content) != {"controllers"}:
        raise VqsynthError(f"{path}: is no mapping of MIDI controllers; it has one section, [controllers]")
    found = {}
    for controller, entry in section.items():
        try:
            found[str(controller)] = check_mapped(str(controller), entry)
        except Refused as error:
            raise VqsynthError(f"{path}, {controller}: {error}") from error
    return found


def write_map(path: str | Path, mapping: Mapping[str, Mapped]) -> None:
    """Write what :func:`read_map` reads."""
    import tomli_w

    write_text(path, tomli_w.dumps({"controllers": {name: list(entry) for name, entry in mapping.items()}}))


class MidiPlayer:
    """What MIDI messages say to the engine.

    One voice: the newest note that is held sounds, with its own channel's bend.

    Args:
        mapping: of controllers.
        mpe: every note has a channel of its own; an MPE device says so itself (RPN 6).
        path: where what is learned is kept.

    Attributes:
        mapping: as it stands.
        refused: messages that the mapping could not say.
    """

    def __init__(
        self, mapping: Mapping[str, Mapped] | None = None, mpe: bool = False, path: str | Path | None = None
    ) -> None:
        self.mapping, self.mpe, self.path = dict(DEFAULTS if mapping is None else mapping), mpe, path
        self.refused = 0
        self._notes: list[tuple[int, int]] = []
        self._bends: dict[int, float] = {}
        self._ranges: dict[int, float] = {}
        self._selected: dict[int, dict[str, int]] = {}
        self._learning: tuple[str, float, float] | None = None
        self._bent = 0.0

    def learn(self, message: Message) -> None:
        """The next controller that moves plays the address of a ``/learn`` message.

        Raises:
            Refused: the address takes no controller.
        """
        address = str(message.values[0])
        low, high = message.values[1:] if len(message.values) == 3 else LEARNED.get(address, (-3.0, 3.0))
        self._learning = check_mapped("cc 0", [address, low, high])

    def hear(self, message: Any) -> list[Message]:
        """Messages that a MIDI message (of mido) becomes."""
        try:
            return getattr(self, f"_{message.type}", self._other)(message)
        except Refused:
            self.refused += 1
            return []

    def _other(self, message: Any) -> list[Message]:
        return []

    def _note_on(self, message: Any) -> list[Message]:
        if message.velocity == 0:
            return self._note_off(message)
        self._notes.append((message.note, message.channel))
        said = self._bend_now()
        if PRESSURE in self.mapping and self.mapping[PRESSURE][0].startswith("/descriptor/"):
            # A new note begins with its velocity, until it is pressed.
            said.append(read(self.mapping[PRESSURE][0], []))
        return [*said, Message("/note", None, (float(message.note), message.velocity / 127))]

    def _note_off(self, message: Any) -> list[Message]:
        self._notes = [held for held in self._notes if held != (message.note, message.channel)]
        if any(note == message.note for note, _ in self._notes):
            return self._bend_now()
        return [Message("/note", None, (float(message.note), 0.0)), *(self._bend_now() if self._notes else [])]

    def _pitchwheel(self, message: Any) -> list[Message]:
        self._bends[message.channel] = message.pitch / 8192 * self._range(message.channel)
        return self._bend_now()

    def _range(self, channel: int) -> float:
        return self._ranges.get(channel, MPE_BEND_RANGE if self.mpe and channel not in (0, 15) else BEND_RANGE)

    def _bend_now(self) -> list[Message]:
        """The bend of the note that sounds, with that of the whole zone in MPE."""
        channel = self._notes[-1][1] if self._notes else None
        if self.mpe:
            bend = self._bends.get(0, 0.0) + (self._bends.get(channel, 0.0) if channel not in (None, 0) else 0.0)
        else:
            bend = self._bends.get(channel, 0.0) if channel is not None else self._bent
        if bend == self._bent:
            return []
        self._bent = bend
        return [read("/bend", [max(-96.0, min(96.0, bend))])]

    def _heard(self, channel: int) -> bool:
        """Whether a controller of a channel means the note that sounds."""
        return not self.mpe or channel == 0 or not self._notes or channel == self._notes[-1][1]

    def _aftertouch(self, message: Any) -> list[Message]:
        if PRESSURE not in self.mapping or not self._heard(message.channel):
            return []
        return [scaled(self.mapping[PRESSURE], message.value / 127)]

    def _polytouch(self, message: Any) -> list[Message]:
        sounding = bool(self._notes) and self._notes[-1] == (message.note, message.channel)
        return self._aftertouch(message) if sounding else []

    def _control_change(self, message: Any) -> list[Message]:
        number, value = message.control, message.value
        if number in _SELECTORS or number in (6, 38):
            return self._registered(message.channel, number, value)
        if number in _ALL_OFF:
            self._notes.clear()
            return [Message("/note", None, ("off",))]
        if self._learning is not None:
            self.mapping[f"cc {number}"], self._learning = self._learning, None
            if self.path is not None:
                write_map(self.path, self.mapping)
        mapped = self.mapping.get(f"cc {number}")
        return [scaled(mapped, value / 127)] if mapped is not None and self._heard(message.channel) else []

    def _registered(self, channel: int, number: int, value: int) -> list[Message]:
        selected = self._selected.setdefault(channel, {})
        if number != 6:
            name = _SELECTORS.get(number)
            if name is not None:
                selected[name] = value
            elif number != 38:
                selected.clear()  # of a manufacturer's own
            return []
        which = selected.get("coarse", 127) * 128 + selected.get("fine", 127)
        if which == _RPN_BEND and value <= 96:
            members = range(1, 15) if self.mpe and channel not in (0, 15) else (channel,)
            self._ranges.update(dict.fromkeys(members, float(value)))
        elif which == _RPN_MPE and channel in (0, 15):
            self.mpe = value > 0
            self._ranges.clear()
        return []


def as_controllers(measured: Mapping[str, float]) -> dict[int, int]:
    """Measured descriptors as controllers 16 to 20: centroid, bandwidth and rolloff in octaves, loudness, f0.

    Returns:
        Controller -> 0 to 127: frequencies over their octaves from 50 Hz to 12.8 kHz, loudness from -70 to 0 LUFS.
    """
    found = {}
    for number, name in enumerate(("centroid", "bandwidth", "rolloff", "loudness", "f0"), 16):
        if name in measured:
            value = measured[name]
            share = (value + 70) / 70 if name == "loudness" else math.log2(max(value, 1.0) / 50) / 8
            found[number] = round(127 * max(0.0, min(1.0, share)))
    return found
