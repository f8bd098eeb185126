"""Mel frames to all that the synthesizer needs: two filters, the pitches of chords, and a finer spectrum."""

import numpy as np
import torch
from torch import Tensor, nn

from vqsynth.dsp.filter_head import FilterHead
from vqsynth.dsp.mel import hz_to_mel
from vqsynth.streaming.convnext import Blocks
from vqsynth.streaming.convolution import CausalConv1d, CausalConv2d
from vqsynth.wavae.network.analysis import FMAX, contrast
from vqsynth.wavae.network.config import WavaeConfig

GROUP = 8
"""Cells that are handled as one place of the map, its channels."""
COARSE, CHANNELS = 24, 64


class SpectrumMap(nn.Module):
    """How strong and how tonal a frame is at every cell: mel frame and features to maps over frequency, bin by bin.

    Convolutions over places of eight cells and over frames see the neighbourhood of a cell, the features the whole.

    Shape:
        mel [batch, frames, n_mels], features [batch, frames, width]
        -> level (log magnitude), tonality (logit): 2 x [batch, frames, cells]
    """

    spread: Tensor

    def __init__(self, config: WavaeConfig) -> None:
        super().__init__()
        self.cells, self.places = config.cells, config.cells // GROUP
        self.group, self.coarse = GROUP, COARSE
        edges = hz_to_mel(30.0) + (hz_to_mel(FMAX) - hz_to_mel(30.0)) / (config.n_mels + 1) * np.arange(
            1, config.n_mels + 1
        )
        cells = hz_to_mel(np.arange(config.cells) * config.sample_rate / config.n_fft)
        spread = np.stack([np.interp(cells, edges, row) for row in np.eye(config.n_mels)])
        self.register_buffer("spread", torch.from_numpy(spread.astype(np.float32)), persistent=False)
        self.whole = nn.Linear(config.vocoder_width, COARSE * self.places)
        self.near = CausalConv2d(3 * GROUP + COARSE, CHANNELS, (3, 3), self.places)
        self.mix = CausalConv2d(CHANNELS, CHANNELS, (1, 3), self.places)
        self.head = CausalConv2d(CHANNELS, 2 * GROUP, (1, 3), self.places)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.near.reset(batch)

    def forward(self, mel: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        batch, frames = mel.shape[0], mel.shape[1]
        bands = contrast(mel).view(batch, frames, 3, mel.shape[2])
        local = (bands @ self.spread).view(batch, frames, 3, self.places, self.group).transpose(2, 3).flatten(3)
        whole = self.whole(features).view(batch, frames, self.places, self.coarse)
        x = nn.functional.gelu(self.near(torch.cat([local, whole], -1).permute(0, 3, 1, 2)))
        x = self.head(x + nn.functional.gelu(self.mix(x)))
        maps = x.view(batch, 2, self.group, frames, self.places).permute(1, 0, 3, 4, 2)
        maps = maps.reshape(2, batch, frames, self.cells)
        return 3 * maps[0] - 1, 3 * maps[1]


class Vocoder(nn.Module):
    """Causal ConvNeXt network over mel frames; with a synthesizer it makes the waveform.

    Shape:
        mel [batch, frames, n_mels], pitch features [batch, frames, pitch_bins + 1]
        -> raw outputs of the filters [batch, frames, n_outputs], features [batch, frames, width]

    Attributes:
        filters: reads raw outputs.
        spectrum: reads mel frames and features.
        salience: reads features: logits of the pitches of a frame, [batch, frames, pitch_bins].
    """

    def __init__(self, config: WavaeConfig) -> None:
        super().__init__()
        width = config.vocoder_width
        self.embed = CausalConv1d(3 * config.n_mels, width, 3)
        self.tune = nn.Linear(config.pitch_bins + 1, width, bias=False)
        self.blocks = Blocks(config.vocoder_blocks, width, config.expansion, config.kernel_size)
        self.norm = nn.LayerNorm(width)
        self.filters = FilterHead(config.sample_rate, config.n_fft, config.n_harmonic_bands, config.n_noise_bands, 0)
        self.head = nn.Linear(width, self.filters.n_outputs)
        self.spectrum = SpectrumMap(config)
        self.salience = nn.Linear(width, config.pitch_bins)
        nn.init.constant_(self.salience.bias, -4.0)  # few bins hold a pitch

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.embed.reset(batch)
        self.blocks.reset(batch)
        self.spectrum.reset(batch)

    def forward(self, mel: Tensor, pitch: Tensor) -> tuple[Tensor, Tensor]:
        x = self.blocks(self.embed(contrast(mel).transpose(1, 2)) + self.tune(pitch).transpose(1, 2)).transpose(1, 2)
        features = self.norm(x)
        return self.head(features), features
