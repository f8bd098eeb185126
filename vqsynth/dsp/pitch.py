"""Pitch as a distribution over half-semitone bins."""

import torch
from torch import Tensor

PITCH_FMIN = 40.0
BINS_PER_OCTAVE = 24


def bins_of_f0(f0: Tensor, fmin: float = PITCH_FMIN, per_octave: int = BINS_PER_OCTAVE) -> Tensor:
    """Fractional bin of a fundamental in Hz; unvoiced (0) gives a bin far below the first."""
    return torch.where(f0 > 0, torch.log2(f0.clamp_min(1.0) / fmin) * per_octave, -1e3)


def f0_of_bins(bins: Tensor, fmin: float = PITCH_FMIN, per_octave: int = BINS_PER_OCTAVE) -> Tensor:
    """Inverse of :func:`bins_of_f0` for voiced bins."""
    return fmin * torch.exp2(bins / per_octave)


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
    return f0_near(logits, logits.argmax(-1, keepdim=True), reach).to(logits.dtype)


def f0_near(logits: Tensor, peak: Tensor, reach: int = 3) -> Tensor:
    """Fundamental in Hz: mean of the distribution within ``reach`` bins of ``peak``.

    Shape: [..., n_bins], [..., 1] bin numbers -> [...] float64: a phase is summed from it, and rounding would add up
    """
    offset = torch.arange(-reach, reach + 1, device=logits.device)
    position = peak + offset
    inside = (position >= 0) & (position < logits.shape[-1])
    near = logits.gather(-1, position.clamp(0, logits.shape[-1] - 1)).masked_fill(~inside, float("-inf"))
    mean = (torch.softmax(near.double(), -1) * offset).sum(-1)
    return f0_of_bins(mean + peak[..., 0])
