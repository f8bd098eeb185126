"""Numbers as a musician writes them: ``440``, ``2kHz``, ``-12dB``, ``A4``, ``Bb3+20``."""

from __future__ import annotations

import re

from vqsynth.dsp.notes import note_to_hz
from vqsynth.errors import UsageError
from vqsynth.storage.tables import LARGEST

NUMBER = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-z]*)")
UNITS = {
    "": (1.0, None),
    "k": (1000.0, None),
    "hz": (1.0, "Hz"),
    "khz": (1000.0, "Hz"),
    "db": (1.0, "dB"),
    "lufs": (1.0, "dB"),
}


def parse_quantity(text: str) -> tuple[float, str | None] | None:
    """Read a number with an optional unit, or a note name.

    Returns:
        ``(value, unit)``, where unit is ``"Hz"``, ``"dB"`` or None when none was written;
        None if ``text`` is neither number nor note.

    Raises:
        UsageError: the number is NaN or infinite, or carries an unknown unit.
    """
    text = text.strip()
    hertz = note_to_hz(text)
    if hertz is not None:
        return hertz, "Hz"
    if text.lower().lstrip("+-") in ("nan", "inf", "infinity"):
        raise UsageError(f"{text} is not a usable number; give a finite one")
    match = NUMBER.fullmatch(text)
    if match is None:
        return None
    number, suffix = match.groups()
    if suffix.lower() not in UNITS:
        raise UsageError(f"{text!r}: unknown unit {suffix!r}; write a plain number, Hz, kHz, dB, or a note such as A4")
    factor, unit = UNITS[suffix.lower()]
    value = float(number) * factor
    if not abs(value) <= LARGEST:
        raise UsageError(f"{text} is too large a number; give a smaller one")
    return value, unit


def check_unit(own: str | None, unit: str | None, what: str, *, field: str | None = None, value: object = None) -> None:
    """Refuse a quantity that was written in another unit than the descriptor's; None fits any.

    Args:
        own: the unit that was written.
        unit: the unit that is needed.
        what: what was written, for the message.
        field: the argument that it was written for, if it is known.
        value: the whole text of it.

    Raises:
        UsageError: the units differ; dB and LUFS count as one.
    """
    if own and unit and own != unit and not {own, unit} <= {"dB", "LUFS"}:
        raise UsageError(
            f"{what} is in {own}, but what it is for is in {unit}; give it in {unit}", field=field, value=value
        )
