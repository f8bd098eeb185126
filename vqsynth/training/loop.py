"""The training loop that both models share: timed or counted, deterministic by step, resumable."""

from __future__ import annotations

import abc
import dataclasses
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from vqsynth.training import checkpoint


@dataclasses.dataclass
class Step:
    """What a step reports."""

    number: int
    share: float
    """Share of the run that is done, 0..1."""
    seconds: float
    rate: float
    """Steps a second."""
    losses: dict[str, float]
    state: dict[str, float | str]
    """What else is worth showing: phase, used codes, perplexity ..."""
    validation: float | None = None


class Interrupted(Exception):
    """The user stopped the run; the checkpoint is written."""


class LoopSettings(Protocol):
    """What the loop itself needs of a run's settings."""

    seed: int
    steps: int | None
    seconds: float | None
    validations: int
    checkpoint_seconds: float


class Loop(abc.ABC):
    """Runs steps, validations and checkpoints; a subclass says what they are.

    Every random choice of a step follows from the seed and the step's number, so a resumed run
    takes the same steps as one that was never stopped (on a CPU, with ``steps``).

    Args:
        folder: where ``checkpoint.safetensors`` lives.
    """

    def __init__(self, settings: LoopSettings, folder: Path, device: str = "cpu") -> None:
        self.settings, self.folder, self.device = settings, folder, torch.device(device)
        self.rank = 0
        self.number, self.seconds = 0, 0.0
        self.best, self.best_share = math.inf, 0.0
        self.next_validation = 0.0

    @abc.abstractmethod
    def state(self) -> tuple[dict[str, torch.nn.Module], dict[str, torch.optim.Optimizer], dict[str, Tensor]]:
        """Modules, optimisers and other tensors that a checkpoint holds."""

    @abc.abstractmethod
    def advance(self, share: float) -> tuple[dict[str, Tensor], Callable[[], dict[str, float | str]]]:
        """Take one optimisation step: losses, and what gives the rest of the report."""

    @abc.abstractmethod
    def validate(self) -> tuple[float, Any]:
        """Loss on the held-out recordings (nan without any), and what a preview needs."""

    def progress(self) -> dict[str, Any]:
        """Plain values that a checkpoint holds; each is an attribute."""
        names = ("number", "seconds", "best", "best_share", "next_validation")
        return {name: getattr(self, name) for name in names}

    def judged(self) -> bool:
        """Whether validations can be compared yet."""
        return True

    @property
    def checkpoint_path(self) -> Path:
        return self.folder / "checkpoint.safetensors"

    def save(self) -> None:
        """Write the checkpoint (first process only)."""
        if self.rank == 0:
            modules, optimizers, others = self.state()
            checkpoint.save(self.checkpoint_path, modules, optimizers, self.progress(), others)

    def resume(self) -> None:
        """Continue from the checkpoint."""
        for name, value in checkpoint.load(self.checkpoint_path, *self.state()).items():
            setattr(self, name, value)

    def share(self) -> float:
        """Share of the run that is done, 0..1."""
        if self.settings.steps:
            return min(1.0, self.number / self.settings.steps)
        return min(1.0, self.seconds / self.settings.seconds)

    def random(self, purpose: int) -> tuple[np.random.Generator, torch.Generator]:
        """Generators of this step for one purpose."""
        random = np.random.default_rng([self.settings.seed, self.number, purpose, self.rank])
        return random, torch.Generator().manual_seed(int(random.integers(2**62)))

    def elapsed(self, seconds: float) -> float:
        """Time of the run so far, when a step took ``seconds``."""
        return self.seconds + seconds

    def step(self) -> Step:
        """Take one step."""
        begin = time.perf_counter()
        losses, report = self.advance(self.share())
        self.number += 1
        taken = time.perf_counter() - begin
        self.seconds = self.elapsed(taken)
        return Step(
            self.number,
            self.share(),
            self.seconds,
            1 / taken,
            {name: float(value.detach()) for name, value in losses.items()},
            report(),
        )

    def run(
        self,
        on_step: Callable[[Step], None] = lambda step: None,
        on_validation: Callable[[Any, Step, Any], None] = lambda *_: None,
    ) -> None:
        """Train to the end.

        Raises:
            Interrupted: Ctrl-C; the checkpoint was written.
        """
        saved = time.monotonic()
        if self.number == 0:
            self.save()  # from here on --resume finds the prepared corpus
        try:
            while self.share() < 1:
                step = self.step()
                if step.share >= self.next_validation or step.share >= 1:
                    step.validation, preview = self.validate()
                    if self.judged() and step.validation < 0.99 * self.best:
                        self.best, self.best_share = step.validation, step.share
                    self.next_validation = step.share + 1 / self.settings.validations
                    on_validation(self, step, preview)
                on_step(step)
                if time.monotonic() - saved > self.settings.checkpoint_seconds or step.share >= 1:
                    self.save()
                    saved = time.monotonic()
        except KeyboardInterrupt:
            self.save()
            raise Interrupted from None
