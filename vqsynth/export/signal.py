"""What every instrument does at its edges, in functions that compile."""

import torch
from torch import Tensor

KNEE = 0.8
"""Peak up to which a sound is left as it is."""


def finite(x: Tensor, most: float = 1e6) -> Tensor:
    """What is no number becomes 0: nothing that comes in may spoil a stream for good."""
    return torch.where(x.abs() < 1e30, x, torch.zeros_like(x)).clamp(-most, most)


def within_one(audio: Tensor, knee: float = KNEE) -> Tensor:
    """Bend peaks above the knee so that none exceeds 1; no delay, no memory."""
    over = (audio.abs() - knee).clamp_min(0.0) / (1 - knee)
    bent = knee + (1 - knee) * torch.tanh(over)
    return torch.where(over > 0, torch.sign(audio) * bent, finite(audio))
