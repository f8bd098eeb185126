"""Which pitch a frame has, and whether it has one: read from mel frames."""

import torch
from torch import Tensor, nn

from vqsynth.streaming.convnext import Blocks
from vqsynth.streaming.convolution import CausalConv1d
from vqsynth.streaming.pitch_filter import PitchFilter
from vqsynth.wavae.network.analysis import contrast
from vqsynth.wavae.network.config import WavaeConfig

FIRST_PITCH = 220.0
"""Hz that a stream starts from until a frame has a pitch."""


class PitchReader(nn.Module):
    """Causal network over mel frames; a single voice has a pitch, a chord, a section and noise have none.

    Shape:
        [batch, frames, n_mels] -> pitch [batch, frames] Hz, float64, carried through frames without one;
        voicing [batch, frames] 0..1
    """

    state_pitch: Tensor
    state_voicing: Tensor

    def __init__(self, config: WavaeConfig) -> None:
        super().__init__()
        width = config.reader_width
        self.embed = CausalConv1d(3 * config.n_mels, width, 3)
        self.blocks = Blocks(config.reader_blocks, width, config.expansion, config.kernel_size)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, config.pitch_bins + 1)
        self.filter = PitchFilter(config.pitch_bins)
        self.first = FIRST_PITCH
        self.register_buffer("state_pitch", torch.zeros(1, dtype=torch.float64), persistent=False)
        self.register_buffer("state_voicing", torch.zeros(1), persistent=False)
        self.reset(1)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.embed.reset(batch)
        self.blocks.reset(batch)
        self.filter.reset(batch)
        device = self.head.weight.device
        self.state_pitch = torch.full((batch,), self.first, dtype=torch.float64, device=device)
        self.state_voicing = torch.zeros(batch, device=device)

    @torch.jit.export
    def logits(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the pitch [batch, frames, pitch_bins] and of the voicing [batch, frames]."""
        x = self.blocks(self.embed(contrast(mel).transpose(1, 2))).transpose(1, 2)
        outputs = self.head(self.norm(x))
        return outputs[..., :-1], outputs[..., -1]

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        logits, voiced = self.logits(mel)
        pitch = self.filter(logits)
        # What the network is nearly sure of counts as sure.
        voicing = (2 * torch.sigmoid(voiced) - 0.5).clamp(0.0, 1.0)
        pitches, voicings = torch.zeros_like(pitch), torch.zeros_like(voicing)
        before, level = self.state_pitch, self.state_voicing
        for frame in range(mel.shape[1]):
            before = torch.where(voicing[:, frame] > 0.25, pitch[:, frame], before)
            level = 0.5 * level + 0.5 * voicing[:, frame]
            pitches[:, frame], voicings[:, frame] = before, level
        self.state_pitch, self.state_voicing = before, level
        # An average never quite arrives.
        return pitches, ((voicings - 0.02) / 0.96).clamp(0.0, 1.0)
