"""From requests (a descriptor, a target, a range) to resolved targets: one value a frame, within reach of the timbre.

Percentile ranges are taken among the codes that can meet the other requests. A pitch that nobody asked for is
held where the asked range is reached best.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vqsynth import descriptors
from vqsynth.control.default_pitch import MIN_CODES, NEAR_F0, best_pitch
from vqsynth.control.request import Request
from vqsynth.control.targets import TABLE_RANGE, Constant, Target, parse_range, parse_target
from vqsynth.dsp.notes import note_name
from vqsynth.errors import UsageError, warn

if TYPE_CHECKING:
    from vqsynth.library.table import Table

VOICED = 0.7
"""Share of voiced frames from which a code can carry a pitch."""
UNSTEADY = 0.03
"""Spread of a code's pitch, as a share of it, from which the code is no use for one."""
NEAR = 1 / 12
"""Octaves by which a code may miss another range and still meet it; of a linear scale, a tenth of its spread."""
_ODD_FRAMES = 0.05
BEND_REACH = 1 / 12
"""Octaves beyond the codes' own pitches that bending can carry one."""


@dataclasses.dataclass
class ResolvedTarget:
    """A request on the frame grid.

    Attributes:
        values: float64 [frames] in the descriptor's unit.
        mask: bool [frames], where it counts.
        low: lower end of the range that the shape was mapped to, or that the values span.
        high: its upper end.
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

    def scaled(self, values: np.ndarray | float) -> np.ndarray:
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
    usual_pitch: float | None = None,
) -> list[ResolvedTarget]:
    """Fix ranges and the held pitch, and sample every target.

    Args:
        requests: what is asked for.
        table: what the codes sound like.
        times: [frames] seconds.
        duration: of the whole render, in seconds.
        hold: ``"auto"``, a note or Hz for a pitch that is not asked for, or None to leave it free.
        reach: octaves beyond the codes' own values that trims can carry a spectral descriptor.
        clamp: cut values out of reach, with a warning, instead of refusing them.
        usual_pitch: in Hz; a pitch that is held without being asked for is not far from it without need.

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
    pitch = best_pitch(table, voiced(table), [(w.name, w.span) for w in wanted], usual_pitch)
    if pitch is None:
        return _fix(wanted, table, reach, clamp)
    held = _Wanted(
        Request("f0", Constant(name=f"held at {note_name(pitch)}", unit="Hz", value=pitch)),
        table,
        times,
        duration,
        True,
    )
    if clamp:
        return _fix([*wanted, held], table, reach, clamp)
    try:
        return _fix([*wanted, held], table, reach, clamp)
    except UsageError:
        resolved = _fix(wanted, table, reach, clamp)
        warn("the pitch is left free, because no single pitch reaches all that is asked for")
        return resolved


def _fix(wanted: Sequence[_Wanted], table: Table, reach: float, clamp: bool) -> list[ResolvedTarget]:
    """Resolve in the order of dependence, then check each against the codes that the others leave."""
    fixed: dict[str, ResolvedTarget] = {}
    for item in wanted:
        if not _left([], item.name, table).any():
            raise UsageError(f"{item.name}: none of this timbre's codes has one; ask for another descriptor")
    for item in sorted(wanted, key=lambda w: w.relative):
        fixed[item.name] = item.goal(_left(fixed.values(), item.name, table))
    resolved = [fixed[item.name] for item in wanted]
    for item, goal in zip(wanted, resolved):
        others = [fixed[w.name] for w in wanted if w is not item and not (w.relative and not item.relative)]
        among = _left(others, item.name, table)
        column = table.column(item.name)[among]
        goal.reach = float(column.min()), float(column.max())
        if not item.relative:
            _check(goal, reach, clamp)
    return resolved


def meets(goal: ResolvedTarget, table: Table, slack: float = 1.0) -> np.ndarray:
    """Codes whose value lies in the target's range, or near it; ``slack`` scales how near. Shape: bool [K]."""
    column = table.column(goal.name)
    known = np.isfinite(column) & (voiced(table) if goal.name == "f0" else True)
    own = goal.scaled(np.where(known, column, 1.0))
    low, high = sorted((float(goal.scaled(goal.low)), float(goal.scaled(goal.high))))
    near = NEAR_F0 if goal.name == "f0" else NEAR if goal.log else 0.1 * float(own[known].std())
    return known & (own >= low - slack * near) & (own <= high + slack * near)


