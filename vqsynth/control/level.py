"""How loud a render is: a gain curve in dB, the loudness that is asked for, or the level that a target brings."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vqsynth.control.request import Request
from vqsynth.control.resolve import ResolvedTarget
from vqsynth.control.targets import GAIN_RANGE, Target, parse_range, parse_target
from vqsynth.dsp.loudness import UNIT_LUFS
from vqsynth.errors import UsageError

SILENCE_DB = -80.0
LOUDEST_DB = 60.0
_LOUDNESS_RANGE = parse_range(f"{UNIT_LUFS - 30:g}:{UNIT_LUFS:g}")


def check_gain(gain_db: float) -> None:
    """Refuse a gain that is not finite or above 60 dB.

    Args:
        gain_db: in dB.

    Raises:
        UsageError: it is.
    """
    if not -math.inf < gain_db <= LOUDEST_DB:
        raise UsageError(f"give at most {LOUDEST_DB:g} dB", field="gain_db", value=f"{gain_db:g}")


def read_gain(gain: float | str | Target | None, periods: float | None, seed: int, sample_rate: int) -> Target | None:
    """A number in dB, or a target: a constant is one too.

    Raises:
        UsageError: it cannot be read, or is not finite.
    """
    if gain is None or isinstance(gain, Target):
        return gain
    return parse_target(str(gain), descriptor="gain", periods=periods, seed=seed, sample_rate=sample_rate)


def gain_curve(
    gain: Target | None, gain_range: str | None, requests: Sequence[Request], times: np.ndarray, duration: float
) -> np.ndarray:
    """Gain of every frame in dB, 0 dB being -20 LUFS: float64 [frames].

    Without ``gain``, that of the first target which has one (the velocities of a MIDI file), else 0.

    Raises:
        UsageError: a range that does not fit, or values above 60 dB.
    """
    if gain is not None:
        if gain_range is not None and not gain.takes_range:
            raise UsageError(
                f"gain {gain.name} fixes its own values; leave one out", field="gain_range", value=gain_range
            )
        range_ = parse_range(gain_range) if gain_range is not None else gain.default_range if gain.needs_range else None
        if range_ is not None and range_.needs_table:
            range_ = GAIN_RANGE
        values = gain.values(times, duration, *(range_.resolve() if range_ is not None else (None, None)))
    else:
        companion = next((r.target for r in requests if isinstance(r.target, Target) and r.target.has_gain), None)
        given = companion.gain(times) if companion is not None else None
        values = np.zeros(len(times)) if given is None else given
    if not (values <= LOUDEST_DB).all():
        raise UsageError(f"{values.max():.4g} dB is far above full scale; give at most {LOUDEST_DB:g} dB", field="gain")
    return np.maximum(values, SILENCE_DB)


def loudness_target(request: Request, times: np.ndarray, duration: float) -> ResolvedTarget:
    """A loudness that is asked for: met by the gain, since every code is equally loud at gain 1.

    Raises:
        UsageError: a range in percentiles, which the table of equally loud codes cannot give.
    """
    target = request.target
    assert isinstance(target, Target)
    range_ = None if request.range is None else parse_range(request.range)
    if range_ is not None and range_.needs_table:
        raise UsageError(
            "codes are equally loud; give LUFS, such as -45:-20", field="range", value=f"{range_} of loudness"
        )
    if range_ is None and target.needs_range:
        range_ = _LOUDNESS_RANGE
    values = target.values(times, duration, *(range_.resolve() if range_ is not None else (None, None)))
    mask = target.mask(times) & (values > UNIT_LUFS + SILENCE_DB)
    ends = float(values.min()), float(values.max())
    return ResolvedTarget(
        "loudness",
        "LUFS",
        False,
        target.name,
        values,
        mask,
        request.weight,
        *ends,
        ends,
        str(range_ or "the target's own"),
    )
