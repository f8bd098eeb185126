"""A target: what a descriptor should do over time, in the descriptor's own unit.

Every target is a pure function of time, so that a long render can ask for it chunk by chunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vqsynth.control.ranges import Range
from vqsynth.errors import UsageError


@dataclass(frozen=True, eq=False, kw_only=True)
class Target:
    """Base of all targets; a subclass gives ``_curve`` and sets what it does with a range."""

    name: str
    """What the user wrote, for messages and reports."""
    unit: str | None = None
    """``"Hz"`` or ``"dB"`` where the target itself fixes it, else None."""
    default_range: Range | None = None
    """Range to use when none is asked for; set whenever ``needs_range``."""
    natural_duration: float | None = None
    """Seconds that the curve lasts (files), or None where it fills any duration."""

    takes_range: ClassVar[bool] = False
    """Whether a range changes anything: not for a note, a number or MIDI."""

    @property
    def needs_range(self) -> bool:
        """Whether ``values`` must be given ``lo`` and ``hi``."""
        return False

    @property
    def has_gain(self) -> bool:
        """Whether ``gain`` returns a curve."""
        return False

    def values(
        self,
        times: np.ndarray,
        duration: float,
        lo: float | None = None,
        hi: float | None = None,
        *,
        log: bool = False,
    ) -> np.ndarray:
        """Return the wanted value at each time.

        Args:
            times: [T] seconds from the start.
            duration: seconds of the whole render; shapes stretch to it.
            lo: descriptor value of the shape's 0. Files are stretched onto ``lo`` and ``hi`` only if these are given;
                notes, numbers and MIDI take no notice.
            hi: descriptor value of the shape's 1.
            log: map on a logarithmic scale (for descriptors whose ``scale`` is ``"log"``).

        Returns:
            [T] float64, always finite, in the descriptor's unit.

        Raises:
            UsageError: a range is missing, or has an end at or below 0 on a logarithmic scale.
        """
        if not duration > 0:
            raise UsageError(f"duration {duration:g} s: give a duration above 0")
        if self.needs_range and (lo is None or hi is None):
            raise UsageError(f"target {self.name}: give it a range, such as 500:3000 or p10:p90")
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # refused below
            curve = self._curve(np.asarray(times, dtype=np.float64), float(duration), lo, hi, log)
        if not np.isfinite(curve).all():
            raise UsageError(f"target {self.name}: runs beyond all numbers; give smaller ones")
        return curve

    def _curve(self, times: np.ndarray, duration: float, lo: float | None, hi: float | None, log: bool) -> np.ndarray:
        raise TypeError(f"{type(self).__name__} has no curve")

    def mask(self, times: np.ndarray) -> np.ndarray:
        """Return [T] bool: where the target asks for something (not in rests or unvoiced sound)."""
        return np.ones(np.shape(times), dtype=bool)

    def gain(self, times: np.ndarray) -> np.ndarray | None:
        """Return the companion gain curve [T] in dB (0 dB = -20 LUFS), or None if there is none."""
        return None

    def brightness(self, times: np.ndarray, slope: float = 0.0) -> np.ndarray | None:
        """Return octaves [T] by which the sound is to be brighter than else, or None if nothing is said of it.

        Args:
            times: [T] seconds.
            slope: octaves for each dB that is played louder.
        """
        return None


@dataclass(frozen=True)
class Vibrato:
    """A sinusoidal pitch movement that sets in after ``onset`` s and grows over ``ramp`` s."""

    rate: float
    cents: float
    onset: float = 0.0
    ramp: float = 0.0

    def factor(self, times: np.ndarray) -> np.ndarray:
        """Return [T] factors on a frequency."""
        since = np.maximum(times - self.onset, 0.0)
        depth = self.cents * (np.minimum(since / self.ramp, 1.0) if self.ramp > 0 else 1.0)
        return 2.0 ** (depth * np.sin(2 * np.pi * self.rate * since) / 1200.0)


@dataclass(frozen=True, eq=False, kw_only=True)
class Constant(Target):
    """A note or a number, held."""

    value: float
    vibrato: Vibrato | None = None

    def _curve(self, times: np.ndarray, duration: float, lo: float | None, hi: float | None, log: bool) -> np.ndarray:
        held = np.full(times.shape, self.value)
        return held * self.vibrato.factor(times) if self.vibrato else held


def to_range(shape: np.ndarray, lo: float, hi: float, log: bool) -> np.ndarray:
    """Map a shape [T] in 0..1 onto lo..hi, evenly or evenly in octaves.

    Raises:
        UsageError: an end at or below 0 with ``log``, or not finite.
    """
    if not (np.isfinite(lo) and np.isfinite(hi)):
        raise UsageError(f"range {lo:g}:{hi:g}: both ends must be finite numbers")
    if not log:
        return lo + shape * (hi - lo)
    if lo <= 0 or hi <= 0:
        raise UsageError(f"range {lo:g}:{hi:g}: this descriptor has a logarithmic scale, so both ends must be above 0")
    return lo * (hi / lo) ** shape


def rescale(values: np.ndarray, own: tuple[float, float], lo: float, hi: float, log: bool) -> np.ndarray:
    """Stretch values [T] so that ``own`` (their low and high) falls onto lo..hi; a flat curve goes to the middle."""
    low, high = own
    log_in = log and low > 0
    if log_in:
        values, low, high = np.log(np.maximum(values, low)), np.log(low), np.log(high)
    shape = (values - low) / (high - low) if high > low else np.full(values.shape, 0.5)
    return to_range(np.clip(shape, 0.0, 1.0), lo, hi, log)


def phase(times: np.ndarray, duration: float, periods: float) -> np.ndarray:
    """Position [T] in 0..1 within each of ``periods`` repeats; the very end counts as 1, not as a new start."""
    turns = np.clip(times / duration, 0.0, 1.0) * periods
    wrapped = turns - np.floor(turns)
    return np.where((turns >= periods) & (wrapped == 0.0), 1.0, wrapped)
