"""Trims as a module that compiles: the centroid and the bandwidth of a frame brought to a value.

The same law as :mod:`vqsynth.render.trim`, in single precision and for one frame after the other.
"""

import math

import torch
from torch import Tensor, nn

from vqsynth.render.trim import CURVE_LIMIT, TILT_LIMIT, octaves_of_bins

STEP = 3.0
"""dB per octave that one step may take."""
STEPS = 6


class Trims(nn.Module):
    """The tilt and the curvature of each frame that bring its centroid and bandwidth to given values, in closed form.

    Magnitudes are summed over bands of a sixteenth of an octave; a few Newton steps on these find the two numbers.

    Args:
        sample_rate: in Hz.
        n_fft: frame length in samples.
    """

    pool: Tensor
    octaves: Tensor
    bands: Tensor

    def __init__(self, sample_rate: int, n_fft: int) -> None:
        super().__init__()
        frequencies = torch.linspace(0, sample_rate / 2, n_fft // 2 + 1)
        octaves = octaves_of_bins(sample_rate, n_fft)
        number = torch.unique((16 * octaves).round(), return_inverse=True)[1]
        member = nn.functional.one_hot(number).float()
        # In kHz: squares of Hz are too large for single precision.
        kilo = frequencies[:, None] / 1000
        self.register_buffer("pool", torch.cat([member, member * kilo, member * kilo.square()], 1), persistent=False)
        self.register_buffer("octaves", octaves, persistent=False)
        self.register_buffer("bands", (member.T @ octaves) / member.sum(0), persistent=False)
        self.steps, self.step, self.db = STEPS, STEP, math.log(10) / 20
        self.tilt_limit, self.curve_limit = TILT_LIMIT, CURVE_LIMIT

    def forward(self, magnitudes: Tensor, centroid: Tensor, bandwidth: Tensor) -> Tensor:
        """Gain of every bin.

        Args:
            magnitudes: expected, [batch, frames, n_fft // 2 + 1].
            centroid: Hz, 0 where it may be what it is, [batch, frames].
            bandwidth: Hz, 0 where it may be what it is, [batch, frames].

        Shape:
            -> [batch, frames, n_fft // 2 + 1] linear; its overall level means nothing
        """
        sums = (magnitudes @ self.pool).unflatten(2, (3, -1))
        wide, bright = bandwidth > 0, centroid > 0
        wanted_mean = torch.log((centroid / 1000).clamp_min(1e-3))
        wanted_width = torch.log((bandwidth / 1000).clamp_min(1e-3))
        tilt, curve = torch.zeros_like(centroid), torch.zeros_like(centroid)
        centre = torch.where(bright, wanted_mean / math.log(2.0), torch.zeros_like(centroid))
        around = (self.bands - centre[..., None]).square()
        for _ in range(self.steps):
            shape = torch.exp(self.db * (tilt[..., None] * self.bands + curve[..., None] * around))
            weights = sums * shape[:, :, None]
            total = weights[:, :, 0].sum(-1).clamp_min(1e-20)
            mean = (weights[:, :, 1].sum(-1) / total).clamp_min(1e-3)
            second = weights[:, :, 2].sum(-1) / total
            variance = (second - mean.square()).clamp_min(1e-6)
            # Covariances with what a dB of tilt or curve adds.
            sides = torch.stack([(weights * self.bands).sum(-1), (weights * around[:, :, None]).sum(-1)], -1)
            sides = sides / total[..., None, None]
            first = self.db * (sides[:, :, 1] - mean[..., None] * sides[:, :, 0]) / mean[..., None]
            spread = sides[:, :, 2] - second[..., None] * sides[:, :, 0]
            spread = spread - 2 * mean[..., None] * (sides[:, :, 1] - mean[..., None] * sides[:, :, 0])
            spread = self.db * spread / (2 * variance[..., None])
            off_mean, off_width = wanted_mean - torch.log(mean), wanted_width - 0.5 * torch.log(variance)
            a, b, c, d = first[..., 0], first[..., 1], spread[..., 0], spread[..., 1]
            determinant = a * d - b * c
            determinant = torch.where(determinant.abs() < 1e-6, torch.full_like(determinant, 1e-6), determinant)
            both_tilt = (d * off_mean - b * off_width) / determinant
            both_curve = (a * off_width - c * off_mean) / determinant
            alone = torch.where(
                bright,
                off_mean / torch.where(a.abs() < 1e-4, torch.full_like(a, 1e-4), a),
                off_width / torch.where(c.abs() < 1e-4, torch.full_like(c, 1e-4), c),
            )
            alone = torch.where(bright | wide, alone, torch.zeros_like(alone))
            both = bright & wide
            step = torch.where(both, both_tilt, alone)
            bend = torch.where(both, both_curve, torch.zeros_like(both_curve))
            tilt = (tilt + step.clamp(-self.step, self.step)).clamp(-self.tilt_limit, self.tilt_limit)
            curve = (curve + bend.clamp(-self.step, self.step)).clamp(-self.curve_limit, self.curve_limit)
        decibels = tilt[..., None] * self.octaves + curve[..., None] * (self.octaves - centre[..., None]).square()
        # Level counts for nothing: the loudest bin at 1 leaves no overflow.
        return torch.exp(self.db * (decibels - decibels.amax(-1, keepdim=True)))
