"""Pitch as a distribution over half-semitone bins."""

from __future__ import annotations

import torch
from torch import Tensor

PITCH_FMIN = 40.0
BINS_PER_OCTAVE = 24


def bins_of_f0(f0: Tensor) -> Tensor:
    """Fractional bin of a fundamental in Hz; unvoiced (0) gives a bin far below the first."""
    return torch.where(f0 > 0, torch.log2(f0.clamp_min(1.0) / PITCH_FMIN) * BINS_PER_OCTAVE, -1e3)


def f0_of_bins(bins: Tensor) -> Tensor:
    """Inverse of :func:`bins_of_f0` for voiced bins."""
    return PITCH_FMIN * torch.exp2(bins / BINS_PER_OCTAVE)


def encode_f0(f0: Tensor, n_bins: int, sigma: float = 0.8) -> Tensor:
    """Blur f0 over the bins; frames without pitch are all zero.

    Shape: [...] Hz -> [..., n_bins], the largest value near 1
    """
    distance = bins_of_f0(f0)[..., None] - torch.arange(n_bins, device=f0.device)
    return torch.exp(-0.5 * (distance / sigma).square())


def decode_f0(logits: Tensor, reach: int = 3) -> Tensor:
    """Fundamental in Hz: mean of the distribution within ``reach`` bins of its peak.

    Shape: [..., n_bins] -> [...]
    """
    n_bins = logits.shape[-1]
    position = torch.arange(n_bins, device=logits.device)
    peak = logits.argmax(-1, keepdim=True)
    near = (position - peak).abs() <= reach
    weights = torch.softmax(logits.masked_fill(~near, float("-inf")), -1)
    return f0_of_bins((weights * position).sum(-1))
