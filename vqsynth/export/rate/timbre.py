"""A timbre's network at another rate: nothing is resampled, every filter is drawn for the new one.

A frame keeps its number of samples (twice as many from 64 kHz on), so at 48 kHz it is 8 % shorter; all that is said of
frequencies is said in Hz.
"""

import math

import torch
from torch import Tensor

from vqsynth.dsp.filter_head import FilterHead
from vqsynth.dsp.mel import band_interpolation
from vqsynth.vqvae.model import VQVAE


class RatedHead(FilterHead):
    """A :class:`~vqsynth.dsp.filter_head.FilterHead` whose knots are those of another rate; silent above its band.

    Args:
        head: whose outputs are read.
        trained: rate that they were learned at, Hz.
        sample_rate: in Hz.
        n_fft: frame length in samples.
    """

    audible: Tensor

    def __init__(self, head: FilterHead, trained: int, sample_rate: int, n_fft: int) -> None:
        sizes = head.sizes
        super().__init__(sample_rate, n_fft, sizes[0], sizes[1], sizes[2])
        top = trained / 2
        self.harmonic_bands = band_interpolation(sample_rate, n_fft, sizes[0], top=top)
        self.noise_bands = band_interpolation(sample_rate, n_fft, sizes[1], top=top)
        frequencies = torch.linspace(0, sample_rate / 2, n_fft // 2 + 1)
        self.register_buffer("audible", (frequencies <= top).float(), persistent=False)

    def forward(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        parts = outputs.split(self.sizes, -1)
        harmonic = torch.exp((parts[0] @ self.harmonic_bands).clamp(-16.0, 8.0))
        return harmonic * self.audible, torch.exp(self.noise_log(outputs).clamp(-16.0, 8.0)) * self.audible


def rated(model: VQVAE, sample_rate: int) -> VQVAE:
    """A timbre's model for another rate, its weights shared.

    Args:
        model: as trained.
        sample_rate: in Hz.
    """
    config = model.config
    if sample_rate == config.sample_rate:
        return model
    n_fft = config.n_fft * 2 ** max(0, round(math.log2(sample_rate / config.sample_rate)))
    other = VQVAE(config.model_copy(update={"sample_rate": sample_rate, "n_fft": n_fft}))
    other.load_state_dict(model.state_dict())
    other.decoder.filters = RatedHead(model.decoder.filters, config.sample_rate, sample_rate, n_fft)
    return other.eval().requires_grad_(False)
