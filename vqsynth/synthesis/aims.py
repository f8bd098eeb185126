"""From requests (a descriptor, a target, a range) to aims: one value a frame, within reach of the timbre.

Percentile ranges are taken among the codes that can meet the other requests. A pitch that nobody asked for is
held where the asked range is reached best.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vqsynth import descriptors
from vqsynth.errors import UsageError, warn
from vqsynth.synthesis.hold import MIN_CODES, NEAR_F0, best_pitch
from vqsynth.targets import TABLE_RANGE, Constant, Range, Target, parse_range, parse_target

if TYPE_CHECKING:
    from vqsynth.codebook.table import Table

VOICED = 0.7
"""Share of voiced frames from which a code can carry a pitch."""
NEAR = 1 / 12
"""The same for descriptors with a logarithmic scale; of a linear one, a tenth of its spread."""
BEND_REACH = 1 / 12
"""Octaves beyond the codes' own pitches that bending can carry one."""


@dataclasses.dataclass(frozen=True)
class Request:
    """What the user asks for: a descriptor, a target (or its spelling), a range and a weight."""

    descriptor: str
    target: str | Target
    range: str | Range | None = None
    weight: float = 1.0


@dataclasses.dataclass
class Aim:
    """A request on the frame grid.

    Attributes:
        values: float64 [frames] in the descriptor's unit. mask: bool [frames], where it counts.
        low, high: range that the shape was mapped to, or that the values span.
        reach: lowest and highest value of the codes that can meet the other requests.
        held: nobody asked for it; it is kept still.
    """

    name: str
    unit: str
    log: bool
    target: str
    values: np.ndarray
    mask: np.ndarray
    weight: float
    low: float
    high: float
    reach: tuple[float, float]
    range: str
    held: bool = False

    def scaled(self, values: np.ndarray) -> np.ndarray:
        """Values on the descriptor's own scale: octaves where it is logarithmic."""
        return np.log2(np.maximum(values, 1e-9)) if self.log else np.asarray(values, np.float64)


def resolve(
    requests: Sequence[Request],
    table: Table,
    times: np.ndarray,
    duration: float,
    *,
    hold: str | float | None = "auto",
    reach: float = 0.0,
    clamp: bool = False,
) -> list[Aim]:
    """Fix ranges and the held pitch, and sample every target.

    Args:
        times: [frames] seconds.
        hold: ``"auto"``, a note or Hz for a pitch that is not asked for, or None to leave it free.
        reach: octaves beyond the codes' own values that trims can carry a spectral descriptor.
        clamp: cut values out of reach, with a warning, instead of refusing them.

    Raises:
        UsageError: unknown or repeated descriptor, one that the table lacks, a range that does not fit,
            or values that no code reaches; the message says what range is reached.
    """
    seen = [r.descriptor for r in requests]
    for name in seen:
        descriptors.get(name)
        table.column(name)
        if seen.count(name) > 1:
            raise UsageError(f"descriptor {name}: asked for twice; give it one target")
    wanted = [_Wanted(r, table, times, duration) for r in requests]
    if hold is None or "f0" in seen or "f0" not in table.names:
        return _fix(wanted, table, reach, clamp)
    if hold != "auto":
        return _fix([*wanted, _Wanted(Request("f0", str(hold)), table, times, duration, True)], table, reach, clamp)
    pitch = best_pitch(table, voiced(table), [(w.name, w.span) for w in wanted])
    if pitch is None:
        return _fix(wanted, table, reach, clamp)
    held = Request("f0", Constant(name=f"held at {pitch:.5g} Hz", unit="Hz", value=pitch))
    try:
        return _fix([*wanted, _Wanted(held, table, times, duration, True)], table, reach, clamp=False)
    except UsageError as error:
        aims = _fix(wanted, table, reach, clamp)
        warn(f"the pitch is left free, because no single pitch reaches all that is asked for ({error})")
        return aims


def _fix(wanted: Sequence[_Wanted], table: Table, reach: float, clamp: bool) -> list[Aim]:
    """Resolve in the order of dependence: those that fix their own values first."""
    aims: list[Aim] = []
    for item in sorted(wanted, key=lambda w: w.relative):
        among = np.ones(table.K, bool)
        for aim in aims:
            among &= meets(aim, table)
        aims.append(item.aim(_enough(among, item.name, table), reach, clamp))
    order = [item.name for item in wanted]
    return sorted(aims, key=lambda aim: order.index(aim.name))


