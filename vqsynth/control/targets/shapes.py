"""Shapes in 0..1 that stretch to any duration and range."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vqsynth.control.targets.base import Target, phase, to_range
from vqsynth.errors import UsageError

DECADE = 9.0  # log and exp run through one decade: log10(1 + 9 u) and its inverse
WALK_MOVES = 8  # per period
STEPS = 5
MAX_PERIODS = 100_000


def sin(u: np.ndarray) -> np.ndarray:
    """One turn from the middle up, down and back: (1 + sin 2 pi u) / 2."""
    return 0.5 + 0.5 * np.sin(2 * np.pi * u)


def log(u: np.ndarray) -> np.ndarray:
    """Rise, fast then slow: log10(1 + 9 u)."""
    return np.log10(1.0 + DECADE * u)


def exp(u: np.ndarray) -> np.ndarray:
    """Rise, slow then fast: (10^u - 1) / 9, the inverse of ``log``."""
    return (10.0**u - 1.0) / DECADE


def arch(u: np.ndarray) -> np.ndarray:
    """Logarithmic rise to 1 at the middle, then exponential fall."""
    return np.where(u < 0.5, log(np.minimum(2 * u, 1.0)), exp(np.clip(2 - 2 * u, 0.0, 1.0)))


def line(u: np.ndarray) -> np.ndarray:
    """Even rise: u."""
    return u


def constant(u: np.ndarray) -> np.ndarray:
    """The middle of the range."""
    return np.full(u.shape, 0.5)


def steps(u: np.ndarray, count: int) -> np.ndarray:
    """``count`` equal levels from 0 up to 1."""
    if count == 1:
        return constant(u)
    return np.minimum(np.floor(u * count), count - 1) / (count - 1)


def walk(u: np.ndarray, moves: int, seed: int) -> np.ndarray:
    """Gaussian random walk of ``moves`` moves, joined by monotone cubics, from lowest 0 to highest 1."""
    from scipy.interpolate import PchipInterpolator

    knots = np.cumsum(np.random.default_rng(seed).standard_normal(moves + 1))
    knots = (knots - knots.min()) / np.ptp(knots)
    return PchipInterpolator(np.linspace(0.0, 1.0, moves + 1), knots)(u)


PLAIN: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sin": sin,
    "log": log,
    "exp": exp,
    "arch": arch,
    "line": line,
    "constant": constant,
}
NAMES = (*PLAIN, "steps", "walk")


@dataclass(frozen=True, eq=False, kw_only=True)
class Shape(Target):
    """A named shape; ``reverse`` turns it upside down, as a range with hi below lo does."""

    kind: str
    periods: float = 1.0
    count: int = STEPS
    seed: int = 0
    reverse: bool = False

    takes_range: ClassVar[bool] = True

    @property
    def needs_range(self) -> bool:
        return True

    def shape(self, times: np.ndarray, duration: float) -> np.ndarray:
        """Return the curve [T] in 0..1 before it is mapped onto a range."""
        times = np.asarray(times, dtype=np.float64)
        if self.kind == "walk":  # more periods make one longer walk, not the same one again
            unit = np.clip(times / duration, 0.0, 1.0)
            curve = walk(unit, max(2, round(WALK_MOVES * self.periods)), self.seed)
        elif self.kind == "steps":
            curve = steps(phase(times, duration, self.periods), self.count)
        else:
            curve = PLAIN[self.kind](phase(times, duration, self.periods))
        return 1.0 - curve if self.reverse else curve

    def _curve(self, times: np.ndarray, duration: float, lo: float | None, hi: float | None, log: bool) -> np.ndarray:
        assert lo is not None and hi is not None  # `values` asks for a range
        return to_range(self.shape(times, duration), lo, hi, log)


def check_periods(periods: float) -> float:
    """Return ``periods``, or raise UsageError unless it is above 0 and at most 100,000."""
    if not 0 < periods <= MAX_PERIODS:
        raise UsageError(f"periods {periods:g}: give a number above 0, at most {MAX_PERIODS:,}")
    return float(periods)


def check_count(count: int) -> int:
    """Return a number of steps, or raise UsageError unless it is a whole number from 1."""
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_PERIODS:
        raise UsageError(f"steps {count!r}: give a whole number from 1 to {MAX_PERIODS:,}")
    return count
