"""A timbre's voice whose life, the share of the player's movement, comes with every block."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from vqsynth.export.control import ControlVoice

LIFE = "life"


class LivelyVoice(nn.Module):
    """Both ways of choosing what sounds, of which ``alive`` takes one: codes at 0, units above.

    Args:
        voice: that has units.

    Attributes:
        alive: share of the movement, 0 to 1, [1].
    """

    alive: Tensor

    def __init__(self, voice: ControlVoice) -> None:
        super().__init__()
        self.voice = voice
        self.register_buffer("alive", torch.zeros(1), persistent=False)

    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.voice.reset(batch)

    def forward(self, controls: Tensor) -> Tensor:
        """As :class:`~vqsynth.export.control.ControlVoice`. Shape: [1, 5, frames] -> [1, frames * hop_length]."""
        voice, alive = self.voice, torch.nan_to_num(self.alive).clamp(0.0, 1.0)
        assert voice.life is not None
        assert voice.detail is not None
        pitch, loudness, level, anew, centroid, bandwidth, weights = voice.asked(controls)
        codes = voice.nearest(pitch, anew, centroid, bandwidth, weights)
        octaves = torch.log2(torch.stack([pitch, torch.ones_like(pitch), centroid], -1).clamp_min(1.0))
        octaves[..., 1] = 20 * torch.log10(loudness.clamp_min(1e-3))
        weight = torch.stack([weights[..., 2], torch.ones_like(pitch), weights[..., 0]], -1)
        units, moves = voice.life(octaves, weight, anew)
        moves = alive * moves
        codes = torch.where(alive > 0, voice.detail.codes[units], codes)
        voice.alive = alive  # type: ignore[assignment]
        return voice.play(
            codes,
            anew,
            pitch * torch.exp2(moves[..., 0]),
            level * 10 ** (moves[..., 1] / 20),
            voice.bias * centroid * torch.exp2(moves[..., 2]),
            bandwidth,
            units,
        )


def lively(instrument: nn.Module) -> nn.Module:
    """The instrument with such a voice, where its timbre has units; else as it is."""
    voice = instrument.voice
    assert isinstance(voice, ControlVoice)
    if voice.life is None or voice.detail is None:
        return instrument
    made = copy.copy(instrument)
    made._modules = {**instrument._modules, "voice": LivelyVoice(voice)}
    return made