def _left(others: Iterable[ResolvedTarget], name: str, table: Table) -> np.ndarray:
    """Codes that can meet the other targets, taken more loosely while they are few; all where none can.

    Shape: bool [K]
    """
    usable = voiced(table) if name == "f0" else np.isfinite(table.column(name))
    others = list(others)
    for slack in (1.0, 2.0, 4.0):
        among = usable.copy()
        for goal in others:
            among &= meets(goal, table, slack)
        if among.sum() >= MIN_CODES:
            return among
    return usable


def voiced(table: Table) -> np.ndarray:
    """Codes that carry a pitch, and one only. Shape: bool [K]."""
    f0, spread = table.column("f0"), table.std["f0"]
    # The spread of a single code's pitch is near 0, unless its sound is heard as now one note, now another.
    steady = ~(spread > UNSTEADY * f0)
    return np.isfinite(f0) & steady & (table.voicing >= VOICED if table.voicing is not None else True)


class _Wanted:
    """A request whose target is read but whose range may still depend on the others."""

    def __init__(self, request: Request, table: Table, times: np.ndarray, duration: float, held: bool = False) -> None:
        descriptor = descriptors.get(request.descriptor)
        self.name, self.unit, self.log, self.held = descriptor.name, descriptor.unit, descriptor.scale == "log", held
        self.table, self.times, self.duration = table, times, duration
        self.target = target = (
            request.target
            if isinstance(request.target, Target)
            else parse_target(request.target, descriptor=self.name, unit=self.unit)
        )
        if not (np.isfinite(request.weight) and request.weight > 0):
            raise UsageError("give a number above 0", field="weight", value=f"{request.weight:g} of {self.name}")
        self.weight = request.weight
        range_ = None if request.range is None else parse_range(request.range)
        if range_ is not None and not target.takes_range:
            raise UsageError(
                f"target {target.name} fixes its own values and takes no range; leave one out",
                field="range",
                value=range_,
            )
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

    def goal(self, among: np.ndarray) -> ResolvedTarget:
        """The goal, with its range taken among some codes."""
        ends = self.ends(among)
        values, mask = self.values(ends), self.target.mask(self.times)
        counted = values[mask] if mask.any() else values
        low, high = ends or (float(counted.min()), float(counted.max()))
        source = str(self.range) if self.range is not None else "the target's own"
        return ResolvedTarget(
            self.name,
            self.unit,
            self.log,
            self.target.name,
            values,
            mask,
            self.weight,
            low,
            high,
            (low, high),
            source,
            self.held,
        )


def _check(goal: ResolvedTarget, reach: float, clamp: bool) -> None:
    """Refuse values out of reach, or cut them: all with ``clamp``, and a few odd frames without."""
    slack = BEND_REACH if goal.name == "f0" else reach
    lowest, highest = goal.reach
    if goal.log:
        lowest, highest = lowest * 2.0**-slack, highest * 2.0**slack
    else:
        slack *= highest - lowest
        lowest, highest = lowest - slack, highest + slack
    counted = goal.values[goal.mask] if goal.mask.any() else goal.values
    outside = float(np.mean((counted < lowest * (1 - 1e-9)) | (counted > highest * (1 + 1e-9))))
    if outside == 0:
        return
    unit = f" {goal.unit}" if goal.unit else ""
    low, high = float(counted.min()), float(counted.max())
    asked = f"{low:.5g}{unit}" if low == high else f"{low:.5g} to {high:.5g}{unit}"
    reached = f"{goal.reach[0]:.5g} to {goal.reach[1]:.5g}{unit}"
    what = f"{goal.name}: {goal.target} asks for {asked}, but this timbre reaches {reached} here"
    if not clamp and outside > _ODD_FRAMES:
        raise UsageError(
            f"{what}; ask for values inside it (a `range` maps a curve onto it), or add `clamp` to cut what is outside"
        )
    warn(f"{what}; {outside:.0%} of the frames were cut to that")
    goal.values = np.clip(goal.values, lowest, highest)
    goal.low, goal.high = (float(np.clip(end, lowest, highest)) for end in (goal.low, goal.high))
