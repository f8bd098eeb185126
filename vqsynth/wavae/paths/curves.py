"""Curves that a user draws over a latent path, in the unit of what they replace."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from vqsynth.control.targets import Target, check_unit, parse_range, parse_target
from vqsynth.dsp.loudness import FLOOR_DB
from vqsynth.errors import UsageError
from vqsynth.storage.reading import is_file

if TYPE_CHECKING:
    from vqsynth.wavae.paths.latent_path import LatentPath


@dataclasses.dataclass(frozen=True)
class Kind:
    """What a curve is for: its unit, the range of a shape, and whether that is laid out in octaves."""

    unit: str
    range: str
    log: bool = False


KINDS = {
    "curve": Kind("standard deviations", "-2:2"),
    "loudness": Kind("LUFS", "-40:-15"),
    "centroid": Kind("Hz", "500:4000", log=True),
}


def drawn(path: LatentPath, values: str | float | np.ndarray | Target, kind: str) -> tuple[np.ndarray, str]:
    """The curve at every frame of ``path``.

    Args:
        path: the path that the curve is for.
        values: a target as it is written, with ``@LO:HI`` behind it for its range; a number; a target; or values
            [frames].
        kind: ``curve`` (standard deviations), ``loudness`` (dB LUFS) or ``centroid`` (Hz).

    Returns:
        (float64 [frames], finite; the text that stands for it)

    Raises:
        UsageError: it cannot be read, is in another unit, does not have a value a frame, or is not finite.
    """
    if isinstance(values, np.ndarray) and values.ndim:
        if values.shape != (len(path),):
            raise UsageError(
                f"{list(values.shape)} values for a path of {len(path)} frames; give one a frame", field=kind
            )
        if not np.isfinite(values).all():
            raise UsageError(f"its values must be finite; frame {np.argmin(np.isfinite(values))} is not", field=kind)
        return values.astype(np.float64), "drawn"
    target, range_, text = _read(values, kind, path.sample_rate)
    how = KINDS[kind]
    ends: tuple[float | None, float | None] = (None, None)
    if range_ is not None or target.needs_range:
        read = parse_range(range_ or how.range)
        check_unit(read.unit, how.unit, "its range", field=kind, value=text)
        ends = read.resolve(_percentile(path, kind))
    duration = path.samples / path.sample_rate
    curve = target.values(path.times, duration, *ends, log=how.log)
    if kind == "loudness":  # where a recording is silent, or over
        curve = np.where(target.mask(path.times), curve, FLOOR_DB)
    return curve, text


def _read(values: str | float | np.ndarray | Target, kind: str, sample_rate: int) -> tuple[Target, str | None, str]:
    """The target, the range that was written behind it, and the whole as text."""
    if isinstance(values, Target):
        return values, None, values.name
    text = (values if isinstance(values, str) else f"{float(values):g}").strip()
    spec, mark, range_ = text.rpartition("@")
    if not mark or is_file(text):
        spec, range_ = text, ""
    if kind == "curve":
        from vqsynth.corpus.files import SUFFIXES

        if Path(spec).suffix.lower() in SUFFIXES:
            raise UsageError(
                "a dimension cannot be measured on a recording; give a CSV, a shape or a number", field=kind, value=spec
            )
    target = parse_target(
        spec, descriptor=None if kind == "curve" else kind, unit=KINDS[kind].unit, sample_rate=sample_rate
    )
    if range_ and not target.takes_range:
        raise UsageError(f"{spec} fixes its own values; leave @{range_} out", field=kind, value=text)
    return target, range_ or None, text


def _percentile(path: LatentPath, kind: str) -> Callable[[float], float]:
    """Percentiles in a range: of a standard Gaussian for a dimension, of the path's own values for a control."""
    if kind == "curve":
        return lambda p: float(np.clip(special.ndtri(p / 100), -4.0, 4.0))
    values = path.controls[:, path.names.index(kind)]
    return lambda p: float(np.percentile(values, p))
