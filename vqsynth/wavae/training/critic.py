"""Tells decoded mel frames from a recording's: what an average of all that could be never looks like."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm


class Critic(nn.Module):
    """Strided convolutions over bands and frames (Isola et al. 2017, Image-to-image translation with conditional
    adversarial networks, its patch discriminator), at two ratios of resolution.

    Shape: mel [batch, frames, n_mels] -> 2 lists of features, the last of each the scores
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.scales = nn.ModuleList()
        for strides in (((1, 2), (2, 2), (2, 2)), ((1, 2), (1, 2), (2, 2))):
            channels = [1, width, 2 * width, 4 * width]
            layers = [
                nn.Conv2d(before, after, (3, 5), stride, (1, 2))
                for (before, after), stride in zip(itertools.pairwise(channels), strides)
            ]
            layers.append(nn.Conv2d(channels[-1], 1, 3, padding=1))
            self.scales.append(nn.ModuleList(weight_norm(layer) for layer in layers))

    def forward(self, mel: Tensor) -> list[list[Tensor]]:
        results = []
        for layers in self.scales:
            features, x = [], mel[:, None]
            for layer in list(layers)[:-1]:  # type: ignore[call-overload]
                x = torch.nn.functional.leaky_relu(layer(x), 0.2)
                features.append(x)
            results.append([*features, layers[-1](x)])  # type: ignore[index]
        return results
