"""What can be said to the engine: addresses with their arguments, checked before anything is done.

The same messages come by OSC, from MIDI and from scripts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vqsynth.dsp.notes import midi_to_hz, note_to_hz
from vqsynth.errors import VqsynthError

Value = float | str
MOST_AXES = 1024
LONGEST_NAME = 1000


class Refused(VqsynthError):
    """A message that is not understood; nothing was done."""


@dataclass(frozen=True)
class Message:
    """A checked message.

    Attributes:
        address: without what names a part: ``/descriptor``, ``/latent``.
        part: descriptor, or number of the axis; None for all.
        values: its arguments; none frees what was held.
    """

    address: str
    part: str | int | None = None
    values: tuple[Value, ...] = ()

    def text(self) -> str:
        """As a line of a script has it."""
        address = self.address if self.part is None else f"{self.address}/{self.part}"
        return " ".join([address, *(repr(v) if isinstance(v, float) else quoted(v) for v in self.values)])


@dataclass(frozen=True)
class Address:
    """One address of the list.

    Attributes:
        name: the address.
        arguments: as the list shows them.
        help: what it does.
        part: "" for none, ``descriptor``, ``axis``; ``axes`` may also be left out.
        ranges: lowest and highest of each number.
        optional: whether the numbers may be left out.
    """

    name: str
    arguments: str
    help: str
    part: str = ""
    ranges: tuple[tuple[float, float], ...] = ()
    optional: bool = False


RANGES = {
    "centroid": (20.0, 20_000.0),
    "f0": (20.0, 8_000.0),
    "bandwidth": (20.0, 20_000.0),
    "rolloff": (20.0, 20_000.0),
    "flatness": (1e-6, 1.0),
    "loudness": (-120.0, 0.0),
}
"""What a descriptor's value can be, in its unit."""

ADDRESSES = (
    Address(
        "/descriptor",
        "/NAME value",
        "play centroid, f0, bandwidth ... at a value in its unit; no value: leave it free",
        "descriptor",
        optional=True,
    ),
    Address(
        "/note",
        "A4 0.8",
        "a note by name or MIDI number, with its velocity 0..1; velocity 0 ends it, /note off all of them",
    ),
    Address("/bend", "semitones", "moves the note that sounds", ranges=((-96.0, 96.0),)),
    Address("/stop", "", "ends the note, and what plays without one"),
    Address("/gain", "dB", "of the output", ranges=((-120.0, 24.0),)),
    Address(
        "/life",
        "0..2",
        "how much of the player's own movement a timbre plays around what is asked for",
        ranges=((0.0, 2.0),),
    ),
    Address(
        "/latent",
        "/N value",
        "hold axis N of a continuous model, in deviations of its corpus; no value: leave it free",
        "axis",
        ((-20.0, 20.0),),
        True,
    ),
    Address("/scale", "[/N] factor", "how far axis N, or every axis, moves", "axes", ((-20.0, 20.0),)),
    Address("/bias", "[/N] value", "added to axis N, or to every axis, in deviations", "axes", ((-20.0, 20.0),)),
    Address(
        "/feedback",
        "Hz Q gain",
        "the output through a band-pass back into the model; gain 0 opens the loop",
        ranges=((10.0, 20_000.0), (0.1, 1000.0), (0.0, 100.0)),
    ),
    Address("/model", "NAME", "change to another model, without a click"),
    Address("/reset", "", "all controls as they were at the start"),
    Address("/state", "", "answers every control and meter, to where the question came from"),
    Address("/learn", "ADDRESS [low high]", "the next MIDI controller that moves plays this address"),
)
BY_NAME = {address.name: address for address in ADDRESSES}


def quoted(text: str) -> str:
    """Text as one word of a script."""
    import shlex

    return shlex.quote(text)


def midi_of(value: object) -> float:
    """MIDI number of a note given by name or by number.

    Raises:
        Refused: neither.
    """
    if isinstance(value, str):
        hz = note_to_hz(value)
        if hz is None:
            raise Refused(f"{value[:40]!r} is no note; give A4 or 69")
        return 69 + 12 * math.log2(hz / 440)
    return number(value, (0.0, 127.0))


