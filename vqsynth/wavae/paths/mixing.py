"""Latent paths brought to one length and mixed frame by frame.

z[n] = sum over i of w_i[n] z_i[n]: the linear interpolation of two paths, w = (1 - n/N, n/N), and of four.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np

from vqsynth.errors import UsageError, VqsynthError
from vqsynth.wavae.paths.latent_path import LatentPath

FLOOR_DB = -70.0
"""Loudness is mixed in dB down to here: below, silence would outweigh every sound it is mixed with."""
MAX_SECONDS = 3600.0
IN_OCTAVES = ("pitch", "centroid")
"""Controls in Hz: between two values, they go by octaves, as they are heard."""
RELEASE_SECONDS = 0.2
"""In which a path that has lost its pitch loses its say in that of a mixture, to a third."""
_UNHEARD = 1e-6


def ramp(frames: int) -> np.ndarray:
    """Weight of B from A to B: n / N. Shape: [frames]."""
    return np.arange(frames) / frames


def resample(path: LatentPath, frames: int, samples: int) -> LatentPath:
    """Stretch or compress a path in time, linearly between its frames (by octaves in Hz); it lasts ``samples``."""
    position = np.minimum(np.arange(frames) * (path.samples / samples), len(path) - 1)
    before = position.astype(int)
    after, share = np.minimum(before + 1, len(path) - 1), (position - before)[:, None]

    def at(values: np.ndarray) -> np.ndarray:
        return values[before] * (1 - share) + values[after] * share

    controls, octaves = at(path.controls), _in_octaves(path)
    controls[:, octaves] = 2 ** at(np.log2(np.maximum(path.controls[:, octaves].astype(np.float64), 1.0)))
    return dataclasses.replace(
        path, z=at(path.z).astype(np.float32), controls=controls.astype(np.float32), samples=samples
    )


def trim(path: LatentPath, frames: int, samples: int) -> LatentPath:
    """The beginning of a path."""
    return dataclasses.replace(path, z=path.z[:frames], controls=path.controls[:frames], samples=samples)


def reconcile(paths: Sequence[LatentPath], length: str | float, frames_of: Callable[[int], int]) -> list[LatentPath]:
    """Bring paths to one number of frames.

    Args:
        paths: of one model.
        length: ``longest`` stretches the shorter ones, ``shortest`` cuts the longer ones, seconds stretch all.
        frames_of: latent frames of a number of samples (``domain.model.frames_of``).

    Raises:
        UsageError: ``length`` is neither, or not between one frame and an hour.
    """
    longest, shortest = (choose(paths, key=lambda path: path.samples) for choose in (max, min))
    if length == "shortest":
        return [trim(path, len(shortest), shortest.samples) for path in paths]
    if length == "longest":
        return [
            path if path.samples == longest.samples else resample(path, len(longest), longest.samples) for path in paths
        ]
    try:
        seconds = float(length)
    except ValueError:
        raise UsageError("choose longest, shortest, or a number of seconds", field="length", value=length) from None
    if not (math.isfinite(seconds) and 1 / longest.rate <= seconds <= MAX_SECONDS):
        raise UsageError(
            f"give {1 / longest.rate:.3f} s (one latent frame) to {MAX_SECONDS:g} s", field="length", value=length
        )
    samples = round(seconds * longest.sample_rate)
    return [resample(path, frames_of(samples), samples) for path in paths]


def mix(paths: Sequence[LatentPath], weights: np.ndarray) -> LatentPath:
    """Weighted sum of paths of one length.

    Latents, loudness (dB, from -70 up) and voicing are mixed linearly, a centroid by octaves, as it is heard. The pitch
    is mixed by octaves, too, each path with its weight times its voicing: between two voices it glides along a line in
    log frequency; a chord has no say in it, so that a line keeps its pitch while it fades into one.

    Shape: weights [frames, paths], rows that sum to 1

    Raises:
        VqsynthError: the paths differ in length or kind, or the weights do not fit them.
    """
    first = paths[0]
    if any((path.z.shape, path.names, path.rate) != (first.z.shape, first.names, first.rate) for path in paths):
        raise VqsynthError(
            "paths to be mixed must have the same frames, dimensions, rate and controls; "
            "encode the sounds with one model"
        )
    if weights.shape != (len(first), len(paths)) or not np.allclose(weights.sum(1), 1):
        raise VqsynthError(
            f"{len(paths)} paths of {len(first)} frames need as many rows of weights that sum to 1, not {weights.shape}"
        )

    def mixed(curves: list[np.ndarray], weights: np.ndarray = weights) -> np.ndarray:
        return sum(weights[:, i, None] * curve for i, curve in enumerate(curves))

    octaves = _in_octaves(first)
    inner = [path.controls.astype(np.float64) for path in paths]
    for curves in inner:
        curves[:, 0] = np.maximum(curves[:, 0], FLOOR_DB)
        curves[:, octaves] = np.log2(np.maximum(curves[:, octaves], 1.0))
    controls = mixed(inner)
    if first.pitched:
        pitch, voicing = first.names.index("pitch"), first.names.index("voicing")
        controls[:, [pitch]] = mixed([curves[:, [pitch]] for curves in inner], _says(paths, weights))
        controls[:, voicing] = np.clip(controls[:, voicing], 0.0, 1.0)
    controls[:, octaves] = 2 ** controls[:, octaves]
    z = mixed([path.z for path in paths])
    return dataclasses.replace(first, z=z.astype(np.float32), controls=controls.astype(np.float32))


def _in_octaves(path: LatentPath) -> list[int]:
    return [number for number, name in enumerate(path.names) if name in IN_OCTAVES]


def _says(paths: Sequence[LatentPath], weights: np.ndarray) -> np.ndarray:
    """What the paths' pitches count in that of the mixture: weight times voicing, in rows that sum to 1.

    A voicing that stops, as in a consonant, is let go slowly: else the mixture's pitch would jump to the other path's.
    """
    decay = float(np.exp(-1 / (RELEASE_SECONDS * paths[0].rate)))
    held = np.stack([path.voicing.astype(np.float64) for path in paths], -1)
    for frame in range(1, len(held)):
        held[frame] = np.maximum(held[frame], decay * held[frame - 1])
    # Where only a path of weight 0 has a pitch, it is that: the glide begins or ends there without a jump.
    says = (weights + _UNHEARD) * held
    total = says.sum(1, keepdims=True)
    return np.where(total > _UNHEARD**2, says / np.maximum(total, _UNHEARD**2), weights)
