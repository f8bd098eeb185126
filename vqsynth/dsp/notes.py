"""Names of notes: equal temperament, A4 = 440 Hz."""

from __future__ import annotations

import math
import re

NOTE = re.compile(r"([A-Ga-g])(##|#|s|♯|bb|b|♭)?(-1|10|\d)([+-]\d{1,4}(?:\.\d+)?)?(?:c|ct|cents)?")
"""A letter, an accidental, an octave from -1 to 10, and a deviation in cents."""
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SHIFTS = {"": 0, "#": 1, "s": 1, "♯": 1, "##": 2, "b": -1, "♭": -1, "bb": -2}
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def midi_to_hz(note: float) -> float:
    """Frequency in Hz of a MIDI note number; A4 is 69."""
    return 440.0 * 2.0 ** ((note - 69.0) / 12.0)


def note_to_hz(name: str) -> float | None:
    """Frequency in Hz of ``A4``, ``Bb3``, ``F#5``, ``Cs4``, ``A4+20`` (cents); None if it is no note name."""
    match = NOTE.fullmatch(name.strip())
    if match is None:
        return None
    letter, shift, octave, deviation = match.groups()
    note = STEPS[letter.upper()] + SHIFTS[shift or ""] + 12 * (int(octave) + 1) + float(deviation or 0) / 100
    return midi_to_hz(note)


def note_name(frequency: float) -> str:
    """The nearest note of a frequency in Hz and the deviation in cents, like ``A4+12c``."""
    midi = 69 + 12 * math.log2(frequency / 440.0)
    nearest = round(midi)
    cents = round(100 * (midi - nearest))
    return f"{NAMES[nearest % 12]}{nearest // 12 - 1}" + (f"{cents:+d}c" if cents else "")
