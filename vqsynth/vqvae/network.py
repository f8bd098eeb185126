"""ConvNeXt encoder and decoder over frames, causal and streamable."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vqsynth.dsp.mel import band_interpolation
from vqsynth.dsp.pitch import decode_f0
from vqsynth.dsp.source_filter import Frames
from vqsynth.streaming.convnext import Block
from vqsynth.streaming.convolution import CausalConv1d
from vqsynth.vqvae.config import ModelConfig


class Encoder(nn.Module):
    """Features to latents. Shape: [batch, frames, n_features] -> [batch, frames, code_dim]."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.embed = nn.Linear(config.n_features, config.width)
        self.blocks = nn.Sequential(
            *(Block(config.width, config.expansion, config.kernel_size) for _ in range(config.encoder_blocks))
        )
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, config.code_dim)

    def forward(self, features: Tensor) -> Tensor:
        x = self.blocks(self.embed(features).transpose(1, 2)).transpose(1, 2)
        return self.head(self.norm(x))


class Decoder(nn.Module):
    """Latents to raw outputs, which trail the input by ``lookahead`` frames.

    Shape: [batch, frames, code_dim] -> [batch, frames, n_outputs]
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = CausalConv1d(config.code_dim, config.width, 3)
        self.blocks = nn.Sequential(
            *(Block(config.width, config.expansion, config.kernel_size) for _ in range(config.decoder_blocks))
        )
        self.norm = nn.LayerNorm(config.width)
        self.sizes = [config.n_harmonic_bands, config.n_noise_bands, config.pitch_bins, 1]
        self.head = nn.Linear(config.width, sum(self.sizes))
        for name, bands in (("harmonic_bands", config.n_harmonic_bands), ("noise_bands", config.n_noise_bands)):
            matrix = band_interpolation(config.sample_rate, config.n_fft, bands)
            self.register_buffer(name, matrix, persistent=False)

    def forward(self, latents: Tensor) -> Tensor:
        x = self.blocks(self.embed(latents.transpose(1, 2))).transpose(1, 2)
        return self.head(self.norm(x))

    def whole(self, latents: Tensor) -> Tensor:
        """Decode a whole sequence; output frame t belongs to input frame t."""
        ahead = self.config.lookahead
        padded = torch.cat([latents, latents[:, -1:].expand(-1, ahead, -1)], 1)
        return self(padded)[:, ahead:]

    def frames(self, outputs: Tensor) -> tuple[Frames, Tensor]:
        """Turn raw outputs into filters and pitch.

        Shape: [batch, frames, n_outputs] -> Frames [batch, frames], pitch logits [batch, frames, pitch_bins]
        """
        harmonic, noise, pitch, voicing = outputs.split(self.sizes, -1)
        frames = Frames(
            f0=decode_f0(pitch),
            voicing=torch.sigmoid(voicing[..., 0]),
            harmonic=torch.exp((harmonic @ self.harmonic_bands).clamp(-16, 8)),
            # Noise starts well below the harmonics and has to be earned.
            noise=torch.exp((noise @ self.noise_bands - 4).clamp(-16, 8)),
        )
        return frames, pitch
