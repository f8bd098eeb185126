"""What the player did around what is asked for: runs of units, chosen as controls come.

The causal sister of :mod:`vqsynth.render.played`: to go on in the same recording costs nothing, so a voice is made of
runs of real playing. A run ends with its note, or when others would have been so much better that their advantage is
worth the price of a jump.
"""

import torch
from torch import Tensor, nn

PRICE = 30.0
"""Of a jump; a target missed by its tolerance costs 1 a frame of the model."""
VARIETY = 1.0
"""Cost that chance adds to a unit, so that a held note does not repeat itself."""
LEAK = 0.99
DECAY = 0.85
"""How much of the step between two runs is left a frame later."""
KNEE = 2.0
LEAST_DB, MOST_DB, FARTHEST, SCOOP = -40.0, 9.0, 0.5, 0.125
"""Bounds of movements: level in dB, centroid and pitch in octaves."""


class Life(nn.Module):
    """Which unit is played in every frame, and how it moves around its half-second mean.

    Args:
        moves: pitch (octaves), level (dB) and centroid (octaves) around their means, [units, 3].
        stop: the unit before which a run that holds this one must end, [units].
        pool: units that a run may begin with, [n].
        means: of these: pitch (octaves), level (dB) and centroid (octaves) over tolerance, or NaN, [n, 3].
        onsets: first units of notes, [m].
        onset_means: of the notes, [m, 3].
        tolerance: of the three, [3].
        share: units a frame.
    """

    moves: Tensor
    stop: Tensor
    pool: Tensor
    means: Tensor
    onsets: Tensor
    onset_means: Tensor
    own: Tensor
    tolerance: Tensor
    state_place: Tensor
    state_worse: Tensor
    state_jumps: Tensor
    state_step: Tensor
    state_moves: Tensor
    state_goal: Tensor

    def __init__(
        self,
        moves: Tensor,
        stop: Tensor,
        pool: Tensor,
        means: Tensor,
        onsets: Tensor,
        onset_means: Tensor,
        tolerance: Tensor,
        share: float,
    ) -> None:
        super().__init__()
        low = torch.tensor([-SCOOP, LEAST_DB, -FARTHEST])
        high = torch.tensor([SCOOP, MOST_DB, FARTHEST])
        for name, tensor in (
            ("moves", torch.maximum(torch.minimum(moves.float(), high), low)),
            ("stop", stop.long()),
            ("pool", pool.long()),
            ("means", torch.nan_to_num(means.float(), nan=100.0)),
            ("onsets", onsets.long()),
            ("onset_means", torch.nan_to_num(onset_means.float(), nan=100.0)),
            ("tolerance", tolerance.float()),
        ):
            self.register_buffer(name, tensor, persistent=False)
        self.share, self.leak, self.decay, self.price = share, LEAK, DECAY, PRICE
        self.variety, self.knee = VARIETY, KNEE
        self.register_buffer("state_place", torch.zeros(1, dtype=torch.float64))
        self.register_buffer("state_worse", torch.zeros(1))
        self.register_buffer("state_jumps", torch.zeros(1))
        self.register_buffer("state_step", torch.zeros(1, 3))
        self.register_buffer("state_moves", torch.zeros(1, 3))
        self.register_buffer("state_goal", torch.zeros(1, 3))

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.state_place = torch.zeros(batch, dtype=torch.float64)
        self.state_worse = torch.zeros(batch)
        self.state_jumps = torch.zeros(batch)
        self.state_step = torch.zeros(batch, 3)
        self.state_moves = torch.zeros(batch, 3)
        # Means of the run that is played, on the scale of the targets.
        self.state_goal = torch.zeros(batch, 3)

    def forward(self, targets: Tensor, weights: Tensor, anew: Tensor) -> tuple[Tensor, Tensor]:
        """Play more frames.

        Args:
            targets: pitch in octaves, level in dB, centroid in octaves, [batch, frames, 3].
            weights: of each, 0 where it may be what it is, [batch, frames, 3].
            anew: bool, whether a note begins, [batch, frames].

        Shape:
            -> units int64 [batch, frames], movement [batch, frames, 3] in octaves, dB, octaves
        """
        frames = targets.shape[1]
        units = torch.zeros(targets.shape[0], frames, dtype=torch.int64, device=targets.device)
        moved = torch.zeros_like(targets)
        place, worse, jumps = self.state_place, self.state_worse, self.state_jumps
        step, last, goal = self.state_step, self.state_moves, self.state_goal
        for frame in range(frames):
            wanted, weight, new = targets[:, frame] / self.tolerance, weights[:, frame], anew[:, frame]
            cost = self.cost(self.means, wanted, weight, jumps)
            least, best = cost.min(1)
            here = self.distance((goal - wanted).abs()[:, None], weight)[:, 0]
            worse = (self.leak * worse + self.share * (here - least)).clamp_min(0.0)
            unit = place.floor().long()
            ended = place + self.share >= self.stop[unit] - 1
            leap = (worse > self.price) | ended | new
            note = self.cost(self.onset_means, wanted, weight, jumps).argmin(1)
            begun = torch.where(new, self.onsets[note], self.pool[best])
            mean = torch.where(new[:, None], self.onset_means[note], self.means[best])
            goal = torch.where(leap[:, None], mean, goal)
            place = torch.where(leap, begun.double(), place + self.share)
            unit = place.floor().long()
            between = (place - unit).float()[:, None]
            now = (1 - between) * self.moves[unit] + between * self.moves[unit + 1]
            # No step where one run goes over into another.
            step = torch.where(leap[:, None], last - now, self.decay * step)
            step = torch.where(new[:, None], torch.zeros_like(step), step)
            last = now + step
            worse = torch.where(leap, torch.zeros_like(worse), worse)
            jumps = torch.where(leap, torch.remainder(jumps + 1.0, 997.0), jumps)
            units[:, frame], moved[:, frame] = unit, last
        self.state_place, self.state_worse, self.state_jumps = place, worse, jumps
        self.state_step, self.state_moves, self.state_goal = step, last, goal
        return units, moved

    @torch.jit.export
    def cost(self, means: Tensor, wanted: Tensor, weight: Tensor, jumps: Tensor) -> Tensor:
        """Cost of units with these means. Shape: [n, 3], [batch, 3], [batch, 3], [batch] -> [batch, n]."""
        chance = torch.sin(torch.arange(means.shape[0], device=means.device) * 12.9898 + 78.233 * jumps[:, None])
        chance = torch.frac(chance * 437.5453).abs()
        return self.distance((means - wanted[:, None]).abs(), weight) + self.variety * chance

    @torch.jit.export
    def distance(self, off: Tensor, weight: Tensor) -> Tensor:
        """Cost of being off by so much. Shape: [batch, n, 3], [batch, 3] -> [batch, n]."""
        parts = torch.where(off > self.knee, 2 * self.knee * off - self.knee**2, off * off)
        return (parts * weight[:, None]).sum(2)
