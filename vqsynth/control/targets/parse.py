"""From what the user writes as a target to a Target."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vqsynth.control.quantity import check_unit, parse_quantity
from vqsynth.control.ranges import GAIN_RANGE, TABLE_RANGE
from vqsynth.control.targets import library, shapes
from vqsynth.control.targets.base import Constant, Target
from vqsynth.errors import UsageError, nearest_names
from vqsynth.storage.reading import is_file, is_folder, regular_file

if TYPE_CHECKING:
    from vqsynth.control.targets.midi import Melody

SHAPE = re.compile(r"(-?)([a-z]+)(?::(.*))?")
GAIN = "gain"
MIDI = (".mid", ".midi")


def parse_target(
    spec: str,
    *,
    descriptor: str | None = None,
    unit: str | None = None,
    periods: float | None = None,
    seed: int | None = None,
    sample_rate: int = 44100,
    with_gain: bool = False,
    priority: str = "highest",
) -> Target:
    """Read a target.

    In this order: a shape (``sin``, ``-line`` upside down, ``sin:3`` periods, ``steps:8`` levels), a
    note or number (``A4``, ``Bb3+20``, ``440``, ``2kHz``, ``-6dB``), a file (CSV, MIDI, TOML, audio),
    or a target that ships, by name.

    Args:
        spec: what the user wrote.
        descriptor: what it is for: picks a CSV's column and what is measured on audio. ``"gain"``
            makes MIDI and audio give their level.
        unit: the descriptor's unit; a target that is in another one is refused.
        periods: of shapes; a number after a colon and an explicit argument win over a TOML file.
        seed: of shapes.
        sample_rate: at which recordings are measured, in Hz.
        with_gain: audio targets carry their loudness as companion gain (MIDI always does).
        priority: of several MIDI notes, ``"highest"`` or ``"last"``.

    Raises:
        UsageError: unknown name (with the nearest), bad option, or a file that cannot be used.
    """
    spec = str(spec).strip()
    if periods is not None:
        periods = shapes.check_periods(periods)
    if descriptor == GAIN:
        unit = "dB"
    target = (
        _shape(spec, periods, seed)
        or _number(spec)
        or _file(spec, descriptor, periods, seed, sample_rate, with_gain, priority)
    )
    check_unit(target.unit, unit, f"target {spec}")
    written = target.default_range
    if not target.needs_range or written is None:
        return target
    if descriptor == GAIN and written.needs_table:
        return replace(target, default_range=GAIN_RANGE)  # no table has percentiles of the gain
    if descriptor != GAIN and written.unit == "dB" and unit not in (None, "dB", "LUFS"):
        return replace(target, default_range=TABLE_RANGE)  # a gain curve, used for something else
    return target


def parse_voices(spec: str, most: int | None = None) -> list[Melody] | None:
    """Read a MIDI file as voices that have one note at a time; None where ``spec`` is another target.

    Args:
        spec: what the user wrote.
        most: voices; None takes as many as notes sound at once.

    Raises:
        UsageError: a file that cannot be used.
    """
    spec = str(spec).strip()
    shape = SHAPE.fullmatch(spec)
    if not spec or (shape is not None and shape.group(2) in shapes.NAMES):
        return None
    path = Path(spec) if is_file(spec) else library.available().get(spec) or Path(spec)
    if path.suffix.lower() not in MIDI:
        return None
    from vqsynth.control.targets.midi import read_voices

    return read_voices(_find(spec), most)


def _shape(spec: str, periods: float | None, seed: int | None) -> Target | None:
    match = SHAPE.fullmatch(spec)
    if match is None or match.group(2) not in shapes.NAMES:
        return None
    minus, kind, number = match.groups()
    settings: dict[str, Any] = {"periods": 1.0 if periods is None else periods}
    if number is not None:
        key = "count" if kind == "steps" else "periods"
        settings[key] = _shape_number(spec, kind, number)
    return shapes.Shape(
        name=spec, kind=kind, reverse=bool(minus), seed=seed or 0, default_range=TABLE_RANGE, **settings
    )


def _shape_number(spec: str, kind: str, text: str) -> float | int:
    if kind == "constant":
        raise UsageError(f"target {spec}: to hold a value, write it alone: {text or 'A4'}")
    try:
        return shapes.check_count(int(text)) if kind == "steps" else shapes.check_periods(float(text))
    except (ValueError, UsageError):
        what = "a number of levels such as steps:8" if kind == "steps" else f"a number of periods such as {kind}:3"
        raise UsageError(f"target {spec}: after the colon comes {what}") from None


def _number(spec: str) -> Target | None:
    quantity = parse_quantity(spec)
    return None if quantity is None else Constant(name=spec, value=quantity[0], unit=quantity[1])


def _file(
    spec: str,
    descriptor: str | None,
    periods: float | None,
    seed: int | None,
    sample_rate: int,
    with_gain: bool,
    priority: str,
) -> Target:
    path = _find(spec)
    suffix = path.suffix.lower()
    if suffix == ".toml":
        from vqsynth.control.targets.toml_file import read_target

        return read_target(path, periods=periods, seed=seed)
    if suffix == ".csv":
        from vqsynth.control.targets.breakpoints import read_csv

        return read_csv(path, descriptor)
    if suffix in MIDI:
        from vqsynth.control.targets.midi import read_midi

        return read_midi(path, priority=priority, level=descriptor == GAIN)
    if descriptor is None:
        raise UsageError(f"target {spec}: say which descriptor is to be measured on the recording")
    from vqsynth.control.targets.recording import read_recording

    return read_recording(path, descriptor, sample_rate=sample_rate, with_gain=with_gain)


def _find(spec: str) -> Path:
    """A file as written, or a target by name (its suffix may be left out)."""
    path = Path(spec)
    if spec and is_file(path):
        return path
    if spec and is_folder(path):
        raise UsageError(f"target {spec}: this is a folder; give one file in it")
    found = library.available()
    if path.name == spec and path.stem in found and path.suffix.lower() in ("", found[path.stem].suffix):
        return found[path.stem]
    if spec and os.path.lexists(path):
        regular_file(path, "a target", error=UsageError)
    if path.suffix and not path.suffix[1:].isdigit():
        raise UsageError(f"{spec}: no such file; check the name of the target")
    if spec in library.available_sweeps():
        raise UsageError(f"target {spec}: this is a sweep recipe; run it with: vqsynth sweep {spec}")
    names = [*shapes.NAMES, *found]
    raise UsageError(
        f"target {spec!r} is unknown; {nearest_names(spec.lstrip('-'), names)}; or a note (A4), a number (440, 2kHz), "
        "or a file (.csv, .mid, .toml, audio)"
    )
