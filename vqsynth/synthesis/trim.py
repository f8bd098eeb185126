"""Small spectral trims: the tilt and curvature of each frame that bring its centroid and bandwidth to a value.

A trim multiplies a frame's magnitudes by ``tilt * x + curve * (x - x_c)^2`` dB, where ``x`` is the frequency in
octaves and ``x_c`` the wanted centroid's. Centroid and spread are moments of the trimmed magnitudes, their
derivatives are covariances, so a few Newton steps on all frames at once find the two numbers.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor

from vqsynth.dsp.subtractive import Frames, Synth

TRIMMED = ("centroid", "bandwidth")
"""Descriptors that a trim can steer."""
TILT_LIMIT = 6.0
"""dB per octave."""
CURVE_LIMIT = 4.0
"""dB per octave squared."""
_LOWEST = 60.0
_DB = float(np.log(10) / 20)
_STEP = 3.0


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


def octaves_of_bins(synth: Synth) -> Tensor:
    """Frequency of each bin in octaves above 1 kHz, flat below 60 Hz. Shape: [n_fft // 2 + 1]."""
    frequencies = torch.linspace(0, synth.sample_rate / 2, synth.n_fft // 2 + 1)
    return torch.log2(frequencies.clamp_min(_LOWEST) / 1000)


class Moments:
    """Magnitude moments of frames in narrow bands, from which trims are solved without touching all bins.

    Args:
        power: expected power of the harmonic part and of the noise, each [frames, n_fft // 2 + 1].
    """

    def __init__(self, synth: Synth, harmonic: Tensor, noise: Tensor) -> None:
        pool, self.octaves = _bands(synth)
        # A bin of noise is Rayleigh-distributed: its mean magnitude is sqrt(pi / 4) of its rms.
        magnitudes = torch.sqrt(harmonic + (np.pi / 4) * noise)
        self.sums = (magnitudes @ pool).unflatten(1, (3, -1)).double()

    def __getitem__(self, index: slice) -> Moments:
        part = object.__new__(Moments)
        part.octaves, part.sums = self.octaves, self.sums[index]
        return part

    def values(self, trim: Trim) -> tuple[Tensor, Tensor]:
        """Centroid and bandwidth in Hz of the trimmed frames: 2 x [frames]."""
        zeroth, first, second = (self.sums * trim.gain(self.octaves)[:, None]).sum(-1).unbind(1)
        mean = first / zeroth
        return mean, (second / zeroth - mean.square()).clamp_min(1e-6).sqrt()

    def solve(self, centroid: Tensor | None, bandwidth: Tensor | None, start: Trim | None = None, steps: int = 8) -> Trim:
        """The trims that bring the frames to a centroid and a bandwidth in Hz (either may be None).

        One of them alone is reached by the tilt, both by tilt and curvature.

        Shape: [frames] each
        """
        frames = len(self.sums)
        trim = Trim.zeros(frames) if start is None else Trim(start.tilt.clone(), start.curve.clone(), start.centre)
        if start is None and centroid is not None:
            trim.centre = torch.log2(centroid.float() / 1000)
        both = centroid is not None and bandwidth is not None
        for _ in range(steps):
            weights = self.sums * trim.gain(self.octaves).double()[:, None]
            total = weights[:, 0].sum(1)
            bases = [self.octaves.double().expand(frames, -1)]
            if both:
                bases.append((self.octaves - trim.centre[:, None]).double().square())
            moment = [weights[:, k].sum(1) / total for k in range(3)]
            spread = (moment[2] - moment[1].square()).clamp_min(1e-3)
            errors, rows = [], []
            slopes = []
            for basis in bases:
                share = (weights[:, 0] * basis).sum(1) / total
                d1 = (weights[:, 1] * basis).sum(1) / total - moment[1] * share
                d2 = (weights[:, 2] * basis).sum(1) / total - moment[2] * share
                slopes.append((_DB * d1 / moment[1], _DB * (d2 - 2 * moment[1] * d1) / (2 * spread)))
            if centroid is not None:
                errors.append(torch.log(centroid.double() / moment[1]))
                rows.append([s[0] for s in slopes])
            if bandwidth is not None:
                errors.append(0.5 * torch.log(bandwidth.double().square() / spread))
                rows.append([s[1] for s in slopes])
            if both:
                (a, b), (c, d) = rows
                determinant = a * d - b * c
                determinant = torch.where(determinant.abs() < 1e-9, 1e-9, determinant)
                steps_db = [(d * errors[0] - b * errors[1]) / determinant, (a * errors[1] - c * errors[0]) / determinant]
            else:
                steps_db = [errors[0] / torch.where(rows[0][0].abs() < 1e-4, 1e-4, rows[0][0])]
            trim.tilt = (trim.tilt + steps_db[0].clamp(-_STEP, _STEP).float()).clamp(-TILT_LIMIT, TILT_LIMIT)
            if both:
                trim.curve = (trim.curve + steps_db[1].clamp(-_STEP, _STEP).float()).clamp(-CURVE_LIMIT, CURVE_LIMIT)
        return trim


def bend_towards(frames: Frames, f0: Tensor, limit: float) -> Tensor:
    """Cents by which the frames' f0 must be bent to reach ``f0`` [frames] Hz, at most ``limit`` either way."""
    return (1200 * torch.log2(f0 / frames.f0)).clamp(-limit, limit)


def _bands(synth: Synth) -> tuple[Tensor, Tensor]:
    """Matrix that sums magnitudes, magnitudes * f and magnitudes * f^2 over bands, and the bands' octaves.

    Shape: [bins, 3 * bands], [bands]
    """
    bins = synth.n_fft // 2 + 1
    frequencies = torch.linspace(0, synth.sample_rate / 2, bins)
    # Bands a 36th of an octave wide, but no narrower than a bin.
    number = torch.unique((36 * octaves_of_bins(synth)).round(), return_inverse=True)[1]
    member = torch.nn.functional.one_hot(number).float()
    octaves = (member.T @ octaves_of_bins(synth)) / member.sum(0)
    return torch.cat([member, member * frequencies[:, None], member * frequencies[:, None] ** 2], 1), octaves
