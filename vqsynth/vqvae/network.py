"""ConvNeXt encoder and decoder over frames, causal and streamable."""

import torch
from torch import Tensor, nn

from vqsynth.dsp.filter_head import FilterHead
from vqsynth.dsp.pitch import decode_f0
from vqsynth.dsp.source_filter import Frames
from vqsynth.streaming.convnext import Blocks
from vqsynth.streaming.convolution import CausalConv1d
from vqsynth.vqvae.config import ModelConfig


class Encoder(nn.Module):
    """Features to latents.

    Shape:
        [batch, frames, n_features] -> [batch, frames, code_dim]
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.embed = nn.Linear(config.n_features, config.width)
        self.blocks = Blocks(config.encoder_blocks, config.width, config.expansion, config.kernel_size)
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, config.code_dim)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.blocks.reset(batch)

    def forward(self, features: Tensor) -> Tensor:
        x = self.blocks(self.embed(features).transpose(1, 2)).transpose(1, 2)
        return self.head(self.norm(x))


class Decoder(nn.Module):
    """Latents to raw outputs of a :class:`~vqsynth.dsp.filter_head.FilterHead`, ``latency`` frames late.

    Shape:
        [batch, frames, code_dim] -> [batch, frames, n_outputs]

    Attributes:
        latency: frames of look-ahead.
        filters: draws the filters of raw outputs.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.latency = config.lookahead
        self.embed = CausalConv1d(config.code_dim, config.width, 3)
        self.blocks = Blocks(config.decoder_blocks, config.width, config.expansion, config.kernel_size)
        self.norm = nn.LayerNorm(config.width)
        self.filters = FilterHead(
            config.sample_rate, config.n_fft, config.n_harmonic_bands, config.n_noise_bands, config.pitch_bins
        )
        self.head = nn.Linear(config.width, self.filters.n_outputs)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.embed.reset(batch)
        self.blocks.reset(batch)

    def forward(self, latents: Tensor) -> Tensor:
        x = self.blocks(self.embed(latents.transpose(1, 2))).transpose(1, 2)
        return self.head(self.norm(x))

    def decode_sequence(self, latents: Tensor) -> Tensor:
        """Decode a whole sequence, apart from any stream; output frame t belongs to input frame t."""
        padded = torch.cat([latents, latents[:, -1:].expand(-1, self.latency, -1)], 1)
        return self(padded)[:, self.latency :]

    def frames(self, outputs: Tensor) -> tuple[Frames, Tensor]:
        """Turn raw outputs into filters and pitch.

        Shape:
            [batch, frames, n_outputs] -> Frames [batch, frames], pitch logits [batch, frames, pitch_bins]
        """
        harmonic, noise = self.filters(outputs)
        pitch, voicing = self.filters.pitch(outputs)
        return Frames(decode_f0(pitch), torch.sigmoid(voicing), harmonic, noise), pitch
