"""Curves that a user draws over a latent path, in the unit of what they replace."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from vqsynth.control.curve import CurveKind, Written, read_curve
from vqsynth.control.targets import Target
from vqsynth.dsp.loudness import FLOOR_DB
from vqsynth.errors import UsageError

if TYPE_CHECKING:
    from vqsynth.wavae.paths.latent_path import LatentPath

Curve = Written | np.ndarray
"""A target as it is written (``sin:3``, ``curve.csv``, ``line@-2:1``), a number, a target, or values of every frame."""
KINDS = {
    "curve": CurveKind("curve", "standard deviations", "-2:2"),
    "loudness": CurveKind("loudness", "LUFS", "-40:-15", False, "loudness", "loudness"),
    "pitch": CurveKind("pitch", "Hz", "220:440", True, "pitch", "f0"),
    "voicing": CurveKind("voicing", "", "0:1", False, "voicing", None, "0 (no pitch of its own) to 1 (one voice)"),
    "centroid": CurveKind("centroid", "Hz", "500:4000", True, "centroid", "centroid"),
}


def sample_curve(path: LatentPath, values: Curve, kind: str) -> tuple[np.ndarray, str]:
    """The curve at every frame of ``path``.

    Args:
        path: gives the times of the frames.
        values: a target as it is written, with ``@LO:HI`` behind it for its range; a number; a target; or values
            [frames].
        kind: ``curve`` (standard deviations), ``loudness`` (dB LUFS), ``pitch`` (Hz), ``voicing`` (0..1) or
            ``centroid`` (Hz).

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
    written = values if isinstance(values, (str, Target)) else float(values)
    read = read_curve(written, KINDS[kind], sample_rate=path.sample_rate, percentile=_percentile(path, kind))
    duration = path.samples / path.sample_rate
    curve = read.target.values(path.times, duration, *read.ends, log=read.kind.log)
    if kind == "loudness":  # where a recording is silent, or over
        curve = np.where(read.target.mask(path.times), curve, FLOOR_DB)
    return curve, read.text


def _percentile(path: LatentPath, kind: str) -> Callable[[float], float] | None:
    """Percentiles in a range: of a standard Gaussian for a dimension, of the path's own values for a control.

    Those of a pitch are of the frames that have one; a path without the control has none.
    """
    if kind == "curve":
        return lambda p: float(np.clip(special.ndtri(p / 100), -4.0, 4.0))
    if kind not in path.names:
        return None
    values = path.controls[:, path.names.index(kind)]
    if kind == "pitch" and path.voicing.max() >= 0.5:
        values = values[path.voicing >= 0.5]
    return lambda p: float(np.percentile(values, p))
