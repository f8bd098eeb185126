"""A recording as a target: the curve that a descriptor takes in it (vocal imitation)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from vqsynth.control.targets.base import Target, rescale
from vqsynth.errors import UsageError

if TYPE_CHECKING:
    from vqsynth.descriptors import Measurement

HOP_LENGTH = 512
MARGIN = 441
"""Frames measured and dropped at joins. 441 hops are whole periods of the pitch tracker at all common rates."""
BLOCK = 24 * MARGIN
"""Frames of a piece: two minutes, so that shorter recordings are measured whole."""
UNIT_GAIN = -20.0  # LUFS of a frame at 0 dB gain
SILENCE_DB = -80.0
INNER = (5.0, 95.0)  # percentiles that a range is laid on: single odd frames must not shrink the rest


@dataclass(frozen=True, eq=False, kw_only=True)
class RecordingTarget(Target):
    """Frames of a measured descriptor, joined by lines; where not valid, neighbours are joined."""

    times_at: np.ndarray
    values_at: np.ndarray
    valid: np.ndarray
    levels: np.ndarray | None = None

    takes_range: ClassVar[bool] = True

    @property
    def has_gain(self) -> bool:
        return self.levels is not None

    def _curve(self, times: np.ndarray, duration: float, lo: float | None, hi: float | None, log: bool) -> np.ndarray:
        curve = np.interp(times, self.times_at[self.valid], self.values_at[self.valid])
        if lo is None or hi is None:
            return curve
        low, high = np.percentile(self.values_at[self.valid], INNER)
        return rescale(curve, (float(low), float(high)), lo, hi, log)

    def mask(self, times: np.ndarray) -> np.ndarray:
        times = np.asarray(times, dtype=np.float64)
        step = self.times_at[1] - self.times_at[0] if len(self.times_at) > 1 else 1.0
        index = np.rint(times / step).astype(int)
        inside = (index >= 0) & (index < len(self.valid))
        return inside & self.valid[np.clip(index, 0, len(self.valid) - 1)]

    def gain(self, times: np.ndarray) -> np.ndarray | None:
        if self.levels is None:
            return None
        return np.interp(times, self.times_at, self.levels, right=SILENCE_DB)


def read_recording(
    path: str | Path, descriptor: str, *, sample_rate: int = 44100, with_gain: bool = False
) -> RecordingTarget:
    """Measure ``descriptor`` on a recording; ``"gain"`` gives its loudness as a gain in dB.

    Args:
        path: of the recording.
        descriptor: its name, or ``"gain"``.
        sample_rate: at which it is measured, Hz.
        with_gain: keep the recording's loudness too, as the companion gain.

    Raises:
        UsageError: the file cannot be used, or the descriptor is nowhere measurable in it
            (f0 of a sound without pitch).
    """
    path = Path(path)
    own = "loudness" if descriptor == "gain" else descriptor
    measured, seconds = _measure(path, list(dict.fromkeys([own, "loudness"] if with_gain else [own])), sample_rate)
    values = np.asarray(measured[own].values, dtype=np.float64)
    valid = np.asarray(measured[own].valid, dtype=bool) & np.isfinite(values)
    if descriptor == "gain":
        values, valid = _gain(measured["loudness"]), np.ones(len(values), dtype=bool)
    if not valid.any():
        raise UsageError(f"{path}: its {own} could not be measured in any frame; use another recording or descriptor")
    times_at = np.arange(len(values)) * (HOP_LENGTH / sample_rate)
    return RecordingTarget(
        name=str(path),
        unit="dB" if descriptor == "gain" else None,
        natural_duration=seconds,
        times_at=times_at,
        values_at=values,
        valid=valid,
        levels=_gain(measured["loudness"]) if with_gain and descriptor != "gain" else None,
    )


def _measure(path: Path, names: list[str], sample_rate: int) -> tuple[dict[str, Measurement], float]:
    """Measure descriptors on a recording piece by piece, so that memory does not grow with it.

    Args:
        path: of the recording.
        names: of the descriptors.
        sample_rate: at which they are measured, Hz.

    Returns:
        Frames [n] of the whole recording by name, and its length in seconds.
    """
    from vqsynth.corpus.blocks import pieces
    from vqsynth.corpus.files import stream_mono
    from vqsynth.descriptors import Measurement, measure

    samples = 0

    def counted() -> Iterator[np.ndarray]:
        nonlocal samples
        for block in stream_mono(path, sample_rate):
            samples += len(block)
            yield block

    parts: dict[str, list[Measurement]] = {name: [] for name in names}
    for piece in pieces(counted(), HOP_LENGTH, BLOCK, MARGIN):
        found = measure(names, piece.audio, sample_rate, hop_length=HOP_LENGTH)
        for name, part in found.items():
            parts[name].append(Measurement(part.values[piece.keep], part.valid[piece.keep]))
    whole = {
        name: Measurement(np.concatenate([p.values for p in part]), np.concatenate([p.valid for p in part]))
        for name, part in parts.items()
    }
    return whole, samples / sample_rate


def _gain(loudness: Measurement) -> np.ndarray:
    levels = np.asarray(loudness.values, dtype=np.float64) - UNIT_GAIN
    return np.maximum(np.where(np.isfinite(levels), levels, SILENCE_DB), SILENCE_DB)
