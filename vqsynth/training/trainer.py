"""What every training shares: phases in a row, timed or counted, deterministic by step, resumable."""

from __future__ import annotations

import abc
import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from vqsynth.training import checkpoint
from vqsynth.training.phases import Moment, Phase, phase_at
from vqsynth.training.processes import agreed, rank_and_world
from vqsynth.training.segments import Segments


@dataclasses.dataclass
class Step:
    """What a step reports.

    Attributes:
        number: steps taken so far.
        share: share of the run that is done, 0..1.
        seconds: of training so far.
        rate: steps a second.
        losses: by name.
        state: what else is worth showing: phase, used codes, perplexity ...
        validation: loss on the held-out recordings, where they were measured after this step.
    """

    number: int
    share: float
    seconds: float
    rate: float
    losses: dict[str, float]
    state: dict[str, float | str]
    validation: float | None = None


class Interrupted(Exception):
    """The user stopped the run; the checkpoint is written."""


class TrainerSettings(Protocol):
    """What a trainer itself needs of a run's settings."""

    seed: int
    steps: int | None
    seconds: float | None
    gradient_clip: float
    validations: int
    checkpoint_seconds: float


Preview = tuple[Tensor, Tensor]
"""Held-out audio and what the model makes of it, each [batch, samples]."""


