"""Operators on latent paths: pure functions, a path in, a bent path out.

    from vqsynth.wavae.paths import operators as bend
    bent = bend.smooth(bend.scale(path, 1.5, dims=0), 5)

Dimensions are numbered from 0. They are the principal axes of the domain, widest first, or with ``raw`` the model's own
latents. All amounts are in standard deviations that a dimension has over the domain's recordings, measured from its
mean there, so that one amount means as much in every dimension. Dimensions that are not chosen stay as they are to the
last bit with ``raw``, within rounding else. The controls (loudness, pitch ...) move only where the function says so;
what moves them alone is in :mod:`vqsynth.wavae.paths.control_operators` and can be called from here as well.

Source: the offline interface of the seed's continuous model (scale, randomize, bias, reverse, drawn curves).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from vqsynth.control.limits import check_seed
from vqsynth.errors import UsageError
from vqsynth.wavae.paths.control_operators import amount as _amount
from vqsynth.wavae.paths.control_operators import field_of as _field
from vqsynth.wavae.paths.control_operators import offset_loudness as offset_loudness
from vqsynth.wavae.paths.control_operators import scale_loudness as scale_loudness
from vqsynth.wavae.paths.control_operators import scale_pitch as scale_pitch
from vqsynth.wavae.paths.control_operators import transpose as transpose
from vqsynth.wavae.paths.control_operators import with_centroid as with_centroid
from vqsynth.wavae.paths.control_operators import with_loudness as with_loudness
from vqsynth.wavae.paths.control_operators import with_pitch as with_pitch
from vqsynth.wavae.paths.control_operators import with_voicing as with_voicing
from vqsynth.wavae.paths.curves import Curve, sample_curve
from vqsynth.wavae.paths.latent_path import LatentPath

Dims = int | Sequence[int] | None
"""One dimension, several, or None for all."""

NOISE_HZ = 3.0
"""Corner (-3 dB) of the random movements."""
LONGEST_SMOOTHING = 10_001
_GAUSSIAN_CORNER = np.sqrt(np.log(2)) / (2 * np.pi)
"""Corner of a Gaussian low-pass in Hz, times the standard deviation of its kernel in seconds."""


def scale(path: LatentPath, factor: float, dims: Dims = None, raw: bool = False) -> LatentPath:
    """Stretch the distance from the corpus mean: 1 changes nothing, 0 is the mean, -1 mirrors.

    Raises:
        UsageError: unknown dimension, or no usable factor.
    """
    chosen, factor = choose(path, dims), _amount("scale", factor)
    return _bend(path, chosen, raw, _units(path, chosen, raw) * factor, f"scale {_names(path, chosen)}={factor:g}")


def bias(path: LatentPath, amount: float, dims: Dims = None, raw: bool = False) -> LatentPath:
    """Add ``amount`` standard deviations.

    Raises:
        UsageError: unknown dimension, or no usable amount.
    """
    chosen, amount = choose(path, dims), _amount("bias", amount)
    return _bend(path, chosen, raw, _units(path, chosen, raw) + amount, f"bias {_names(path, chosen)}={amount:g}")


def randomize(path: LatentPath, amount: float, dims: Dims = None, raw: bool = False, seed: int = 0) -> LatentPath:
    """Add smooth Gaussian noise of ``amount`` standard deviations, white noise through a low-pass of -3 dB at 3 Hz.

    A dimension's noise depends on the seed and its number alone, not on what else is chosen.

    Raises:
        UsageError: unknown dimension, no usable amount, or a negative seed.
    """
    chosen, amount = choose(path, dims), _amount("randomize", amount)
    check_seed(seed)
    width = _GAUSSIAN_CORNER / NOISE_HZ * path.rate
    reach = int(np.ceil(5 * width))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    kernel /= np.sqrt(np.square(kernel).sum())  # unit variance stays unit variance
    noise = [
        np.convolve(np.random.default_rng([seed, d]).standard_normal(len(path) + 2 * reach), kernel, "valid")
        for d in chosen
    ]
    bent = _units(path, chosen, raw) + amount * np.stack(noise, 1)
    return _bend(path, chosen, raw, bent, f"randomize {_names(path, chosen)}={amount:g} seed={seed}")


def reverse(path: LatentPath, dims: Dims = None, raw: bool = False) -> LatentPath:
    """Turn the chosen dimensions round in time; with all of them (None) the whole path, its controls too.

    Raises:
        UsageError: unknown dimension.
    """
    if dims is None:
        operations = (*path.operations, "reverse all")
        return dataclasses.replace(
            path, z=path.z[::-1].copy(), controls=path.controls[::-1].copy(), operations=operations
        )
    chosen = choose(path, dims)
    return _bend(path, chosen, raw, _units(path, chosen, raw)[::-1], f"reverse {_names(path, chosen)}")


def smooth(path: LatentPath, frames: int, dims: Dims = None, raw: bool = False) -> LatentPath:
    """Moving average under a Hann window of ``frames`` frames: zero phase, same length, same mean.

    The path is mirrored at both ends. An even number counts as the next odd one, 1 changes nothing.

    Raises:
        UsageError: unknown dimension, or ``frames`` is not a whole number from 1 to 10,001.
    """
    chosen = choose(path, dims)
    if not np.isfinite(frames) or frames != int(frames) or not 1 <= frames <= LONGEST_SMOOTHING:
        raise UsageError(
            f"give a whole number of frames from 1 to {LONGEST_SMOOTHING:,}", field="smooth", value=f"{frames:g}"
        )
    window = np.hanning(int(frames) // 2 * 2 + 3)[1:-1]
    bent = ndimage.convolve1d(_units(path, chosen, raw), window / window.sum(), axis=0, mode="reflect")
    return _bend(path, chosen, raw, bent, f"smooth {_names(path, chosen)}={int(frames)}")


def curve(path: LatentPath, values: Curve, dims: Dims, raw: bool = False) -> LatentPath:
    """Replace dimensions by a curve in standard deviations from the mean.

    A shape fills the path's duration and runs from -2 to 2 unless a range is written behind it (``sin:3@-1:0.5``;
    ``p10:p90`` are percentiles of a Gaussian, as the recordings have); a CSV has seconds from the start.

    Raises:
        UsageError: unknown dimension, or a curve that cannot be used.
    """
    chosen = choose(path, dims)
    bent, text = sample_curve(path, values, "curve")
    names = _names(path, chosen)
    return _bend(path, chosen, raw, np.repeat(bent[:, None], len(chosen), 1), f"curve {names}={text}")


def choose(path: LatentPath, dims: Dims) -> list[int]:
    """The dimensions that ``dims`` stands for, each once.

    Raises:
        UsageError: the path has no such dimension, or none is chosen.
    """
    count = path.z.shape[1]
    chosen = (
        list(range(count))
        if dims is None
        else list(dict.fromkeys([dims] if isinstance(dims, (int, np.integer)) else dims))
    )
    for dim in chosen:
        if not 0 <= dim < count:
            raise UsageError(f"dimension {dim}: {path.domain} has {count}, numbered from 0 to {count - 1}")
    if not chosen:
        raise UsageError(f"no dimension is chosen; give some of 0 to {count - 1}")
    return chosen


def _names(path: LatentPath, chosen: list[int]) -> str:
    return "all" if len(chosen) == path.z.shape[1] else ",".join(map(str, chosen))


def _axes(path: LatentPath, raw: bool) -> tuple[np.ndarray, np.ndarray]:
    """Directions of the dimensions [dims, latent_dim], a row each, and their standard deviations [dims]."""
    components, std = path.pca.components.astype(np.float64), path.pca.std.astype(np.float64)
    if not raw:
        return components, np.maximum(std, 1e-9)
    # The principal axes carry the whole covariance: that of the latents is rotated back.
    return np.eye(path.z.shape[1]), np.maximum(np.sqrt(np.square(components * std[:, None]).sum(0)), 1e-9)


def _units(path: LatentPath, chosen: list[int], raw: bool) -> np.ndarray:
    """The path in standard deviations from the corpus mean, Shape: [frames, chosen]."""
    axes, std = _axes(path, raw)
    return (path.z.astype(np.float64) - path.pca.mean) @ axes[chosen].T / std[chosen]


def _bend(path: LatentPath, chosen: list[int], raw: bool, units: np.ndarray, text: str) -> LatentPath:
    """The path with the chosen dimensions at ``units`` [frames, chosen]; the others are not touched."""
    axes, std = _axes(path, raw)
    moved = ((units - _units(path, chosen, raw)) * std[chosen]) @ axes[chosen]
    with np.errstate(over="ignore", invalid="ignore"):
        z = (path.z + moved).astype(np.float32)
    if not np.isfinite(z).all():
        name, value = _field(text)
        raise UsageError("carries the path beyond all numbers; give smaller ones", field=name, value=value)
    return dataclasses.replace(path, z=z, operations=(*path.operations, f"raw {text}" if raw else text))
