"""Distances between waveforms, and between what a network says of pitch and voicing and what was tracked."""

from __future__ import annotations

import torch
from torch import Tensor

from vqsynth.dsp.pitch import encode_f0
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


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Mean of ``values`` where ``weights`` (bool) hold; 0 where they hold nowhere.

    Shape:
        values: [...]
        weights: [...] -> []
    """
    return (values * weights).sum() / weights.sum().clamp_min(1)


def pitch_losses(pitch: Tensor, voicing: Tensor, f0: Tensor, active: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropies of the pitch over voiced frames and of the voicing over active ones.

    Shape:
        pitch: [batch, frames, pitch_bins] logits;
        voicing: [batch, frames] logits;
        f0: [batch, frames] Hz, 0 where unvoiced;
        active: [batch, frames] bool, false in silence -> [], []
    """
    voiced = (f0 > 0) & active
    goal = encode_f0(f0, pitch.shape[-1])
    goal = goal / goal.sum(-1, keepdim=True).clamp_min(1e-6)
    entropy = -(goal * torch.log_softmax(pitch, -1)).sum(-1)
    agreement = torch.nn.functional.binary_cross_entropy_with_logits(voicing, voiced.float(), reduction="none")
    return weighted_mean(entropy, voiced), weighted_mean(agreement, active)
