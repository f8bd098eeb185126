"""What a step of the discrete model's training sees."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor

from vqsynth.training.segments import Segments
from vqsynth.vqvae.config import ModelConfig
from vqsynth.vqvae.features import encoder_view


@dataclasses.dataclass
class SegmentBatch:
    """Segments of equal length.

    Shape:
        audio: [batch, (frames - 1) * hop_length]; mel: [batch, frames, n_mels];
        f0, loudness: [batch, frames]; active: [batch, frames] bool
    """

    audio: Tensor
    mel: Tensor
    f0: Tensor
    loudness: Tensor
    active: Tensor

    def inputs(self, config: ModelConfig) -> Tensor:
        """The encoder's input. Shape: [batch, frames, n_features]."""
        return encoder_view(self.mel, self.f0, config)

    def to(self, device: torch.device) -> SegmentBatch:
        return SegmentBatch(*(getattr(self, field.name).to(device) for field in dataclasses.fields(self)))


def draw_batch(segments: Segments, size: int, random: np.random.Generator) -> SegmentBatch:
    """Draw a batch of segments."""
    return SegmentBatch(**segments.draw(size, random))
