"""From one sample rate to another, as a stream of blocks of any size."""

import math

import torch
from torch import Tensor, nn

HALF = 24
"""Samples of the slower rate to either side that make a new one."""
CUTOFF = 0.94
"""Of the lower Nyquist frequency: above 20.7 kHz for a CD's rate."""
BETA = 9.0
"""Of the Kaiser window: some 90 dB of attenuation."""


class Resampler(nn.Module):
    """Polyphase windowed sinc (Smith 1984, Digital Audio Resampling); any division into blocks gives the same sound.

    Args:
        before: rate that comes, Hz.
        after: rate that is wanted, Hz.

    Attributes:
        latency: samples of the rate that comes.
    """

    kernels: Tensor
    state_past: Tensor
    state_place: Tensor

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        common = math.gcd(before, after)
        # Places between two samples that come, and how many of them lie between two that go.
        self.places, self.step = after // common, before // common
        slower = min(1.0, after / before)
        half = round(HALF / slower)
        self.taps, self.latency = 2 * half, half
        phase = torch.arange(self.places, dtype=torch.float64)[:, None] / self.places
        distance = phase + half - 1 - torch.arange(self.taps, dtype=torch.float64)
        window = torch.special.i0(BETA * (1 - (distance / half).square()).clamp_min(0.0).sqrt())
        kernels = torch.special.sinc(CUTOFF * slower * distance) * window * (distance.abs() <= half)
        kernels = kernels / kernels.sum(1, keepdim=True)
        self.register_buffer("kernels", kernels.float(), persistent=False)
        self.register_buffer("state_past", torch.zeros(1, self.taps - 1), persistent=False)
        # Of the next sample to go, from the first that comes, in places.
        self.register_buffer("state_place", torch.zeros((), dtype=torch.int64), persistent=False)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.state_past = torch.zeros(batch, self.taps - 1)
        self.state_place = torch.zeros_like(self.state_place)

    def forward(self, audio: Tensor) -> Tensor:
        """Take more samples, give those that are known. Shape: [batch, n] -> [batch, about n * after / before]."""
        known = torch.cat([self.state_past, audio], 1)
        place, length = int(self.state_place), audio.shape[1] * self.places
        count = max(0, (length - place + self.step - 1) // self.step)
        places = place + self.step * torch.arange(count, device=audio.device)
        self.state_place = torch.full_like(self.state_place, place + self.step * count - length)
        self.state_past = known[:, audio.shape[1] :].clone()
        first = places.div(self.places, rounding_mode="floor")
        windows = known[:, first[:, None] + torch.arange(self.taps, device=audio.device)]
        return (windows * self.kernels[torch.remainder(places, self.places)]).sum(2)
