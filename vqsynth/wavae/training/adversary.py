"""What keeps the controlled descriptors out of the latent: a regressor behind a gradient reversal.

Ganin et al. (2016), Domain-adversarial training of neural networks, eq. 10 to 13. A regressor that takes one step a
batch lags behind the encoder, which then hides what it knows instead of losing it. So ours keeps the latents of the
latest batches and takes several steps on them, on whitened latents, where narrow directions count as much as wide ones.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d

BOUND = 4.0
"""What the encoder gains at most from a frame that is predicted wrongly, in variances."""
MANY = 64
"""Frames that it takes to measure a correlation."""
AROUND = 9
"""Frames that are averaged beside each one: what is hidden in single frames by dither is told by their mean."""
PAIRS = 4096
"""Products of two latents that correlations are measured with."""


def with_average(latents: Tensor) -> Tensor:
    """Latents beside their average over the frames around. Shape: [batch, frames, n] -> [batch, frames, 2 * n]."""
    average = avg_pool1d(latents.transpose(1, 2), AROUND, 1, AROUND // 2, count_include_pad=False)
    return torch.cat([latents, average.transpose(1, 2)], 2)


class Reverse(torch.autograd.Function):
    """Identity whose gradient is multiplied by ``-strength``."""

    @staticmethod
    def forward(context: Any, x: Tensor, strength: float) -> Tensor:
        context.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return -context.strength * gradient, None


class Regressor(nn.Module):
    """Predicts the scaled controls of a frame from its latent and what lies around it (:func:`with_average`).

    Args:
        latent_dim: numbers that it reads of a frame.
        n_controls: descriptors that are predicted.
        width: of the hidden layers.
        memory: latents that are kept to learn from.
    """

    latents: Tensor
    controls: Tensor
    known: Tensor
    count: Tensor
    mean: Tensor
    whitening: Tensor

    def __init__(self, latent_dim: int, n_controls: int, width: int = 128, memory: int = 12_288) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, n_controls),
        )
        for name, tensor in (
            ("latents", torch.zeros(memory, latent_dim)),
            ("controls", torch.zeros(memory, n_controls)),
            ("known", torch.zeros(memory, n_controls)),
            ("count", torch.zeros((), dtype=torch.int64)),
            ("mean", torch.zeros(latent_dim)),
            ("whitening", torch.eye(latent_dim)),
        ):
            self.register_buffer(name, tensor)

    def predict(self, latents: Tensor) -> Tensor:
        """Shape: [frames, latent_dim] -> [frames, n_controls]."""
        return self.layers((latents - self.mean) @ self.whitening)

    @torch.no_grad()
    def add_to_memory(self, latents: Tensor, controls: Tensor, known: Tensor) -> None:
        """Keep frames in place of the oldest ones. Shape: [frames, latent_dim], 2 x [frames, n_controls]."""
        size = len(self.latents)
        place = (self.count + torch.arange(len(latents), device=latents.device)) % size
        self.latents[place], self.controls[place], self.known[place] = latents, controls, known
        self.count += len(latents)
        kept = self.latents[: min(int(self.count), size)]
        self.mean.copy_(kept.mean(0))
        covariance = torch.cov(kept.T) + 1e-4 * torch.eye(kept.shape[1], device=kept.device)
        values, vectors = torch.linalg.eigh(covariance)
        # The symmetric root: axes of nearly equal variance may swap from batch to batch, this does not.
        self.whitening.copy_(vectors / values.sqrt() @ vectors.T)

    def regression_loss(self, size: int, generator: torch.Generator) -> Tensor:
        """Loss over random frames of the memory, in units of the controls' variance."""
        kept = min(int(self.count), len(self.latents))
        pick = torch.randint(kept, (size,), generator=generator)
        error = (self.predict(self.latents[pick]) - self.controls[pick]).square()
        _, variance = weighted_moments(self.controls[:kept], self.known[:kept])
        return (weighted_moments(error, self.known[pick])[0] / variance).mean()

    def forward(self, latents: Tensor, controls: Tensor, known: Tensor, strength: float) -> tuple[Tensor, list[float]]:
        """Squared error in units of the controls' variance, for the encoder alone: its gradient is reversed.

        The reversal fades as there is less to predict, so that nothing is hidden by being predicted wrongly.

        Shape:
            latents: [frames, latent_dim]; controls, known (weights 0..1): [frames, n_controls]
            -> [], share of each control's variance that is predicted
        """
        _, variance = weighted_moments(controls, known)
        with torch.no_grad():
            error, _ = weighted_moments((self.predict(latents) - controls).square(), known)
            shares = (1 - error / variance).clamp(-1.0, 1.0) * (known.sum(0) > 8)
        for weight in self.layers.parameters():
            weight.requires_grad_(False)
        total = latents.new_zeros(())
        for number, share in enumerate(shares.tolist()):
            hidden = Reverse.apply(latents, strength * max(share, 0.0))
            error = (self.predict(hidden)[:, number] - controls[:, number]).square()[:, None] / variance[number]
            # Bounded: nothing is gained by a latent far from all others.
            total = total + weighted_moments(error / (1 + error / BOUND), known[:, number, None])[0][0] / len(shares)
        for weight in self.layers.parameters():
            weight.requires_grad_(True)
        return total, shares.tolist()

    def dependence(
        self, latents: Tensor, controls: Tensor, known: Tensor, generator: torch.Generator, waves: int = 384
    ) -> Tensor:
        """Squared correlations of the controls with functions of the latent, within these frames.

        Whitened latents, their products, and random Fourier features drawn anew every time (Rahimi & Recht 2007): a
        sampled Hilbert-Schmidt independence criterion (Gretton et al. 2005) with a linear kernel on the controls.

        Shape:
            latents: [frames, latent_dim]; controls, known (weights 0..1): [frames, n_controls] -> []
        """
        x = (latents - self.mean) @ self.whitening
        size = x.shape[1]
        first, second = torch.randint(size, (2, PAIRS), generator=generator).to(x.device)
        scale = 2.0 + 3.0 * torch.rand(1, waves, generator=generator)
        frequencies = torch.randn(size, waves, generator=generator) / scale
        offsets = 2 * math.pi * torch.rand(waves, generator=generator)
        total = latents.new_zeros(())
        for features, weight in (
            (x, 1.0),
            (x[:, first] * x[:, second], size / len(first)),
            (torch.cos(x @ frequencies.to(x) + offsets.to(x)), 3 * size / waves),
        ):
            for number in range(controls.shape[1]):
                told = known[:, number] > 0.5
                if int(told.sum()) < MANY:
                    continue
                target, part = controls[told, number], features[told]
                target = (target - target.mean()) / target.std().clamp_min(1e-3)
                part = (part - part.mean(0)) / part.std(0).clamp_min(1e-3)
                total = total + weight * (part.T @ target / len(part)).square().sum() / controls.shape[1]
        return total


def weighted_moments(values: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of the columns, rows counting by weight. Shape: 2 x [rows, columns] -> 2 x [columns]."""
    whole = weights.sum(0).clamp_min(1.0)
    mean = (values * weights).sum(0) / whole
    return mean, ((values - mean).square() * weights).sum(0).div(whole).clamp_min(1e-3)
