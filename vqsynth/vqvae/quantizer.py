"""Vector quantisation with a codebook learned by moving averages.

van den Oord, Vinyals & Kavukcuoglu (2017), appendix A.1 for the moving averages; k-means
start and restart of dead codes as in Dhariwal et al. (2020, Jukebox), section 3.
"""

from __future__ import annotations

import dataclasses

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclasses.dataclass
class Quantized:
    """Result of a quantisation.

    Shape:
        latents: [n, dim], equal to the codes' vectors, with the gradient of the input;
        codes: [n] int64; commitment: []
    """

    latents: Tensor
    codes: Tensor
    commitment: Tensor


def _sum_over_processes(value: Tensor) -> Tensor:
    if dist.is_available() and dist.is_initialized():
        dist.all_reduce(value)
    return value


def nearest_codes(x: Tensor, codebook: Tensor) -> Tensor:
    """Index of the nearest vector. Shape: [..., dim], [codes, dim] -> [...]."""
    return (codebook.square().sum(1) - 2 * x @ codebook.T).argmin(-1)


def kmeans(x: Tensor, n_codes: int, generator: torch.Generator, rounds: int = 12) -> Tensor:
    """Lloyd's algorithm from random points. Shape: [n, dim] -> [n_codes, dim]."""
    pick = torch.randperm(len(x), generator=generator)
    centres = x[pick[torch.arange(n_codes) % len(x)]].clone()
    for _ in range(rounds):
        codes = nearest_codes(x, centres)
        counts = torch.bincount(codes, minlength=n_codes)
        sums = torch.zeros_like(centres).index_add_(0, codes, x)
        empty = counts == 0
        centres = torch.where(empty[:, None], centres, sums / counts.clamp_min(1)[:, None])
        if empty.any():
            centres[empty] = x[torch.randint(len(x), (int(empty.sum()),), generator=generator)]
    return centres


class Quantizer(nn.Module):
    """A codebook of ``n_codes`` vectors of ``dim``.

    The statistics of the moving averages travel with the checkpoint but not with the shipped
    weights, which need ``codebook`` alone.
    """

    codebook: Tensor
    counts: Tensor
    sums: Tensor

    def __init__(self, n_codes: int, dim: int, decay: float = 0.97) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("codebook", torch.zeros(n_codes, dim))
        self.register_buffer("counts", torch.ones(n_codes), persistent=False)
        self.register_buffer("sums", torch.zeros(n_codes, dim), persistent=False)

    @torch.no_grad()
    def start(self, x: Tensor, generator: torch.Generator) -> None:
        """Place the codebook on the latents ``x`` [n, dim] by k-means."""
        centres = kmeans(x, len(self.codebook), generator)
        if dist.is_available() and dist.is_initialized():
            dist.broadcast(centres, 0)
        codes = nearest_codes(x, centres)
        counts = torch.bincount(codes, minlength=len(centres)).float()
        self.codebook.copy_(centres)
        self.counts.copy_(counts.clamp_min(1e-2) / counts.sum() * len(centres))
        self.sums.copy_(centres * self.counts[:, None])

    def forward(self, x: Tensor) -> Quantized:
        """Quantise ``x`` [n, dim] with a straight-through gradient."""
        codes = nearest_codes(x.detach(), self.codebook)
        vectors = self.codebook[codes]
        commitment = torch.nn.functional.mse_loss(x, vectors)
        return Quantized(x + (vectors - x).detach(), codes, commitment)

    @torch.no_grad()
    def update(self, x: Tensor, codes: Tensor, generator: torch.Generator, threshold: float = 0.02) -> int:
        """Move the codebook towards the latents it was chosen for; restart codes that die.

        Args:
            x: latents of the batch.
            codes: that they chose.
            generator: of the restarts.
            threshold: a code is dead when its average use falls under this share of an even use.

        Shape: x [n, dim], codes [n]

        Returns:
            How many codes were restarted.
        """
        n_codes = len(self.codebook)
        counts = _sum_over_processes(torch.bincount(codes, minlength=n_codes).float())
        sums = _sum_over_processes(torch.zeros_like(self.sums).index_add_(0, codes, x))
        share = n_codes / counts.sum().clamp_min(1)
        self.counts.lerp_(counts * share, 1 - self.decay)
        self.sums.lerp_(sums * share, 1 - self.decay)
        self.codebook.copy_(self.sums / self.counts.clamp_min(1e-5)[:, None])
        dead: Tensor = self.counts < threshold
        restarted = int(dead.sum())
        if restarted:
            # A process may have drawn silence only; all must take part in the broadcast.
            pool = x if len(x) else self.codebook
            fresh = pool[torch.randint(len(pool), (restarted,), generator=generator).to(x.device)]
            fresh = fresh + 0.01 * pool.std() * torch.randn(fresh.shape, generator=generator).to(x.device)
            if dist.is_available() and dist.is_initialized():
                dist.broadcast(fresh, 0)
            self.codebook[dead] = fresh
            self.counts[dead] = 0.3
            self.sums[dead] = 0.3 * fresh
        return restarted


def perplexity(codes: Tensor, n_codes: int) -> float:
    """Exponential of the entropy of code use: how many codes are in use, evenly counted."""
    share = torch.bincount(codes.flatten(), minlength=n_codes).double()
    share = share[share > 0] / share.sum()
    return float(torch.exp(-(share * share.log()).sum()))
