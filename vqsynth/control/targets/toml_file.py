"""Targets written as TOML files: a shape with its settings, drawn points, or a note with vibrato."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from vqsynth.control.limits import LARGEST_SEED
from vqsynth.control.quantity import parse_quantity
from vqsynth.control.ranges import TABLE_RANGE, parse_range
from vqsynth.control.targets.base import Constant, Target, Vibrato
from vqsynth.control.targets.breakpoints import INTERPOLATIONS, Breakpoints
from vqsynth.control.targets.shapes import NAMES, STEPS, Shape, check_count, check_periods
from vqsynth.errors import UsageError, nearest_names
from vqsynth.storage.reading import read_toml
from vqsynth.storage.tables import LARGEST

COMMON = {"description", "kind", "range", "unit"}
KEYS = {
    **{shape: COMMON | {"periods", "reverse"} for shape in NAMES},
    "constant": COMMON,
    "steps": COMMON | {"periods", "reverse", "steps"},
    "walk": COMMON | {"periods", "reverse", "seed"},
    "breakpoints": COMMON | {"points", "time", "interpolation", "periods"},
    "note": {"description", "kind", "note", "vibrato"},
}
VIBRATO_MOST = {"rate": 1000.0, "cents": 12_000.0, "onset": 360_000.0, "ramp": 360_000.0}
"""Largest rate in Hz, depth in cents, and times in seconds."""


def read_target(path: str | Path, *, periods: float | None = None, seed: int | None = None) -> Target:
    """Read a TOML target; ``periods`` and ``seed`` given here win over those in the file.

    ``kind`` is a shape name (with ``periods``, ``steps``, ``seed``, ``reverse``), ``"breakpoints"``
    (``points``, a list of [time, value]; ``time = "seconds"`` or ``"fraction"`` of the render;
    ``interpolation``), or ``"note"`` (``note``, ``vibrato``). ``range`` is used when none is asked
    for. Breakpoints without ``unit`` lie in 0..1 and take a range; with it they are values.

    Raises:
        UsageError: the file is missing or is not TOML, or a key or value in it is not as described.
    """
    path = Path(path)
    fields = read_toml(path, "a target", error=UsageError)
    if "timbres" in fields or "targets" in fields:
        raise UsageError(f"{path}: this is a sweep recipe, not a target; run it with: vqsynth sweep {path}")
    kind = fields.get("kind")
    if not isinstance(kind, str) or kind not in KEYS:
        raise UsageError(f"{path}: kind {kind!r} is unknown; {nearest_names(str(kind), KEYS)}")
    _check_keys(fields, KEYS[kind], path)
    try:
        if kind == "note":
            return _note(fields, path)
        return _curve(fields, kind, path, periods, seed)
    except UsageError as error:
        message = str(error)
        raise UsageError(message if message.startswith(str(path)) else f"{path}: {message}") from None


def _curve(fields: dict[str, Any], kind: str, path: Path, periods: float | None, seed: int | None) -> Target:
    unit = fields.get("unit")
    if unit not in (None, "Hz", "dB"):
        raise UsageError(f"{path}: unit {unit!r} is unknown; write Hz or dB, or leave it out")
    common: dict[str, Any] = {
        "name": path.stem,
        "unit": unit,
        "default_range": parse_range(fields["range"]) if "range" in fields else None,
        "periods": check_periods(_real(fields, "periods", 1.0, path) if periods is None else periods),
    }
    drawn_values = kind == "breakpoints" and unit is not None
    if common["default_range"] is None and not drawn_values:
        common["default_range"] = TABLE_RANGE
    if kind == "breakpoints":
        return _breakpoints(fields, path, common)
    return Shape(
        kind=kind,
        count=check_count(fields.get("steps", STEPS)),
        seed=_whole(fields, "seed", 0, path) if seed is None else seed,
        reverse=_choice(fields, "reverse", (False, True), path),
        **common,
    )


def _breakpoints(fields: dict[str, Any], path: Path, common: dict[str, Any]) -> Breakpoints:
    fraction = _choice(fields, "time", ("seconds", "fraction"), path) == "fraction"
    interpolation = _choice(fields, "interpolation", INTERPOLATIONS, path)
    points = fields.get("points")
    if not isinstance(points, list) or len(points) < 2:
        raise UsageError(f"{path}: points must be a list of two or more [time, value] pairs")
    times: list[float] = []
    values: list[float] = []
    for at, point in enumerate(points, 1):
        where = f"{path}, point {at}"
        if not isinstance(point, list) or len(point) != 2:
            raise UsageError(f"{where}: {point!r} is not a [time, value] pair")
        time, value = point[0], _value(point[1], where)
        if not _is_finite(time) or not _is_finite(value):
            raise UsageError(f"{where}: {point!r} must hold two finite numbers")
        if times and (time < times[-1] or (time == times[-1] and interpolation == "smooth")):
            raise UsageError(f"{where}: time {time:g} does not come after {times[-1]:g}; sort the points by time")
        if fraction and not 0 <= time <= 1:
            raise UsageError(f"{where}: time {time:g} is outside 0 to 1; those are fractions of the render")
        if common["unit"] is None and not 0 <= value <= 1:
            raise UsageError(f"{where}: value {value:g} is outside 0 to 1; keep it there, or give the values' unit")
        times.append(float(time))
        values.append(float(value))
    return Breakpoints(
        times_at=np.array(times),
        values_at=np.array(values),
        interpolation=interpolation,
        fraction=fraction,
        shape=common["unit"] is None,
        natural_duration=None if fraction or times[-1] <= 0 else times[-1],
        **common,
    )


def _note(fields: dict[str, Any], path: Path) -> Constant:
    quantity = parse_quantity(str(fields.get("note", "")))
    if quantity is None:
        raise UsageError(f'{path}: note {fields.get("note")!r} is not a note; write one such as note = "A4"')
    vibrato = None
    if "vibrato" in fields:
        table = fields["vibrato"]
        if not isinstance(table, dict):
            raise UsageError(f"{path}: vibrato must be a table with rate (Hz) and cents")
        _check_keys(table, VIBRATO_MOST, path)
        settings = {key: _real(table, key, 0.0, path) for key in VIBRATO_MOST}
        if min(settings.values()) < 0 or settings["rate"] == 0:
            raise UsageError(f"{path}: vibrato needs a rate above 0 and no negative numbers")
        for key, most in VIBRATO_MOST.items():
            if settings[key] > most:
                raise UsageError(f"{path}: vibrato {key} = {settings[key]:g}; give at most {most:g}")
        vibrato = Vibrato(**settings)
    return Constant(name=path.stem, unit=quantity[1] or "Hz", value=quantity[0], vibrato=vibrato)


def _check_keys(table: dict[str, Any], known: Iterable[str], path: Path) -> None:
    for key in table:
        if key not in known:
            raise UsageError(f"{path}: key {key!r} means nothing here; {nearest_names(key, known)}")


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST


def _value(value: Any, where: str) -> Any:
    """A point's value may be a note name or carry a unit."""
    if not isinstance(value, str):
        return value
    quantity = parse_quantity(value)
    if quantity is None:
        raise UsageError(f"{where}: value {value!r} is neither a number nor a note such as A4")
    return quantity[0]


def _real(table: dict[str, Any], key: str, default: float, path: Path) -> float:
    value = table.get(key, default)
    if not _is_finite(value):
        raise UsageError(f"{path}: {key} = {value!r} must be a finite number")
    return float(value)


def _whole(table: dict[str, Any], key: str, default: int, path: Path) -> int:
    value = table.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST_SEED:
        raise UsageError(f"{path}: {key} must be a whole number from 0 to 2^63 - 1")
    return value


def _choice(table: dict[str, Any], key: str, choices: tuple, path: Path) -> Any:
    """The first choice is the default."""
    value = table.get(key, choices[0])
    if value not in choices:
        raise UsageError(f"{path}: {key} = {value!r}; choose {' or '.join(map(repr, choices))}")
    return value
