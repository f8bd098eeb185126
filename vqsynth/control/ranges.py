"""Where a shape's 0 and 1 lie: absolute values, or percentiles of a timbre's descriptor table."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from vqsynth.control.quantity import parse_quantity
from vqsynth.errors import UsageError

PERCENTILE = re.compile(r"[pP](\d+(?:\.\d*)?)")


@dataclass(frozen=True)
class End:
    """One end of a range: a value in the descriptor's unit, or a percentile (0 to 100)."""

    value: float
    percentile: bool = False
    unit: str | None = None

    def __str__(self) -> str:
        return f"p{self.value:g}" if self.percentile else f"{self.value:.6g}"


@dataclass(frozen=True)
class Range:
    """Two ends; ``lo`` above ``hi`` turns a shape upside down."""

    lo: End
    hi: End

    @property
    def needs_table(self) -> bool:
        """Whether an end is a percentile, so that a descriptor table is needed to resolve it."""
        return self.lo.percentile or self.hi.percentile

    @property
    def unit(self) -> str | None:
        """The unit that was written (``"Hz"``, ``"dB"``), or None."""
        return self.lo.unit or self.hi.unit

    def resolve(self, percentile: Callable[[float], float] | None = None) -> tuple[float, float]:
        """Return ``(lo, hi)`` in the descriptor's unit.

        Args:
            percentile: gives the value at a percentile 0..100; only called for percentile ends.

        Raises:
            UsageError: an end is a percentile and there is no table to ask.
        """
        if percentile is None:
            if self.needs_table:
                raise UsageError(f"range {self}: there is no table to take percentiles of; give both ends as values")
            return self.lo.value, self.hi.value
        lo, hi = (float(percentile(end.value)) if end.percentile else end.value for end in (self.lo, self.hi))
        return lo, hi

    def __str__(self) -> str:
        return f"{self.lo}:{self.hi}"


def _parse_end(text: str, spec: str) -> End:
    match = PERCENTILE.fullmatch(text)
    if match:
        percentile = float(match.group(1))
        if percentile > 100:
            raise UsageError(f"range {spec!r}: percentile {text} is above p100; use p0 to p100")
        return End(percentile, percentile=True)
    quantity = parse_quantity(text)
    if quantity is None:
        raise UsageError(
            f"range {spec!r}: cannot read {text!r}; give values, percentiles or notes: 500:3000, p10:p90, A3:A5"
        )
    return End(quantity[0], unit=quantity[1])


def parse_range(spec: str | Range) -> Range:
    """Read ``500:3000``, ``p10:p90``, ``A3:A5``, ``300Hz:2kHz``, or a mixture such as ``p10:2kHz``.

    Raises:
        UsageError: not two ends, an unreadable or non-finite end, or a percentile above 100.
    """
    if isinstance(spec, Range):
        return spec
    ends = [end.strip() for end in str(spec).split(":")]
    if len(ends) != 2 or not all(ends):
        raise UsageError(f"range {spec!r}: write two ends with a colon between, such as 500:3000, p10:p90 or A3:A5")
    try:
        lo, hi = (_parse_end(end, spec) for end in ends)
    except UsageError as error:
        message = str(error)
        raise UsageError(message if message.startswith("range ") else f"range {spec!r}: {message}") from None
    if lo.unit and hi.unit and lo.unit != hi.unit:
        raise UsageError(f"range {spec!r}: one end is in {lo.unit}, the other in {hi.unit}; use one unit")
    return Range(lo, hi)


TABLE_RANGE = parse_range("p10:p90")  # a shape for a descriptor, when no range is asked for
GAIN_RANGE = parse_range("-30dB:0dB")  # a shape for the gain
