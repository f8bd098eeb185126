"""Small spectral trims: the tilt and curvature of each frame that bring its centroid and bandwidth to a value.

A trim multiplies a frame's magnitudes by ``tilt * x + curve * (x - x_c)^2`` dB, where ``x`` is the frequency in
octaves and ``x_c`` the wanted centroid's. Centroid and spread are moments of the trimmed magnitudes, their
derivatives are covariances, so a few Newton steps on all frames at once find the two numbers.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import torch
from torch import Tensor

from vqsynth.dsp.source_filter import Frames

TILT_LIMIT = 6.0
"""dB per octave."""
CURVE_LIMIT = 4.0
"""dB per octave squared."""
_LOWEST = 60.0
_DB = float(np.log(10) / 20)
_STEP = 3.0
_AROUND = 4


@dataclasses.dataclass
class Trim:
    """Spectral shape of each frame.

    Shape: tilt [frames] dB/octave; curve [frames] dB/octave^2; centre [frames], octaves of the curve's middle
    """

    tilt: Tensor
    curve: Tensor
    centre: Tensor

    @staticmethod
    def zeros(frames: int) -> Trim:
        return Trim(torch.zeros(frames), torch.zeros(frames), torch.zeros(frames))

    def __getitem__(self, index: slice) -> Trim:
        return Trim(self.tilt[index], self.curve[index], self.centre[index])

    def gain(self, octaves: Tensor) -> Tensor:
        """Linear gain at ``octaves`` [bins]: [frames, bins]. Its overall level means nothing."""
        db = self.tilt[:, None] * octaves
        if bool(self.curve.any()):
            db = db + self.curve[:, None] * (octaves - self.centre[:, None]).square()
        return torch.exp(_DB * db)


def octaves_of(frequencies: Tensor) -> Tensor:
    """Octaves above 1 kHz, flat below 60 Hz."""
    return torch.log2(frequencies.clamp_min(_LOWEST) / 1000)


def octaves_of_bins(sample_rate: int, n_fft: int) -> Tensor:
    """The same for each bin. Shape: [n_fft // 2 + 1]."""
    return octaves_of(torch.linspace(0, sample_rate / 2, n_fft // 2 + 1))


class Moments:
    """Magnitude moments of frames in narrow bands, from which trims are solved without touching all bins.

    Args:
        power: expected power of the harmonic part and of the noise, each [frames, n_fft // 2 + 1].
    """

    def __init__(self, sample_rate: int, n_fft: int, harmonic: Tensor, noise: Tensor) -> None:
        pool, self.octaves = _bands(sample_rate, n_fft)
        # A bin of noise is Rayleigh-distributed: its mean magnitude is sqrt(pi / 4) of its rms.
        magnitudes = torch.sqrt(harmonic + (np.pi / 4) * noise)
        self.sums = (magnitudes @ pool).unflatten(1, (3, -1)).double()

    def values(self, trim: Trim) -> tuple[Tensor, Tensor]:
        """Centroid and bandwidth in Hz of the trimmed frames: 2 x [frames]."""
        zeroth, first, second = (self.sums * trim.gain(self.octaves)[:, None]).sum(-1).unbind(1)
        mean = first / zeroth
        return mean, (second / zeroth - mean.square()).clamp_min(1e-6).sqrt()

    def solve(
        self, centroid: Tensor | None, bandwidth: Tensor | None, start: Trim | None = None, steps: int = 8
    ) -> Trim:
        """The trims that bring the frames to a centroid and a bandwidth in Hz (either may be None).

        One of them alone is reached by the tilt, both by tilt and curvature.

        Shape: [frames] each
        """
        frames = len(self.sums)
        trim = dataclasses.replace(start) if start is not None else Trim.zeros(frames)
        both = centroid is not None and bandwidth is not None
        # The curve turns about the centroid that was asked for first.
        if start is None and centroid is not None and bandwidth is not None:
            trim.centre = torch.log2(centroid.float() / 1000)
        for _ in range(steps):
            weights = self.sums * trim.gain(self.octaves).double()[:, None]
            mean, second = (weights[:, k].sum(1) / weights[:, 0].sum(1) for k in (1, 2))
            variance = (second - mean.square()).clamp_min(1e-3)
            bases = [self.octaves.double().expand(frames, -1)]
            if both:
                bases.append((self.octaves - trim.centre[:, None]).double().square())
            slopes = [_slopes(weights, basis, mean, variance) for basis in bases]
            errors, rows = [], []
            if centroid is not None:
                errors.append(torch.log(centroid.double() / mean))
                rows.append([slope[0] for slope in slopes])
            if bandwidth is not None:
                errors.append(torch.log(bandwidth.double()) - 0.5 * torch.log(variance))
                rows.append([slope[1] for slope in slopes])
            tilt, curve = _newton(errors, rows)
            trim.tilt = (trim.tilt + tilt.clamp(-_STEP, _STEP).float()).clamp(-TILT_LIMIT, TILT_LIMIT)
            if curve is not None:
                trim.curve = (trim.curve + curve.clamp(-_STEP, _STEP).float()).clamp(-CURVE_LIMIT, CURVE_LIMIT)
        return trim


def _slopes(weights: Tensor, basis: Tensor, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
    """Change of log centroid and log bandwidth with a dB of ``basis``: their covariances with it. 2 x [frames]."""
    total = weights[:, 0].sum(1)
    share = (weights[:, 0] * basis).sum(1) / total
    first = (weights[:, 1] * basis).sum(1) / total - mean * share
    second = (weights[:, 2] * basis).sum(1) / total - (variance + mean.square()) * share
    return _DB * first / mean, _DB * (second - 2 * mean * first) / (2 * variance)


def _newton(errors: list[Tensor], rows: list[list[Tensor]]) -> tuple[Tensor, Tensor | None]:
    """Solve one equation in one unknown or two in two, frame by frame."""
    if len(errors) == 1:
        slope = rows[0][0]
        return errors[0] / torch.where(slope.abs() < 1e-4, 1e-4, slope), None
    (a, b), (c, d) = rows
    determinant = a * d - b * c
    determinant = torch.where(determinant.abs() < 1e-9, 1e-9, determinant)
    return (d * errors[0] - b * errors[1]) / determinant, (a * errors[1] - c * errors[0]) / determinant


def bend_towards(frames: Frames, f0: Tensor, limit: float) -> Tensor:
    """Cents by which the frames' f0 must be bent to reach ``f0`` [frames] Hz, at most ``limit`` either way.

    Between two codes the decoder may leap for a frame or two; where the frames around agree that the pitch is
    within the limit, such a leap is bent back whole.
    """
    cents = 1200 * torch.log2(f0 / frames.f0)
    around = torch.nn.functional.pad(cents[None], (_AROUND, _AROUND), mode="replicate")[0].unfold(0, 2 * _AROUND + 1, 1)
    return torch.where(around.median(-1).values.abs() <= limit, cents, cents.clamp(-limit, limit))


@functools.lru_cache(maxsize=8)
def _bands(sample_rate: int, n_fft: int) -> tuple[Tensor, Tensor]:
    """Matrix that sums magnitudes, magnitudes * f and magnitudes * f^2 over bands, and the bands' octaves.

    Shape: [bins, 3 * bands], [bands]
    """
    frequencies = torch.linspace(0, sample_rate / 2, n_fft // 2 + 1)
    octaves = octaves_of(frequencies)
    # A sixteenth of an octave wide, but no narrower than a bin.
    number = torch.unique((16 * octaves).round(), return_inverse=True)[1]
    member = torch.nn.functional.one_hot(number).float()
    pool = torch.cat([member, member * frequencies[:, None], member * frequencies[:, None] ** 2], 1)
    return pool, (member.T @ octaves) / member.sum(0)
