"""Pitch of single frames without a network: the YIN estimator, in tensors that compile.

de Cheveigné & Kawahara (2002), YIN, a fundamental frequency estimator for speech and music, eq. 6 to 8 and step 5.
"""

import torch
from torch import Tensor

THRESHOLD = 0.15
"""Aperiodicity below which the first dip is the period (step 4)."""
VOICED = 0.3
"""Aperiodicity above which a frame has no pitch."""


def yin(
    frames: Tensor, sample_rate: int, fmin: float = 60.0, threshold: float = THRESHOLD, voiced: float = VOICED
) -> Tensor:
    """Pitch of frames.

    Args:
        frames: samples, not windowed.
        sample_rate: in Hz.
        fmin: lowest pitch in Hz; its period must fit into half a frame.
        threshold: see :data:`THRESHOLD`.
        voiced: see :data:`VOICED`.

    Shape:
        frames: [..., length] -> [...] Hz, 0 where there is no pitch
    """
    length = frames.shape[-1]
    half = length // 2
    longest = min(half - 2, int(sample_rate / fmin) + 1)
    x = frames.double()
    spectrum = torch.fft.rfft(x, n=2 * length)
    first = torch.fft.rfft(x[..., :half], n=2 * length)
    correlation = torch.fft.irfft(spectrum * first.conj(), n=2 * length)[..., : longest + 2]
    energy = torch.nn.functional.pad(torch.cumsum(x.square(), -1), (1, 0))
    moved = energy[..., half : half + longest + 2] - energy[..., : longest + 2]
    difference = (moved[..., :1] + moved - 2 * correlation).clamp_min(0.0)
    lag = torch.arange(1, longest + 2, dtype=torch.float64, device=frames.device)
    mean = torch.cumsum(difference[..., 1:], -1) / lag
    normal = difference[..., 1:] / mean.clamp_min(1e-12)
    before, here, after = normal[..., :-2], normal[..., 1:-1], normal[..., 2:]
    dip = (here <= before) & (here < after)
    early = dip & (here < threshold)
    deepest = torch.where(dip, here, torch.full_like(here, 10.0)).argmin(-1)
    index = torch.where(early.any(-1), early.to(torch.int64).argmax(-1), deepest)[..., None]
    low, middle, high = before.gather(-1, index), here.gather(-1, index), after.gather(-1, index)
    curve = low - 2 * middle + high
    offset = torch.where(curve.abs() > 1e-12, 0.5 * (low - high) / curve.clamp_min(1e-12), torch.zeros_like(curve))
    period = (index + 2 + offset.clamp(-0.5, 0.5))[..., 0]
    sounding = (middle[..., 0] < voiced) & (energy[..., -1] > 1e-9 * length) & dip.any(-1)
    return torch.where(sounding, sample_rate / period, torch.zeros_like(period)).float()
