"""A generator of Vocos' published size, after Siuzdak (2023), Vocos, section 3: ConvNeXt to inverse STFT; own code.

Eight blocks of 512 channels (1,536 inside) on mel frames, then magnitude and phase of every bin. The paper's frames
are 1,024 samples, 256 apart, at 24 kHz; here 2,048 and 512 at 44.1 kHz, those of the mel frames.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vqsynth.dsp.stft import hann
from vqsynth.wavae.network.config import WavaeConfig

WIDTH, INSIDE, BLOCKS = 512, 1536, 8


class Block(nn.Module):
    """ConvNeXt block (Liu et al. 2022) over frames. Shape: 2 x [batch, width, frames]."""

    def __init__(self, width: int, inside: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.layers = nn.Sequential(nn.Linear(width, inside), nn.GELU(), nn.Linear(inside, width))
        self.scale = nn.Parameter(torch.full((width,), 1 / BLOCKS))

    def forward(self, x: Tensor) -> Tensor:
        return x + (self.scale * self.layers(self.norm(self.depthwise(x).transpose(1, 2)))).transpose(1, 2)


class Vocos(nn.Module):
    """Absolute log-mel frames to samples; symmetric, as published.

    Args:
        n_mels: bands of a frame.
    """

    window: Tensor

    def __init__(self, n_mels: int = WavaeConfig().n_mels) -> None:
        super().__init__()
        config = WavaeConfig()
        self.n_fft, self.hop_length = config.n_fft, config.hop_length
        self.embed = nn.Conv1d(n_mels, WIDTH, 7, padding=3)
        self.first, self.last = nn.LayerNorm(WIDTH, eps=1e-6), nn.LayerNorm(WIDTH, eps=1e-6)
        self.blocks = nn.Sequential(*(Block(WIDTH, INSIDE) for _ in range(BLOCKS)))
        self.head = nn.Linear(WIDTH, self.n_fft + 2)
        self.register_buffer("window", hann(self.n_fft).clone(), persistent=False)

    def forward(self, mel: Tensor) -> Tensor:
        """Frame ``t`` is the middle of its own samples. Shape: [batch, frames, n_mels] -> [batch, hop * frames]."""
        x = self.first(self.embed(mel.transpose(1, 2)).transpose(1, 2)).transpose(1, 2)
        magnitude, phase = self.head(self.last(self.blocks(x).transpose(1, 2))).chunk(2, -1)
        magnitude = torch.exp(magnitude).clamp_max(1e2)
        frames = torch.fft.irfft(torch.polar(magnitude, phase), self.n_fft) * self.window
        # Added up where they overlap, and divided by what the windows add up to.
        sound, weight = (
            nn.functional.fold(
                part.transpose(1, 2),
                (1, (mel.shape[1] - 1) * self.hop_length + self.n_fft),
                (1, self.n_fft),
                stride=(1, self.hop_length),
            )[:, 0, 0]
            for part in (frames, self.window.square().expand(1, mel.shape[1], -1))
        )
        first = (self.n_fft - self.hop_length) // 2
        return (sound / weight.clamp_min(1e-3))[:, first : first + mel.shape[1] * self.hop_length]
