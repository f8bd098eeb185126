"""What a decoded code lacks against the recording, unit by unit, as a module that compiles."""

import math

import torch
from torch import Tensor, nn

from vqsynth.dsp.mel import band_interpolation
from vqsynth.units.detail import GROUPS, HIGHEST, NOISE_BANDS, SINGLE, STEP_DB


class Detail(nn.Module):
    """Codes of units, and the corrections of :mod:`vqsynth.units.detail`.

    Args:
        codes: of the units, [units].
        harmonic: steps of half a decibel, int8 [units, 40].
        noise: the same, int8 [units, 20].
        sample_rate: in Hz.
        n_fft: frame length in samples.
        top: frequency of the last noise band, Hz.
    """

    codes: Tensor
    harmonic: Tensor
    noise: Tensor
    matrix: Tensor
    frequencies: Tensor

    def __init__(
        self, codes: Tensor, harmonic: Tensor, noise: Tensor, sample_rate: int, n_fft: int, top: float
    ) -> None:
        super().__init__()
        for name, tensor in (
            ("codes", codes),
            ("harmonic", harmonic),
            ("noise", noise),
            ("matrix", band_interpolation(sample_rate, n_fft, NOISE_BANDS, top=top)),
            ("frequencies", torch.linspace(0, sample_rate / 2, n_fft // 2 + 1)),
        ):
            self.register_buffer(name, tensor.clone(), persistent=False)
        self.single, self.highest = float(SINGLE), float(SINGLE + GROUPS) - 1.001
        self.width = math.log2(HIGHEST / (SINGLE + 0.5)) / GROUPS
        self.db = STEP_DB * math.log(10) / 20

    def forward(
        self, units: Tensor, f0: Tensor, harmonic: Tensor, noise: Tensor, share: float
    ) -> tuple[Tensor, Tensor]:
        """Correct the filters of frames at their present pitch.

        Args:
            units: int64 [batch, frames].
            f0: Hz, [batch, frames].
            harmonic: filter of the pulses, [batch, frames, bins].
            noise: filter of the noise, [batch, frames, bins].
            share: of the correction.
        """
        number = self.frequencies / f0[..., None].clamp_min(1.0)
        octaves = torch.log2(number.clamp_min(self.single + 0.5) / (self.single + 0.5))
        above = self.single - 0.5 + octaves / self.width
        place = torch.where(number <= self.single, number - 1, above).clamp(0.0, self.highest)
        left = place.long()
        steps = self.harmonic[units].float()
        between = torch.lerp(steps.gather(2, left), steps.gather(2, left + 1), place - left)
        hiss = self.noise[units].float() @ self.matrix
        scale = self.db * share
        return harmonic * torch.exp(scale * between), noise * torch.exp(scale * hiss)
