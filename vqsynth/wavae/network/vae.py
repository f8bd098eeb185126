"""Convolutional VAE between mel frames and latent frames; causal, half the mel rate."""

import torch
from torch import Tensor, nn

from vqsynth.streaming.convnext import Blocks
from vqsynth.streaming.convolution import CausalConv1d
from vqsynth.wavae.network.config import STRIDE, WavaeConfig


class Encoder(nn.Module):
    """Mel frames to the Gaussian posterior of each latent frame.

    Shape:
        [batch, frames, n_mels] -> mean, log-variance: 2 x [batch, frames // 2, latent_dim]
    """

    def __init__(self, config: WavaeConfig) -> None:
        super().__init__()
        self.stride = STRIDE
        width, expansion, size = config.width, config.expansion, config.kernel_size
        self.embed = CausalConv1d(config.n_mels, width, 3)
        self.fine = Blocks(1, width, expansion, size)
        self.down = nn.Conv1d(width, width, STRIDE, stride=STRIDE)
        self.blocks = Blocks(config.encoder_blocks - 1, width, expansion, size)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 2 * config.latent_dim)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.embed.reset(batch)
        self.fine.reset(batch)
        self.blocks.reset(batch)

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        x = self.fine(self.embed(mel.transpose(1, 2)))
        # A linear map of each pair of frames: for a few frames a convolution takes longer.
        pairs = x.unfold(2, self.stride, self.stride).transpose(1, 2).flatten(2)
        x = nn.functional.linear(pairs, self.down.weight.flatten(1), self.down.bias).transpose(1, 2)
        mean, log_variance = self.head(self.norm(self.blocks(x).transpose(1, 2))).chunk(2, -1)
        return mean, log_variance.clamp(-10.0, 4.0)


class Decoder(nn.Module):
    """Latent frames and scaled controls to mel frames.

    Shape:
        [batch, frames, latent_dim], [batch, frames, n_controls] -> [batch, 2 * frames, n_mels]
    """

    def __init__(self, config: WavaeConfig) -> None:
        super().__init__()
        self.stride = STRIDE
        width, expansion, size = config.width, config.expansion, config.kernel_size
        self.embed = CausalConv1d(config.latent_dim + len(config.controls), width, 3)
        self.blocks = Blocks(config.decoder_blocks - 1, width, expansion, size)
        self.up = nn.Conv1d(width, STRIDE * width, 1)
        self.fine = Blocks(1, width, expansion, size)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, config.n_mels)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.embed.reset(batch)
        self.blocks.reset(batch)
        self.fine.reset(batch)

    def forward(self, latents: Tensor, controls: Tensor) -> Tensor:
        x = self.blocks(self.embed(torch.cat([latents, controls], -1).transpose(1, 2)))
        x = nn.functional.linear(x.transpose(1, 2), self.up.weight.flatten(1), self.up.bias)
        # Channels become neighbouring frames.
        x = x.unflatten(2, (-1, self.stride)).transpose(2, 3).flatten(1, 2).transpose(1, 2)
        return self.head(self.norm(self.fine(x).transpose(1, 2)))
