"""Mel frames to the pitch and the two filters that the synthesizer needs."""

import torch
from torch import Tensor, nn

from vqsynth.dsp.filter_head import FilterHead
from vqsynth.streaming.convnext import Blocks
from vqsynth.streaming.convolution import CausalConv1d
from vqsynth.wavae.network.config import WavaeConfig


class Vocoder(nn.Module):
    """Causal ConvNeXt network over mel frames; with a synthesizer it makes the waveform.

    Shape:
        [batch, frames, n_mels] -> raw outputs [batch, frames, n_outputs]

    Attributes:
        filters: reads raw outputs.
    """

    def __init__(self, config: WavaeConfig) -> None:
        super().__init__()
        width = config.vocoder_width
        self.embed = CausalConv1d(config.n_mels, width, 3)
        self.blocks = Blocks(config.vocoder_blocks, width, config.expansion, config.kernel_size)
        self.norm = nn.LayerNorm(width)
        self.filters = FilterHead(
            config.sample_rate, config.n_fft, config.n_harmonic_bands, config.n_noise_bands, config.pitch_bins
        )
        self.head = nn.Linear(width, self.filters.n_outputs)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.embed.reset(batch)
        self.blocks.reset(batch)

    def forward(self, mel: Tensor) -> Tensor:
        x = self.blocks(self.embed(mel.transpose(1, 2))).transpose(1, 2)
        return self.head(self.norm(x))
