"""One pitch followed through a stream of distributions."""

import torch
from torch import Tensor, nn

from vqsynth.dsp.pitch import f0_near


class PitchFilter(nn.Module):
    """Follows one pitch through a stream of distributions: a forward filter that needs no frame to come.

    Belief = distribution of the frame times belief before, which moves a little (a Gaussian of ``spread`` bins) or,
    with probability ``leap``, anywhere. What a single frame confuses (the octave, mostly) is settled by those before;
    the fine pitch is still the frame's own. The forward algorithm of hidden Markov models (Rabiner 1989, eq. 19 to 21).

    Args:
        n_bins: half-semitone bins.
        spread: bins by which a pitch moves from frame to frame.
        leap: probability of a new note.
    """

    move: Tensor
    state_belief: Tensor

    def __init__(self, n_bins: int, spread: float = 1.5, leap: float = 0.05) -> None:
        super().__init__()
        self.n_bins = n_bins
        distance = torch.arange(n_bins)[:, None] - torch.arange(n_bins)
        move = torch.exp(-0.5 * (distance / spread).square())
        move = (1 - leap) * move / move.sum(1, keepdim=True) + leap / n_bins
        self.register_buffer("move", move, persistent=False)
        self.register_buffer("state_belief", torch.full((1, n_bins), 1.0 / n_bins), persistent=False)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.state_belief = torch.full((batch, self.n_bins), 1.0 / self.n_bins, device=self.move.device)

    def forward(self, logits: Tensor) -> Tensor:
        """Follow the pitch through more frames.

        Shape:
            [batch, frames, n_bins] -> [batch, frames] Hz, float64
        """
        likelihood = torch.softmax(logits, -1)
        peaks = torch.zeros(logits.shape[0], logits.shape[1], 1, dtype=torch.int64, device=logits.device)
        belief = self.state_belief
        for frame in range(logits.shape[1]):
            belief = likelihood[:, frame] * (belief @ self.move)
            belief = belief / belief.sum(1, keepdim=True)
            peaks[:, frame] = belief.argmax(1, keepdim=True)
        self.state_belief = belief
        return f0_near(logits, peaks)
