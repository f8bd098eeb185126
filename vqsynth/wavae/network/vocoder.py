"""Mel frames to the pitch and the two filters that the synthesiser needs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vqsynth.dsp.mel import band_interpolation
from vqsynth.dsp.pitch import decode_f0
from vqsynth.streaming.convnext import Block
from vqsynth.streaming.convolution import CausalConv1d
from vqsynth.wavae.network.config import WavaeConfig


class Vocoder(nn.Module):
    """Causal ConvNeXt network over mel frames; with :class:`FrameSynth` it makes the waveform."""

    def __init__(self, config: WavaeConfig) -> None:
        super().__init__()
        width = config.vocoder_width
        self.embed = CausalConv1d(config.n_mels, width, 3)
        self.blocks = nn.Sequential(
            *(Block(width, config.expansion, config.kernel_size) for _ in range(config.vocoder_blocks))
        )
        self.norm = nn.LayerNorm(width)
        self.sizes = [config.n_harmonic_bands, config.n_noise_bands, config.pitch_bins, 1]
        self.head = nn.Linear(width, sum(self.sizes))
        harmonic = band_interpolation(config.sample_rate, config.n_fft, config.n_harmonic_bands)
        noise = band_interpolation(config.sample_rate, config.n_fft, config.n_noise_bands)
        self.register_buffer("harmonic_bands", harmonic, persistent=False)
        self.register_buffer("noise_bands", noise, persistent=False)

    def forward(self, mel: Tensor) -> Tensor:
        """Shape: [batch, frames, n_mels] -> raw outputs [batch, frames, sum(sizes)]."""
        x = self.blocks(self.embed(mel.transpose(1, 2))).transpose(1, 2)
        return self.head(self.norm(x))

    def pitch(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Pitch logits [batch, frames, pitch_bins] and voicing logit [batch, frames] of raw outputs."""
        _, _, logits, voicing = outputs.split(self.sizes, -1)
        return logits, voicing[..., 0]

    def bands(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Filters of pulses and of noise. Shape: raw outputs [batch, frames, n] -> 2 x [batch, frames, n_fft // 2 + 1]."""
        harmonic, noise, _, _ = outputs.split(self.sizes, -1)
        return (
            torch.exp((harmonic @ self.harmonic_bands).clamp(-16.0, 8.0)),
            # Noise starts well below the harmonics and has to be earned.
            torch.exp((noise @ self.noise_bands - 4).clamp(-16.0, 8.0)),
        )

    def filters(self, outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Pitch of each frame by itself, and :meth:`bands`. Shape: raw outputs [batch, frames, n] -> f0 [batch, frames] Hz, ..."""
        logits, _ = self.pitch(outputs)
        return decode_f0(logits), *self.bands(outputs)
