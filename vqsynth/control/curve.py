"""Curves that stand for something else than a descriptor: a target, with ``@LO:HI`` behind it for its range."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from vqsynth.control.quantity import check_unit
from vqsynth.control.ranges import parse_range
from vqsynth.control.targets import Target, parse_target
from vqsynth.errors import UsageError
from vqsynth.storage.reading import is_file

Written = str | float | Target
"""A target as it is written, with ``@LO:HI`` behind it for its range; a number; or a target."""


@dataclasses.dataclass(frozen=True)
class CurveKind:
    """What a curve is for.

    Attributes:
        field: the argument that it is given as.
        unit: of its values; empty for plain numbers.
        range: that a shape is laid on when none is written.
        log: whether a shape is laid out in octaves.
        column: of a CSV that has several; None takes ``value`` or the second.
        measured: descriptor that a recording is measured by; None refuses recordings.
        advice: what its numbers mean, for messages.
    """

    field: str
    unit: str
    range: str
    log: bool = False
    column: str | None = None
    measured: str | None = None
    advice: str = ""


@dataclasses.dataclass(frozen=True)
class Curve:
    """A curve that was read.

    Attributes:
        kind: what it is for.
        text: as it was written.
        target: what it does.
        ends: the range that it is laid on, if it is laid on one.
    """

    kind: CurveKind
    text: str
    target: Target
    ends: tuple[float, float] | tuple[None, None]


def split_range(text: str) -> tuple[str, str]:
    """A target and the range behind its ``@``, which is empty without one; a file may have an ``@`` in its name."""
    spec, mark, range_ = text.rpartition("@")
    return (text, "") if not mark or is_file(text) else (spec, range_)


def read_curve(
    written: Written,
    kind: CurveKind,
    *,
    seed: int | None = None,
    sample_rate: int = 44_100,
    percentile: Callable[[float], float] | None = None,
) -> Curve:
    """Read a curve.

    Args:
        written: a target as it is written, a number, or a target.
        kind: what it is for.
        seed: of shapes that walk.
        sample_rate: at which recordings are measured, Hz.
        percentile: value at a percentile, for ranges such as ``p10:p90``; None refuses them.

    Raises:
        UsageError: it cannot be read, is in another unit, or fixes its own values and has a range behind it.
    """
    if isinstance(written, Target):
        return Curve(kind, written.name, written, _ends(kind, written, "", written.name, percentile))
    text = (written if isinstance(written, str) else f"{float(written):g}").strip()
    spec, range_ = split_range(text)
    try:
        target = parse_target(
            spec, descriptor=_descriptor(kind, spec), unit=kind.unit or None, seed=seed, sample_rate=sample_rate
        )
        if not kind.unit and target.unit:
            raise UsageError(f"is in {target.unit}; give a plain number, {kind.advice}")
        return Curve(kind, text, target, _ends(kind, target, range_, text, percentile))
    except UsageError as error:
        # A message that begins with the file needs no more.
        if error.field is not None or (spec in str(error) and Path(spec).suffix):
            raise
        raise UsageError(str(error), field=kind.field, value=text) from None


def _descriptor(kind: CurveKind, spec: str) -> str | None:
    """Column of a CSV, or what is measured on a recording."""
    from vqsynth.corpus.files import SUFFIXES

    if Path(spec).suffix.lower() not in SUFFIXES:
        return kind.column
    if kind.measured is None:
        raise UsageError("cannot be measured on a recording; give a CSV, a shape or a number")
    return kind.measured


def _ends(
    kind: CurveKind, target: Target, range_: str, text: str, percentile: Callable[[float], float] | None
) -> tuple[float, float] | tuple[None, None]:
    """The range that a curve is laid on, if one is."""
    if range_ and not target.takes_range:
        raise UsageError(f"fixes its own values; leave @{range_} out", field=kind.field, value=text)
    if not range_ and not target.needs_range:
        return None, None
    read = parse_range(range_ or kind.range)
    check_unit(read.unit, kind.unit, "its range", field=kind.field, value=text)
    return read.resolve(percentile)
