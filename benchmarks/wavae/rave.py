"""A network of the published RAVE v2 size with random weights: for timing only.

Caillon & Esling (2021), RAVE; the sizes are those of the authors' v2 configuration: 16 bands, capacity 96, 128 latents,
ratios 4, 4, 4, 2 (with the bands one latent frame for 2,048 samples), kernels of 3 dilated 1, 3, 9 (1, 3 in the
narrowest stage), amplitude modulation of the output, no noise branch. Own code; every layer is causal with its past
cached.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vqsynth.streaming.convolution import CausalConv1d
from vqsynth.streaming.module import twin

BANDS = 16
BAND_TAPS = 33
"""Of each branch of the filter bank: 528 taps in all."""
CAPACITY = 96
LATENTS = 128
RATIOS = (4, 4, 4, 2)
DILATIONS = ((1, 3, 9), (1, 3, 9), (1, 3, 9), (1, 3))
KERNEL = 3
FRAME = 2048
"""Samples of a latent frame."""


def fold(x: Tensor, ratio: int) -> Tensor:
    """Neighbouring frames become channels: a strided convolution is a plain one on them.

    Shape: [b, c, t] -> [b, c * ratio, t / ratio]
    """
    return x.unflatten(2, (-1, ratio)).transpose(2, 3).flatten(1, 2)


def unfold(x: Tensor, ratio: int) -> Tensor:
    """Inverse of :func:`fold`. Shape: [b, c * ratio, t] -> [b, c, t * ratio]."""
    return x.unflatten(1, (-1, ratio)).transpose(2, 3).flatten(2)


class Unit(nn.Module):
    """Residual dilated convolution and a pointwise one."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.LeakyReLU(0.2),
            CausalConv1d(width, width, KERNEL, dilation),
            nn.LeakyReLU(0.2),
            nn.Conv1d(width, width, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class Resample(nn.Module):
    """Strided (``down``) or transposed convolution with a kernel of twice the ratio."""

    def __init__(self, before: int, after: int, ratio: int, down: bool) -> None:
        super().__init__()
        self.ratio, self.down = ratio, down
        self.layer = CausalConv1d(before * ratio if down else before, after if down else after * ratio, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(fold(x, self.ratio)) if self.down else unfold(self.layer(x), self.ratio)


class Rave(nn.Module):
    """Sound to sound through 128 latents. Shape: [batch, FRAME * n] -> [batch, FRAME * n]."""

    def __init__(self) -> None:
        super().__init__()
        self.analysis = CausalConv1d(BANDS, BANDS, BAND_TAPS)
        self.synthesis = CausalConv1d(BANDS, BANDS, BAND_TAPS)
        widths = [CAPACITY * 2**i for i in range(len(RATIOS) + 1)]
        encoder: list[nn.Module] = [CausalConv1d(BANDS, CAPACITY, 2 * KERNEL + 1)]
        decoder: list[nn.Module] = [CausalConv1d(LATENTS, widths[-1], 2 * KERNEL + 1)]
        for narrow, wide, ratio, dilations in zip(widths, widths[1:], RATIOS, DILATIONS):
            encoder += [*(Unit(narrow, d) for d in dilations), nn.LeakyReLU(0.2), Resample(narrow, wide, ratio, True)]
        for narrow, wide, ratio, dilations in list(zip(widths, widths[1:], RATIOS, DILATIONS))[::-1]:
            decoder += [nn.LeakyReLU(0.2), Resample(wide, narrow, ratio, False), *(Unit(narrow, d) for d in dilations)]
        encoder += [nn.LeakyReLU(0.2), CausalConv1d(widths[-1], 2 * LATENTS, KERNEL)]
        decoder += [nn.LeakyReLU(0.2), CausalConv1d(CAPACITY, 2 * BANDS, 2 * KERNEL + 1)]
        self.encoder, self.decoder = nn.Sequential(*encoder), nn.Sequential(*decoder)

    def encode(self, audio: Tensor) -> Tensor:
        """Shape: [batch, FRAME * n] -> mean latents [batch, LATENTS, n]."""
        mean, _ = self.encoder(self.analysis(fold(audio[:, None], BANDS))).chunk(2, 1)
        return mean

    def decode(self, latents: Tensor) -> Tensor:
        """Shape: [batch, LATENTS, n] -> [batch, FRAME * n]."""
        wave, amplitude = self.decoder(latents).chunk(2, 1)
        return unfold(self.synthesis(torch.tanh(wave * torch.sigmoid(amplitude))), BANDS)[:, 0]

    def forward(self, audio: Tensor) -> Tensor:
        return self.decode(self.encode(audio))


class RaveStream:
    """Blocks of any size in and out; computes whenever a latent frame is complete."""

    latency = FRAME - 1 + (BAND_TAPS - 1) * BANDS
    """The wait for a latent frame, and the two filter banks (linear phase: half their length each)."""

    def __init__(self, network: Rave) -> None:
        self.network = twin(network)
        self.pending, self.ready = torch.zeros(0), torch.zeros(FRAME - 1)

    @torch.inference_mode()
    def push(self, audio: Tensor) -> Tensor:
        """Shape: [samples] -> [samples]."""
        self.pending = torch.cat([self.pending, audio])
        whole = len(self.pending) // FRAME * FRAME
        if whole:
            made = self.network(self.pending[None, :whole])[0]
            self.ready, self.pending = torch.cat([self.ready, made]), self.pending[whole:].clone()
        block, self.ready = self.ready[: len(audio)], self.ready[len(audio) :].clone()
        return block