class Trainer(abc.ABC):
    """Runs phases, validations and checkpoints; a subclass says what they are.

    Every random choice of a step follows from the seed and the step's number, so a resumed run
    takes the same steps as one that was never stopped (on a CPU, with ``steps``).

    Args:
        settings: of the run.
        folder: where ``checkpoint.safetensors`` lives.
        held_out: segments to validate on; without any, validations are nan.
        device: to train on.

    Attributes:
        number: steps taken so far.
        seconds: of training so far.
        phase: the one of the latest step; before any, the first.
    """

    VALIDATION_BATCHES = 4

    phases: Sequence[Phase]
    optimizers: Mapping[str, torch.optim.Optimizer]

    def __init__(self, settings: TrainerSettings, folder: Path, held_out: Segments, device: str = "cpu") -> None:
        self.settings, self.folder, self.device = settings, folder, torch.device(device)
        self.held_out = held_out
        self.rank, self.world = rank_and_world()
        self.number, self.seconds = 0, 0.0
        self.best, self.best_share = math.inf, 0.0
        self.next_validation = 0.0

    def set_phases(self, optimizers: Mapping[str, torch.optim.Optimizer], phases: Sequence[Phase]) -> None:
        """Set what the run consists of; to be called once, by the subclass, when its modules are there."""
        self.optimizers, self.phases = optimizers, phases
        self.rates = {name: optimizer.param_groups[0]["lr"] for name, optimizer in optimizers.items()}
        self.phase, self.phase_began = phases[0], 0

    @abc.abstractmethod
    def modules(self) -> Mapping[str, nn.Module]:
        """What a checkpoint holds besides the optimisers."""

    def tensors(self) -> Mapping[str, Tensor]:
        """Further tensors that a checkpoint holds, restored in place."""
        return {}

    @abc.abstractmethod
    def validation_batch(self, random: np.random.Generator, generator: torch.Generator) -> tuple[Tensor, Preview]:
        """Loss [] of a batch of held-out recordings, and the batch with what the model makes of it."""

    def report(self) -> dict[str, float | str]:
        """What is worth showing after a step besides its losses."""
        return {"phase": self.phase.name}

    @property
    def checkpoint_path(self) -> Path:
        return self.folder / "checkpoint.safetensors"

    def save(self) -> None:
        """Write the checkpoint (first process only)."""
        if self.rank == 0:
            names = ("number", "seconds", "best", "best_share", "next_validation", "phase_began")
            progress = {**{name: getattr(self, name) for name in names}, "phase": self.phase.name}
            checkpoint.save(self.checkpoint_path, self.modules(), self.optimizers, progress, self.tensors())

    def resume(self) -> None:
        """Continue from the checkpoint.

        Raises:
            VqsynthError: the file is damaged or belongs to another configuration.
        """
        progress = checkpoint.load(self.checkpoint_path, self.modules(), self.optimizers, self.tensors())
        self.phase = checkpoint.phase_of(progress, self.phases)
        for name, value in progress.items():
            setattr(self, name, value)

    def share(self) -> float:
        """Share of the run that is done, 0..1."""
        if self.settings.steps:
            return min(1.0, self.number / self.settings.steps)
        assert self.settings.seconds is not None
        return min(1.0, self.seconds / self.settings.seconds)

    def random(self, purpose: int) -> tuple[np.random.Generator, torch.Generator]:
        """Generators of this step for one purpose."""
        random = np.random.default_rng([self.settings.seed, self.number, purpose, self.rank])
        return random, torch.Generator().manual_seed(int(random.integers(2**62)))

    def elapsed(self, seconds: float) -> float:
        """Time of the run so far, when a step took ``seconds``; every process agrees on it, and so on when to stop."""
        return agreed(self.seconds + seconds, self.device)

    def _moment(self) -> Moment:
        """Enter the phase of the next step, and say where the run stands."""
        share = self.share()
        phase, done = phase_at(self.phases, share)
        if phase is not self.phase:
            self.phase, self.phase_began = phase, self.number
        moment = Moment(phase, self.number, self.number - self.phase_began, share, done, *self.random(1))
        if moment.phase_number == 0 and phase.start is not None:
            phase.start(moment)
        frozen = {id(module) for module in phase.frozen}
        for module in {id(module): module for each in self.phases for module in each.frozen}.values():
            module.requires_grad_(id(module) not in frozen)
        return moment

    def update(self, loss: Tensor, name: str, moment: Moment) -> None:
        """Take one step of an optimiser, at the learning rate of the phase's schedule. Shape: loss []."""
        optimizer, rate = self.optimizers[name], moment.phase.optimizers[name](self.rates[name], moment)
        optimizer.zero_grad()
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = rate
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        torch.nn.utils.clip_grad_norm_(parameters, self.settings.gradient_clip)
        optimizer.step()

    def step(self) -> Step:
        """Take one step."""
        begin = time.perf_counter()
        moment = self._moment()
        losses = moment.phase.step(moment)
        self.number += 1
        taken = time.perf_counter() - begin
        self.seconds = self.elapsed(taken)
        values = {name: float(value.detach()) for name, value in losses.items()}
        return Step(self.number, self.share(), self.seconds, 1 / taken, values, self.report())

    @torch.no_grad()
    def validate(self) -> tuple[float, Preview | None]:
        """Loss on the held-out recordings, always on the same segments, and the last of them; nan without any."""
        if not self.held_out.pieces:
            return math.nan, None
        random = np.random.default_rng(self.settings.seed)
        generator = torch.Generator().manual_seed(self.settings.seed)
        total = 0.0
        for _ in range(self.VALIDATION_BATCHES):
            loss, preview = self.validation_batch(random, generator)
            total += float(loss)
        return total / self.VALIDATION_BATCHES, preview

    def run(
        self,
        on_step: Callable[[Step], None] = lambda step: None,
        on_validation: Callable[[Any, Step, Preview | None], None] = lambda *_: None,
    ) -> None:
        """Train to the end.

        Args:
            on_step: called after every step.
            on_validation: called with this trainer, the step and a preview, before ``on_step``.

        Raises:
            Interrupted: Ctrl-C; the checkpoint was written.
        """
        saved = time.monotonic()
        if self.number == 0:
            self.save()
        try:
            while self.share() < 1:
                step = self.step()
                if step.share >= self.next_validation or step.share >= 1:
                    step.validation, preview = self.validate()
                    if self.phase.judged and step.validation < 0.99 * self.best:
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
