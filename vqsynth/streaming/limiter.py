"""A look-ahead limiter: the peak stays under a ceiling, the gain moves smoothly."""

import math

import torch
from torch import Tensor, nn

PIECE = 4096
"""Samples over which the release is computed at once."""


class Limiter(nn.Module):
    """A stream whose samples never exceed a ceiling, in double precision.

    The gain that the loudest sample of the coming ``look_ahead`` samples needs is held, released exponentially
    and averaged over the same stretch: when that sample comes, the average is at or below what it needs.

    Args:
        sample_rate: in Hz.
        ceiling: highest absolute sample of the output.
        look_ahead_ms: time over which the gain falls before a peak.
        release_ms: time constant of its return.

    Attributes:
        latency: samples by which the output trails the input.
    """

    state_audio: Tensor
    state_needed: Tensor
    state_reduced: Tensor
    state_last: Tensor

    def __init__(
        self,
        sample_rate: int,
        ceiling: float = 10 ** (-0.5 / 20),
        look_ahead_ms: float = 2.0,
        release_ms: float = 80.0,
    ) -> None:
        super().__init__()
        self.ceiling = ceiling
        self.length = max(1, round(look_ahead_ms / 1000 * sample_rate))
        self.latency = self.length - 1
        self.decay = math.exp(-1000 / (release_ms * sample_rate))
        self.piece = PIECE
        for name in ("audio", "needed", "reduced"):
            self.register_buffer(f"state_{name}", torch.zeros(1, self.latency, dtype=torch.float64), persistent=False)
        self.register_buffer("state_last", torch.zeros(1, dtype=torch.float64), persistent=False)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        silence = torch.zeros(batch, self.latency, dtype=torch.float64, device=self.state_last.device)
        self.state_audio, self.state_needed, self.state_reduced = silence, silence.clone(), silence.clone()
        self.state_last = torch.zeros(batch, dtype=torch.float64, device=silence.device)

    def forward(self, audio: Tensor) -> Tensor:
        """Limit a block of any length.

        Shape:
            [batch, samples] -> [batch, samples] float64, ``latency`` samples late
        """
        audio = audio.double()
        if audio.shape[1] == 0:
            return audio
        return torch.cat([self._limit(piece) for piece in audio.split(self.piece, 1)], 1)

    def _limit(self, audio: Tensor) -> Tensor:
        # Reductions, 1 - gain: silence before the stream needs none.
        wanted = 1 - (self.ceiling / audio.abs().clamp_min(self.ceiling)).clamp_max(1.0)
        needed = torch.cat([self.state_needed, wanted], 1)
        held = needed.unfold(1, self.length, 1).amax(2)
        reduced = torch.cat([self.state_reduced, self._release(held)], 1)
        mean = reduced.unfold(1, self.length, 1).mean(2)
        delayed = torch.cat([self.state_audio, audio], 1)
        count, keep = audio.shape[1], delayed.shape[1] - self.latency
        self.state_needed = needed[:, keep:].clone()
        self.state_reduced = reduced[:, keep:].clone()
        self.state_audio = delayed[:, keep:].clone()
        # Rounding of the mean must not let a peak over.
        return (delayed[:, :count] * (1 - mean)).clamp(-self.ceiling, self.ceiling)

    def _release(self, held: Tensor) -> Tensor:
        """Let reductions fall exponentially: the highest of all past ones, each faded by its age."""
        age = torch.arange(1, held.shape[1] + 1, dtype=torch.float64, device=held.device)
        ages = torch.pow(torch.full_like(age, self.decay), age)
        released = torch.maximum(torch.cummax(held / ages, 1)[0], self.state_last[:, None]) * ages
        last = released[:, -1]
        self.state_last = torch.where(last < 1e-12, torch.zeros_like(last), last)
        return released