def number(value: object, limits: tuple[float, float]) -> float:
    """A finite number within limits.

    Raises:
        Refused: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Refused(f"{str(value)[:40]!r} is not a number")
    if not math.isfinite(value):
        raise Refused(f"{value} is not a finite number")
    if not limits[0] <= value <= limits[1]:
        raise Refused(f"{value:g} is out of range; give {limits[0]:g} to {limits[1]:g}")
    return float(value)


def read(address: str, arguments: Sequence[object] = ()) -> Message:
    """Check an address and its arguments.

    Raises:
        Refused: an unknown address, a wrong number or type of arguments, or a value out of its range.
    """
    head, _, tail = address[1:].partition("/")
    known = BY_NAME.get(f"/{head}")
    if not address.startswith("/") or known is None:
        raise Refused(f"{address[:60]!r} is unknown; there are {', '.join(BY_NAME)}")
    part = _part(known, tail)
    if known.name == "/descriptor":
        return Message(known.name, part, _descriptor(str(part), arguments))
    if known.name == "/note":
        return Message(known.name, None, _note(arguments))
    if known.name in ("/model", "/learn"):
        return Message(known.name, None, _words(known, arguments))
    if not (arguments or not known.ranges or known.optional) or (arguments and len(arguments) != len(known.ranges)):
        raise Refused(f"{known.name} takes {known.arguments or 'nothing'}, not {len(arguments)} arguments")
    return Message(known.name, part, tuple(number(v, r) for v, r in zip(arguments, known.ranges)))


def _part(known: Address, tail: str) -> str | int | None:
    if known.part == "descriptor":
        if tail not in RANGES:
            raise Refused(f"there is no descriptor {tail[:40]!r}; there are {', '.join(RANGES)}")
        return tail
    if not tail and known.part != "axis":
        return None
    if not known.part or not (tail.isascii() and tail.isdigit() and len(tail) < 5 and int(tail) < MOST_AXES):
        raise Refused(f"{known.name} takes {known.arguments or 'nothing'}, not /{tail[:40]}")
    return int(tail)


def _descriptor(name: str, arguments: Sequence[object]) -> tuple[Value, ...]:
    if not arguments:
        return ()
    value = arguments[0]
    if len(arguments) == 1:
        named = name == "f0" and isinstance(value, str)
        return (number(midi_to_hz(midi_of(value)) if named else value, RANGES[name]),)
    raise Refused(f"/descriptor/{name} takes one value, not {len(arguments)}")


def _note(arguments: Sequence[object]) -> tuple[Value, ...]:
    if len(arguments) == 1 and arguments[0] == "off":
        return ("off",)
    if len(arguments) != 2:
        raise Refused(f"/note takes a note and a velocity, not {len(arguments)} arguments")
    return (midi_of(arguments[0]), number(arguments[1], (0.0, 1.0)))


def _words(known: Address, arguments: Sequence[object]) -> tuple[Value, ...]:
    word = arguments[0] if arguments else None
    if not isinstance(word, str) or not word or len(word) > LONGEST_NAME or not word.isprintable():
        raise Refused(f"{known.name} takes {known.arguments}")
    if known.name == "/model":
        if len(arguments) > 1:
            raise Refused("/model takes one name")
        return (word,)
    limits = tuple(number(value, (-1e6, 1e6)) for value in arguments[1:])
    if len(limits) not in (0, 2):
        raise Refused(f"/learn takes {known.arguments}")
    return (word, *limits)


def list_of_addresses() -> str:
    """The list for people: a line an address."""
    rows = [(f"{a.name}{'' if a.arguments.startswith(('/', '[')) else ' '}{a.arguments}".strip(), a) for a in ADDRESSES]
    width = max(len(left) for left, _ in rows)
    return "\n".join(f"{left:<{width}}  {address.help}{_limits(address)}" for left, address in rows)


def _limits(address: Address) -> str:
    shown = ", ".join(f"{low:g} to {high:g}" for low, high in address.ranges)
    return f" ({shown})" if shown else ""
