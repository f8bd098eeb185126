"""Sinusoids written straight into the spectra of frames.

A windowed sinusoid is the window's transform around its frequency: with a Hann window a lobe of which all but a
thousandth lies within six bins. Rodet & Depalle (1992), Spectral envelopes and inverse FFT synthesis.
"""

import math

import torch
from torch import Tensor


def write_partials(position: Tensor, amplitude: Tensor, phase: Tensor, bins: int, reach: int = 5) -> Tensor:
    """Spectra of frames of sinusoids, as an FFT of the Hann-windowed frames would give them.

    Args:
        position: frequency in bins, [batch, frames, partials].
        amplitude: height of the lobe's peak, [batch, frames, partials]; a sinusoid of amplitude a has a n_fft / 4.
        phase: of a cosine at the frame's centre, radians, [batch, frames, partials].
        bins: n_fft // 2 + 1.
        reach: bins to either side that a lobe is written into.

    Shape:
        -> [batch, frames, bins] complex
    """
    # The transform of a centred Hann window at x bins from its peak is sin(pi x) / (pi x (1 - x^2)). From bin to bin
    # the sine only changes its sign, and so does the frame's spectrum, which begins half a window before its centre.
    low = position.floor()
    share = position - low
    # The removable singularities, on a bin, are stepped around.
    share = share.clamp(1e-4, 1 - 1e-4)
    offsets = torch.arange(1 - reach, reach + 1, device=position.device)
    x = (offsets - share[..., None]).float()
    low = low.long()
    sign = torch.where(low % 2 == 0, -1.0, 1.0)
    height = (amplitude * torch.sin(math.pi * share.float()) * sign / math.pi)[..., None] / (x * (1 - x * x))
    place = low[..., None] + offsets
    inside = (place >= 0) & (place < bins)
    height = torch.where(inside, height, torch.zeros_like(height))
    place = place.clamp(0, bins - 1).flatten(2)
    zero = torch.zeros(position.shape[0], position.shape[1], bins, device=position.device)
    angle = phase.float()[..., None]
    return torch.complex(
        zero.scatter_add(2, place, (height * torch.cos(angle)).flatten(2)),
        zero.scatter_add(2, place, (height * torch.sin(angle)).flatten(2)),
    )
