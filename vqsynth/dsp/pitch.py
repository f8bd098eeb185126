"""Pitch as a distribution over half-semitone bins."""

from __future__ import annotations

import torch
from torch import Tensor, nn

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


class PitchFilter(nn.Module):
    """Follows one pitch through a stream of distributions: a forward filter that needs no frame to come.

    Belief = distribution of the frame times belief before, which moves a little (a Gaussian of ``spread`` bins) or,
    with probability ``leap``, anywhere. What a single frame confuses (the octave, mostly) is settled by those before;
    the fine pitch is still the frame's own. The forward algorithm of hidden Markov models (Rabiner 1989, eq. 19 to 21).
    """

    def __init__(self, n_bins: int, spread: float = 1.5, leap: float = 0.05) -> None:
        super().__init__()
        distance = torch.arange(n_bins)[:, None] - torch.arange(n_bins)
        move = torch.exp(-0.5 * (distance / spread).square())
        move = (1 - leap) * move / move.sum(1, keepdim=True) + leap / n_bins
        self.register_buffer("move", move, persistent=False)
        self.register_buffer("belief", torch.full((n_bins,), 1.0 / n_bins), persistent=False)

    def reset(self) -> None:
        """Begin a new stream."""
        self.belief.fill_(1.0 / len(self.belief))

    def forward(self, logits: Tensor) -> Tensor:
        """Shape: [frames, n_bins] -> [frames] Hz."""
        likelihood = torch.softmax(logits, -1)
        peaks = torch.zeros(len(logits), 1, dtype=torch.int64)
        belief = self.belief
        for frame in range(len(logits)):
            belief = likelihood[frame] * (belief @ self.move)
            belief = belief / belief.sum()
            peaks[frame, 0] = belief.argmax()
        self.belief.copy_(belief)
        return f0_near(logits, peaks)
