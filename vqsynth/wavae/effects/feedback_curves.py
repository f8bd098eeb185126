"""What moves a feedback loop: frequency, Q and factor over time, as drawn by a user."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from vqsynth.control.curve import CurveKind, Written, read_curve
from vqsynth.control.targets import Target
from vqsynth.errors import UsageError
from vqsynth.streaming.band_pass import SEGMENT

Drawn = Written | np.ndarray
"""A curve as :data:`vqsynth.control.curve.Written`, or values at even times."""

KINDS = {
    "frequency": CurveKind(
        "frequency", "Hz", "200:4000", True, "frequency", "centroid", "the centre of the band in Hz"
    ),
    "q": CurveKind("q", "", "1:10", True, "q", advice="centre frequency over bandwidth"),
    "feedback": CurveKind(
        "feedback",
        "",
        "0:3",
        False,
        "feedback",
        advice="above 1 the loop grows up to its ceiling, below 1 it dies away",
    ),
}
LIMITS = {"frequency": (20.0, 16_000.0), "q": (0.1, 100.0), "feedback": (0.0, 100.0)}


@dataclasses.dataclass
class LoopCurve:
    """A curve of a loop.

    Attributes:
        kind: what it is for.
        text: what the user wrote.
        seconds: how long it lasts; None is as long as the sound.
        target: what it does, or values at even times.
        ends: the range that it is laid on, if it is laid on one.
    """

    kind: CurveKind
    text: str
    seconds: float | None
    target: Target | np.ndarray
    ends: tuple[float, float] | tuple[None, None] = (None, None)

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
        low, high = LIMITS[self.kind.field]
        if self.kind.unit == "Hz":
            high = min(high, 0.45 * sample_rate)
        wrong = ~((values >= low) & (values <= high))
        if wrong.any():
            first, unit = int(np.argmax(wrong)), f" {self.kind.unit}" if self.kind.unit else ""
            raise UsageError(
                f"asks for {values[first]:.5g}{unit} at {times[first]:.2f} s; "
                f"give {low:g} to {high:g}{unit} ({self.kind.advice})",
                field=self.kind.field,
                value=self.text,
            )
        return values


def read_loop_curve(name: str, drawn: Drawn, seed: int, sample_rate: int) -> LoopCurve:
    """Read one of ``frequency``, ``q`` and ``feedback``.

    A CSV may hold all three, in columns of these names. A recording moves the frequency by its centroid.

    Args:
        name: which of the three.
        drawn: the curve.
        seed: of shapes that walk.
        sample_rate: of the loop, Hz.

    Raises:
        UsageError: it cannot be read, is in another unit, or holds no finite number.
    """
    kind = KINDS[name]
    if isinstance(drawn, np.ndarray) and drawn.ndim:
        if drawn.ndim != 1 or not np.isfinite(drawn).all():
            raise UsageError(f"values must be finite numbers in one row, {kind.advice}", field=name)
        return LoopCurve(kind, "drawn", None, drawn.astype(np.float64))
    read = read_curve(
        drawn if isinstance(drawn, (str, Target)) else float(drawn), kind, seed=seed, sample_rate=sample_rate
    )
    return LoopCurve(kind, read.text, read.target.natural_duration, read.target, read.ends)


def length(curves: Sequence[LoopCurve], default: float) -> float:
    """Seconds of the longest curve that has a length of its own."""
    return max((curve.seconds for curve in curves if curve.seconds), default=default)
