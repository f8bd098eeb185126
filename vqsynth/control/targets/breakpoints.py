"""Curves drawn as points (time, value), from TOML or from a CSV file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from vqsynth.control.quantity import parse_quantity
from vqsynth.control.targets.base import Target, phase, rescale, to_range
from vqsynth.errors import UsageError
from vqsynth.storage.tables import csv_rows, finite, is_number

INTERPOLATIONS = ("linear", "smooth", "step")


@dataclass(frozen=True, eq=False, kw_only=True)
class Breakpoints(Target):
    """Points joined by lines, by monotone cubics (``smooth``) or held (``step``); held beyond both ends.

    Two points at one time make a jump. ``times`` are seconds, or with ``fraction`` 0..1 of the
    render (and then ``periods`` repeats the curve). ``values_at`` are in the descriptor's unit, or
    with ``shape`` in 0..1, to be mapped onto a range.
    """

    times_at: np.ndarray
    values_at: np.ndarray
    interpolation: str = "linear"
    fraction: bool = False
    shape: bool = False
    periods: float = 1.0

    takes_range: ClassVar[bool] = True

    @property
    def needs_range(self) -> bool:
        return self.shape

    def _curve(self, times: np.ndarray, duration: float, lo: float | None, hi: float | None, log: bool) -> np.ndarray:
        if self.fraction:
            times = phase(times, duration, self.periods)
        curve = interpolate(times, self.times_at, self.values_at, self.interpolation)
        if lo is None or hi is None:
            return curve
        if self.shape:
            return to_range(curve, lo, hi, log)
        return rescale(curve, (float(self.values_at.min()), float(self.values_at.max())), lo, hi, log)


def interpolate(times: np.ndarray, times_at: np.ndarray, values_at: np.ndarray, how: str = "linear") -> np.ndarray:
    """Read a curve given at points [N] at any times [T]; at a jump the later value counts."""
    if how == "linear":
        return np.interp(times, times_at, values_at)
    if how == "step":
        return values_at[np.clip(np.searchsorted(times_at, times, side="right") - 1, 0, None)]
    from scipy.interpolate import PchipInterpolator

    try:
        curve = PchipInterpolator(times_at, values_at)
    except ValueError:
        raise UsageError("some of its points are too close together for a smooth curve; move them apart") from None
    return curve(np.clip(times, times_at[0], times_at[-1]))


def read_csv(path: str | Path, descriptor: str | None = None) -> Breakpoints:
    """Read rows of ``time,value`` (seconds; a number, a unit or a note name such as A4).

    A header is optional. With one, the value is taken from the column named ``value``, the
    descriptor or ``target_<descriptor>`` (as ``render`` writes), else from the second. Commas,
    semicolons and tabs separate; lines that start with # are comments.

    Raises:
        UsageError: the file is missing, not text, empty, has fewer than two rows, a value that is
            no finite number, or times that run backwards; the message gives the line.
    """
    path = Path(path)
    rows = csv_rows(path)
    column = 1
    if rows and not is_number(rows[0][1][0]):
        column = _value_column(rows[0][1], descriptor)
        rows = rows[1:]
    if not rows:
        raise UsageError(f"{path}: there are no breakpoints in it; write rows of time,value such as 0,500")
    points: list[tuple[float, float]] = []
    units: set[str] = set()
    for line, cells in rows:
        where = f"{path}, line {line}"
        if len(cells) <= column:
            raise UsageError(f"{where}: found {len(cells)} column(s) and need {column + 1}; write time,value")
        time = finite(cells[0], where, "time", points[-1][0] if points else None)
        value, unit = _quantity(cells[column], where)
        if unit is not None:
            units.add(unit)
        points.append((time, value))
    if len(units) > 1:
        raise UsageError(f"{path}: values are in {' and in '.join(sorted(units))}; use one unit")
    if len(points) == 1:
        raise UsageError(f"{path}: one breakpoint makes no curve; add a row, or give {points[0][1]:g} as the target")
    times, values = np.array(points, dtype=np.float64).T
    return Breakpoints(
        name=str(path),
        unit=units.pop() if units else None,
        natural_duration=float(times[-1]) if times[-1] > 0 else None,
        times_at=times,
        values_at=values,
    )


def _value_column(header: list[str], descriptor: str | None) -> int:
    names = [cell.lower() for cell in header]
    for wanted in ("value", descriptor, f"target_{descriptor}"):
        if wanted in names:
            return names.index(wanted)
    return 1


def _quantity(cell: str, where: str) -> tuple[float, str | None]:
    try:
        quantity = parse_quantity(cell)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None
    if quantity is None:
        raise UsageError(f"{where}: value {cell!r} is not a number; write one such as 1200, or a note such as A4")
    return quantity
