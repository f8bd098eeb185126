"""Multi-scale waveform discriminators with feature matching, after MelGAN (Kumar et al. 2019), narrower."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm


class ScaleDiscriminator(nn.Module):
    """Strided, grouped convolutions over the waveform at one rate.

    Shape: [batch, 1, samples] -> list of features, the last one the scores [batch, 1, frames]
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        channels = [width, 4 * width, 8 * width, 8 * width]
        layers = [nn.Conv1d(1, width, 15, padding=7)]
        for before, after in itertools.pairwise(channels):
            layers.append(nn.Conv1d(before, after, 41, stride=4, padding=20, groups=before // 4))
        layers += [nn.Conv1d(channels[-1], channels[-1], 5, padding=2), nn.Conv1d(channels[-1], 1, 3, padding=1)]
        self.layers = nn.ModuleList(weight_norm(layer) for layer in layers)

    def forward(self, audio: Tensor) -> list[Tensor]:
        features, x = [], audio
        for layer in self.layers[:-1]:
            x = nn.functional.leaky_relu(layer(x), 0.2)
            features.append(x)
        return [*features, self.layers[-1](x)]


class Discriminator(nn.Module):
    """The same discriminator at full, half and quarter rate. Shape: [batch, samples] -> 3 lists of features."""

    def __init__(self, scales: int = 3) -> None:
        super().__init__()
        self.scales = nn.ModuleList(ScaleDiscriminator() for _ in range(scales))

    def forward(self, audio: Tensor) -> list[list[Tensor]]:
        x, results = audio[:, None], []
        for scale in self.scales:
            results.append(scale(x))
            x = nn.functional.avg_pool1d(x, 4, 2, 1, count_include_pad=False)
        return results


def discriminator_loss(real: list[list[Tensor]], fake: list[list[Tensor]]) -> Tensor:
    """Hinge loss (MelGAN, eq. 1). Shape: scores of recordings and of outputs -> []."""
    losses = [torch.relu(1 - r[-1]).mean() + torch.relu(1 + f[-1]).mean() for r, f in zip(real, fake)]
    return torch.stack(losses).sum() / len(real)


def generator_losses(real: list[list[Tensor]], fake: list[list[Tensor]]) -> tuple[Tensor, Tensor]:
    """Adversarial loss (MelGAN, eq. 2) and feature matching (eq. 3), the latter relative to the features' size."""
    adversarial = -torch.stack([f[-1].mean() for f in fake]).sum() / len(fake)
    distances = [
        (a.detach() - b).abs().mean() / a.detach().abs().mean().clamp_min(1e-5)
        for r, f in zip(real, fake)
        for a, b in zip(r[:-1], f[:-1])
    ]
    return adversarial, torch.stack(distances).mean()
