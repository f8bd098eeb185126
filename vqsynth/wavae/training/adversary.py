"""What keeps the controlled descriptors out of the latent: a regressor behind a gradient reversal.

Ganin et al. (2016), Domain-adversarial training of neural networks, eq. 10 to 13.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Reverse(torch.autograd.Function):
    """Identity whose gradient is multiplied by ``-strength``."""

    @staticmethod
    def forward(context, x: Tensor, strength: float) -> Tensor:
        context.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(context, gradient: Tensor) -> tuple[Tensor, None]:
        return -context.strength * gradient, None


class Regressor(nn.Module):
    """Predicts the scaled controls of a frame from its latent. Shape: [..., latent_dim] -> [..., n_controls]."""

    def __init__(self, latent_dim: int, n_controls: int, width: int = 128) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2), nn.Linear(width, n_controls)
        )

    def forward(self, latents: Tensor) -> Tensor:
        return self.layers(latents)


def control_loss(regressor: Regressor, latents: Tensor, controls: Tensor, strength: float) -> tuple[Tensor, Tensor]:
    """Squared error of the regressor in units of the controls' variance, with the encoder's gradient reversed.

    Shape:
        latents: [frames, latent_dim]; controls: [frames, n_controls] -> [], [] (share of variance that is predicted)
    """
    error = (regressor(Reverse.apply(latents, strength)) - controls).square().mean(0)
    relative = error / controls.var(0).clamp_min(1e-3)
    return relative.mean(), 1 - relative.mean().detach()
