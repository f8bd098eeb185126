"""What moves a feedback loop: frequency, Q and factor over time, as drawn by a user."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vqsynth.control.targets import Target, check_unit, parse_range, parse_target
from vqsynth.errors import UsageError
from vqsynth.storage.reading import is_file
from vqsynth.streaming.band_pass import SEGMENT

Drawn = str | float | np.ndarray | Target
"""A target as it is written, with ``@LO:HI`` behind it for its range; a number; a target; or values at even times."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """A curve's unit, limits, the range of a shape, and whether that is laid out in octaves."""

    name: str
    unit: str
    low: float
    high: float
    range: str
    log: bool
    advice: str


KINDS = {
    "frequency": Kind("frequency", "Hz", 20.0, 16_000.0, "200:4000", True, "the centre of the band in Hz"),
    "q": Kind("q", "", 0.1, 100.0, "1:10", True, "centre frequency over bandwidth"),
    "feedback": Kind(
        "feedback", "", 0.0, 100.0, "0:3", False, "above 1 the loop grows up to its ceiling, below 1 it dies away"
    ),
}


@dataclasses.dataclass
class Curve:
    """A read curve: ``text`` is what the user wrote, ``seconds`` how long it lasts (None: as long as the sound)."""

    kind: Kind
    text: str
    seconds: float | None
    target: Target | np.ndarray
    ends: tuple[float | None, float | None] = (None, None)

    def sample(self, samples: int, sample_rate: int) -> np.ndarray:
        """Values at every 64th sample, as often as the band-pass can move. Shape: [ceil(samples / 64)].

        Raises:
            UsageError: a value is no number, or out of its limits; the message says where.
        """
        times = np.arange(0, samples, SEGMENT) / sample_rate
        if isinstance(self.target, np.ndarray):
            values = np.interp(times, np.linspace(0.0, samples / sample_rate, len(self.target)), self.target)
        else:
            values = self.target.values(times, samples / sample_rate, *self.ends, log=self.kind.log)
        low, high = self.kind.low, min(self.kind.high, 0.45 * sample_rate) if self.kind.unit == "Hz" else self.kind.high
        wrong = ~((values >= low) & (values <= high))
        if wrong.any():
            first, unit = int(np.argmax(wrong)), f" {self.kind.unit}" if self.kind.unit else ""
            raise UsageError(
                f"asks for {values[first]:.5g}{unit} at {times[first]:.2f} s; "
                f"give {low:g} to {high:g}{unit} ({self.kind.advice})",
                field=self.kind.name,
                value=self.text,
            )
        return values


def read_curve(name: str, drawn: Drawn, seed: int, sample_rate: int) -> Curve:
    """Read one of ``frequency``, ``q`` and ``feedback``.

    A CSV may hold all three, in columns of these names. A recording moves the frequency by its centroid.

    Raises:
        UsageError: it cannot be read, is in another unit, or holds no finite number.
    """
    kind = KINDS[name]
    if isinstance(drawn, np.ndarray) and drawn.ndim:
        if drawn.ndim != 1 or not np.isfinite(drawn).all():
            raise UsageError(f"values must be finite numbers in one row, {kind.advice}", field=name)
        return Curve(kind, "drawn", None, drawn.astype(np.float64))
    if isinstance(drawn, Target):
        return Curve(kind, drawn.name, drawn.natural_duration, drawn, _ends(kind, drawn, "", drawn.name))
    text = (drawn if isinstance(drawn, str) else f"{float(drawn):g}").strip()
    spec, mark, range_ = text.rpartition("@")
    if not mark or is_file(text):
        spec, range_ = text, ""
    try:
        target = parse_target(
            spec, descriptor=_column(name, spec), unit=kind.unit or None, seed=seed, sample_rate=sample_rate
        )
    except UsageError as error:
        if spec in str(error) and Path(spec).suffix:
            raise
        raise UsageError(str(error), field=name, value=text) from None
    if not kind.unit and target.unit:
        raise UsageError(f"is in {target.unit}; give a plain number, {kind.advice}", field=name, value=text)
    return Curve(kind, text, target.natural_duration, target, _ends(kind, target, range_, text))


def _column(name: str, spec: str) -> str:
    """Column of a CSV, or what is measured on a recording."""
    from vqsynth.corpus.files import SUFFIXES

    if Path(spec).suffix.lower() not in SUFFIXES:
        return name
    if name != "frequency":
        raise UsageError("cannot be measured on a recording; give a CSV, a shape or a number", field=name, value=spec)
    return "centroid"


def _ends(kind: Kind, target: Target, range_: str, text: str) -> tuple[float | None, float | None]:
    """The range that a curve is laid on, if one is."""
    if range_ and not target.takes_range:
        raise UsageError(f"fixes its own values; leave @{range_} out", field=kind.name, value=text)
    if not range_ and not target.needs_range:
        return None, None
    read = parse_range(range_ or kind.range)
    check_unit(read.unit, kind.unit, "its range", field=kind.name, value=text)
    return read.resolve()


def length(curves: Sequence[Curve], default: float) -> float:
    """Seconds of the longest curve that has a length of its own."""
    return max((curve.seconds for curve in curves if curve.seconds), default=default)
