"""A run is a list of phases: each says when it begins, what a step does, and which weights it moves."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn


@dataclasses.dataclass(frozen=True)
class Moment:
    """Where a run stands, and the random generators of its next step.

    Attributes:
        phase: the present one.
        number: steps that were taken before.
        phase_number: steps that were taken before in this phase.
        share: share of the run that is done, 0..1.
        done: share of the phase that is done, 0..1.
        random: for the choice of segments.
        generator: for noise.
    """

    phase: Phase
    number: int
    phase_number: int
    share: float
    done: float
    random: np.random.Generator
    generator: torch.Generator


Schedule = Callable[[float, Moment], float]
"""From an optimiser's own learning rate to the one of this step."""


@dataclasses.dataclass(frozen=True)
class Phase:
    """A stretch of a run.

    Attributes:
        name: shown to the user and stored in checkpoints.
        begins: share of the run that is done when it begins; it ends where the next phase begins.
        step: takes one step, by :meth:`Trainer.update` of each optimiser, and gives the named losses, each [].
        optimizers: the optimisers that it uses, with their learning-rate schedules.
        weights: of the losses in the total.
        frozen: modules whose weights get no gradients.
        start: called once, before the first step.
        judged: whether its validations can be compared with each other, and say whether the run still improves.
        usable: whether a model can be built from what it leaves.
    """

    name: str
    begins: float
    step: Callable[[Moment], dict[str, Tensor]]
    optimizers: Mapping[str, Schedule]
    weights: Mapping[str, float]
    frozen: Sequence[nn.Module] = ()
    start: Callable[[Moment], None] | None = None
    judged: bool = True
    usable: bool = True

    def total(self, losses: Mapping[str, Tensor], scale: Mapping[str, float] | None = None) -> Tensor:
        """Weighted sum of those of the losses that have a weight.

        Args:
            losses: each [].
            scale: factors on weights that change within the phase.
        """
        weights = {name: weight * (scale or {}).get(name, 1.0) for name, weight in self.weights.items()}
        return torch.stack([weight * losses[name] for name, weight in weights.items() if name in losses]).sum()


def phase_at(phases: Sequence[Phase], share: float) -> tuple[Phase, float]:
    """The phase of a share of the run, and the share of that phase that is done."""
    index = max(0, sum(share >= phase.begins for phase in phases) - 1)
    ends = phases[index + 1].begins if index + 1 < len(phases) else 1.0
    begins = phases[index].begins
    return phases[index], (share - begins) / max(ends - begins, 1e-6)


def warm_up(steps: int) -> Schedule:
    """Rises over the first steps of a phase, then stays."""

    def schedule(rate: float, moment: Moment) -> float:
        return rate * min(1.0, (moment.phase_number + 1) / steps)

    return schedule


def cosine(steps: int, floor: float) -> Schedule:
    """Rises over the first ``steps`` of a phase, then falls to ``floor`` of the rate by a cosine over the phase."""

    def schedule(rate: float, moment: Moment) -> float:
        rise = min(1.0, (moment.phase_number + 1) / steps)
        return rate * rise * _fall(moment.done, floor)

    return schedule


def cosine_over_run(steps: int, floor: float) -> Schedule:
    """As :func:`cosine`, over the whole run: the change of phase is not heard in it."""

    def schedule(rate: float, moment: Moment) -> float:
        rise = min(1.0, (moment.number + 1) / steps)
        return rate * rise * _fall(moment.share, floor)

    return schedule


def _fall(done: float, floor: float) -> float:
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done))
