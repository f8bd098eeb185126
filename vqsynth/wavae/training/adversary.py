"""What keeps the controlled descriptors out of the latent: a regressor behind a gradient reversal.

Ganin et al. (2016), Domain-adversarial training of neural networks, eq. 10 to 13. A regressor that learns by
gradient descent alone lags behind the encoder, which then hides what it knows instead of losing it. So the last
layer is not learned but solved: ridge regression on moments of the latest batches.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

SCALES = (0.5, 1.0, 2.0, 4.0)
"""Length scales of the random features; latents have about unit variance."""


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
    """Predicts the scaled controls of a frame from its latent, as well as the latest batches allow.

    Features are learned ones, random Fourier features (Rahimi & Recht 2007) and the latent itself.

    Args:
        memory: share of the moments that is kept from batch to batch.
    """

    def __init__(self, latent_dim: int, n_controls: int, width: int = 128, n_random: int = 256, memory: float = 0.98, ridge: float = 1e-2) -> None:
        super().__init__()
        self.memory, self.ridge = memory, ridge
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2), nn.LayerNorm(width)
        )
        generator = torch.Generator().manual_seed(11)
        scales = torch.tensor(SCALES).repeat_interleave(n_random // len(SCALES))
        size = width + n_random + latent_dim + 1
        for name, tensor in (
            ("frequencies", torch.randn(latent_dim, n_random, generator=generator) / (scales * math.sqrt(latent_dim))),
            ("offsets", 2 * math.pi * torch.rand(n_random, generator=generator)),
            ("covariance", torch.zeros(size, size)),
            ("moments", torch.zeros(size, n_controls)),
        ):
            self.register_buffer(name, tensor)

    def features(self, latents: Tensor) -> Tensor:
        """Shape: [frames, latent_dim] -> [frames, n]."""
        waves = math.sqrt(2) * torch.cos(latents @ self.frequencies + self.offsets)
        return torch.cat([self.layers(latents), waves, latents, torch.ones_like(latents[:, :1])], 1)

    def forward(self, latents: Tensor, controls: Tensor, strength: float) -> tuple[Tensor, float]:
        """Squared error in units of the controls' variance; the encoder's gradient is reversed.

        The reversal fades as there is less to predict, so that nothing is hidden by being predicted wrongly.

        Shape:
            latents: [frames, latent_dim]; controls: [frames, n_controls] -> [], share of the variance that is predicted
        """
        with torch.no_grad():
            plain = self.features(latents)
            identity = torch.eye(len(self.covariance), device=latents.device)
            weights = torch.linalg.solve(self.covariance + self.ridge * identity, self.moments)
            variance = controls.var(0).clamp_min(1e-3)
            predicted = float(1 - ((plain @ weights - controls).square().mean(0) / variance).mean())
            self.covariance.lerp_(plain.T @ plain / len(plain), 1 - self.memory)
            self.moments.lerp_(plain.T @ controls / len(plain), 1 - self.memory)
        hidden = Reverse.apply(latents, strength * min(max(predicted, 0.0), 1.0))
        error = (self.features(hidden) @ weights - controls).square().mean(0) / variance
        return error.mean(), predicted
