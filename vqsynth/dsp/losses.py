"""Spectral distances between waveforms."""

from __future__ import annotations

import torch
from torch import Tensor

from vqsynth.dsp.stft import power_spectrogram


def multi_resolution_stft(
    output: Tensor, target: Tensor, sizes: tuple[int, ...] = (4096, 2048, 1024, 256), floor: float = 1e-3
) -> Tensor:
    """Mean over resolutions of spectral convergence plus log-magnitude distance.

    Yamamoto, Song & Kim (2020), eq. 4 to 6, with a magnitude ``floor`` (per sample of the
    window) below which differences are not heard and not learned.

    Shape:
        [batch, samples], [batch, samples] -> []
    """
    total = output.new_zeros(())
    for size in sizes:
        scale = size / 2
        magnitude = (power_spectrogram(output, size, size // 4) + 1e-9).sqrt() / scale
        reference = (power_spectrogram(target, size, size // 4) + 1e-9).sqrt() / scale
        difference = torch.linalg.vector_norm(reference - magnitude, dim=(1, 2))
        convergence = difference / torch.linalg.vector_norm(reference, dim=(1, 2)).clamp_min(1e-3)
        log_distance = (torch.log(magnitude + floor * 0.1) - torch.log(reference + floor * 0.1)).abs().mean()
        total = total + convergence.mean() + log_distance
    return total / len(sizes)
