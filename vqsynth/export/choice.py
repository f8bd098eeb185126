"""Which code sounds, decided as controls come: causal, without any look at the future."""

import torch
from torch import Tensor, nn

FAR, STEEP, KNEE = 80 / 35, 10 / 35, 2.0
"""As the path search of renders weighs errors: pitches steeply beyond what a bend carries, others linearly."""
LEAK = 0.97
"""How much of a code's advantage is remembered from one frame to the next."""
ABSENT = 1e4


class Choice(nn.Module):
    """The code of every frame: the nearest one, unless the present one is still good enough.

    Every frame, all codes are compared with the present one; what they would have been better by is added up. A code
    takes over when this sum exceeds the price of the jump in latent space, which is what the Viterbi search of a render
    does in hindsight (a ski-rental rule: at most twice the cost of the best path).

    Args:
        features: octaves or other scales over tolerance, NaN where a code has none, [codes, features]; the last is
            the pitch.
        codebook: [codes, dim].
        prior: cost of a code beside, [codes].
        price: of a unit of latent distance.
        share: of a frame in the cost: frames more often than those of the model count less each.
    """

    features: Tensor
    codebook: Tensor
    prior: Tensor
    state_code: Tensor
    state_better: Tensor

    def __init__(self, features: Tensor, codebook: Tensor, prior: Tensor, price: float, share: float) -> None:
        super().__init__()
        known = torch.nan_to_num(features.float(), nan=ABSENT)
        self.register_buffer("features", known, persistent=False)
        self.register_buffer("codebook", codebook.detach().clone().float(), persistent=False)
        self.register_buffer("prior", prior.float(), persistent=False)
        self.far, self.steep, self.knee, self.leak = FAR, STEEP, KNEE, LEAK
        self.price, self.share, self.codes = price, share, len(features)
        self.register_buffer("state_code", torch.zeros(1, dtype=torch.int64))
        self.register_buffer("state_better", torch.zeros(1, self.codes))

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.state_code = torch.zeros(batch, dtype=torch.int64)
        self.state_better = torch.zeros(batch, self.codes)

    def forward(self, targets: Tensor, weights: Tensor, anew: Tensor) -> Tensor:
        """Choose for more frames.

        Args:
            targets: on the scale of the features, [batch, frames, features].
            weights: of each, 0 where nothing is asked, [batch, frames, features].
            anew: bool, whether the past counts for nothing here, [batch, frames].

        Shape:
            -> [batch, frames] int64
        """
        chosen = torch.zeros_like(anew, dtype=torch.int64)
        code, better = self.state_code, self.state_better
        for frame in range(targets.shape[1]):
            off = (targets[:, frame, None] - self.features).abs()
            square = off * off
            tone = square[..., -1] + ((off[..., -1] - self.far).clamp_min(0.0) / self.steep).square()
            rest = torch.where(off > self.knee, 2 * self.knee * off - self.knee**2, square)[..., :-1]
            cost = self.prior + weights[:, frame, -1:] * tone + (rest * weights[:, frame, None, :-1]).sum(-1)
            here = cost.gather(1, code[:, None])
            better = (self.leak * better + self.share * (here - cost)).clamp_min(0.0)
            jump = self.price * (self.codebook - self.codebook[code][:, None]).square().sum(-1).sqrt()
            most, best = (better - jump).max(1)
            best = torch.where(anew[:, frame], cost.argmin(1), best)
            leap = (most > 0) | anew[:, frame]
            code = torch.where(leap, best, code)
            better = torch.where(leap[:, None], torch.zeros_like(better), better)
            chosen[:, frame] = code
        self.state_code, self.state_better = code, better
        return chosen