def meets(aim: Aim, table: Table) -> np.ndarray:
    """Codes whose value lies in the aim's range, or nearly. Shape: bool [K]."""
    column = aim.scaled(np.where(np.isfinite(table.column(aim.name)), table.column(aim.name), -1.0))
    low, high = sorted((float(aim.scaled(aim.low)), float(aim.scaled(aim.high))))
    if aim.name == "f0":
        near = NEAR_F0
    else:
        near = NEAR if aim.log else 0.1 * float(np.nanstd(aim.scaled(table.column(aim.name))))
    inside = np.isfinite(table.column(aim.name)) & (column >= low - near) & (column <= high + near)
    return inside & voiced(table) if aim.name == "f0" else inside


def voiced(table: Table) -> np.ndarray:
    """Codes that carry a pitch. Shape: bool [K]."""
    f0 = table.column("f0")
    return np.isfinite(f0) & (table.voicing >= VOICED if table.voicing is not None else True)


def _enough(among: np.ndarray, name: str, table: Table) -> np.ndarray:
    """Fall back to all codes where too few can meet the other requests."""
    usable = voiced(table) if name == "f0" else np.isfinite(table.column(name))
    return among & usable if (among & usable).sum() >= MIN_CODES else usable


class _Wanted:
    """A request whose target is read but whose range may still depend on the others."""

    def __init__(self, request: Request, table: Table, times: np.ndarray, duration: float, held: bool = False) -> None:
        descriptor = descriptors.get(request.descriptor)
        self.name, self.unit, self.log, self.held = descriptor.name, descriptor.unit, descriptor.scale == "log", held
        self.table, self.times, self.duration = table, times, duration
        self.target = target = request.target if isinstance(request.target, Target) else parse_target(request.target, descriptor=self.name, unit=self.unit)
        if not (np.isfinite(request.weight) and request.weight > 0):
            raise UsageError(f"--weight {request.weight:g} of {self.name}: give a number above 0")
        self.weight = request.weight
        range_ = None if request.range is None else parse_range(request.range)
        if range_ is not None and not target.takes_range:
            raise UsageError(f"--range {range_}: target {target.name} fixes its own values and takes no range; leave one out")
        if range_ is None and target.needs_range:
            range_ = target.default_range or TABLE_RANGE
        self.range = range_

    @property
    def relative(self) -> bool:
        """Whether its values depend on percentiles of the table."""
        return self.range is not None and self.range.needs_table

    def ends(self, among: np.ndarray) -> tuple[float, float] | None:
        """The range in the descriptor's unit among some codes, or None where the target fixes its own values."""
        if self.range is None:
            return None
        return self.range.resolve(lambda q: self.table.percentile(self.name, q, among))

    def span(self, among: np.ndarray) -> tuple[float, float]:
        """Lowest and highest value that it asks for, given the codes that are left."""
        ends = self.ends(among)
        if ends is None:
            values = self.values(None)
            ends = float(values.min()), float(values.max())
        return min(ends), max(ends)

    def values(self, ends: tuple[float, float] | None) -> np.ndarray:
        return self.target.values(self.times, self.duration, *(ends or (None, None)), log=self.log)

    def aim(self, among: np.ndarray, reach: float, clamp: bool) -> Aim:
        ends = self.ends(among)
        values, mask = self.values(ends), self.target.mask(self.times)
        column = self.table.column(self.name)[among]
        lowest, highest = float(np.nanmin(column)), float(np.nanmax(column))
        counted = values[mask] if mask.any() else values
        low, high = ends or (float(counted.min()), float(counted.max()))
        aim = Aim(
            self.name, self.unit, self.log, self.target.name, values, mask, self.weight, low, high,
            (lowest, highest), str(self.range) if self.range is not None else "the target's own", self.held,
        )
        self._check(aim, counted, reach, clamp)
        return aim

    def _check(self, aim: Aim, counted: np.ndarray, reach: float, clamp: bool) -> None:
        """Refuse or clamp values out of reach."""
        slack = BEND_REACH if self.name == "f0" else reach
        lowest, highest = aim.reach
        if self.log:
            lowest, highest = lowest * 2.0**-slack, highest * 2.0**slack
        else:
            slack *= highest - lowest
            lowest, highest = lowest - slack, highest + slack
        if counted.min() >= lowest * (1 - 1e-9) and counted.max() <= highest * (1 + 1e-9):
            return
        unit = f" {aim.unit}" if aim.unit else ""
        what = (
            f"{aim.name}: {aim.target} asks for {counted.min():.5g} to {counted.max():.5g}{unit}, "
            f"but here this timbre reaches {aim.reach[0]:.5g} to {aim.reach[1]:.5g}{unit}"
        )
        if not clamp:
            raise UsageError(f"{what}; give a --range inside it, or --clamp to cut what is outside")
        warn(f"{what}; cut to that")
        aim.values = np.clip(aim.values, lowest, highest)
        aim.low, aim.high = (float(np.clip(end, lowest, highest)) for end in (aim.low, aim.high))
