"""The training loop: deterministic by step, resumable, over one or several processes."""

from __future__ import annotations

import dataclasses
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist

from vqsynth.training import checkpoint
from vqsynth.training.prepare import Prepared
from vqsynth.vqvae.model import VQVAE
from vqsynth.vqvae.quantizer import perplexity
from vqsynth.vqvae.training.batches import Segments
from vqsynth.vqvae.training.objective import Objective, Outcome
from vqsynth.vqvae.training.settings import TrainSettings


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
    used_codes: int
    perplexity: float
    restarted: int
    validation: float | None = None


class Interrupted(Exception):
    """The user stopped the run; the checkpoint is written."""


class Trainer:
    """Trains one model on one prepared corpus.

    Every random choice of a step follows from the seed and the step's number, so a resumed run
    takes the same steps as one that was never stopped (on a CPU, with ``steps``).

    Args:
        folder: where ``checkpoint.safetensors`` lives.
    """

    def __init__(self, model: VQVAE, corpus: Prepared, settings: TrainSettings, folder: Path, device: str = "cpu") -> None:
        self.model, self.settings, self.folder = model.to(device), settings, folder
        self.device = torch.device(device)
        self.world = dist.get_world_size() if dist.is_initialized() else 1
        self.rank = dist.get_rank() if dist.is_initialized() else 0
        config = model.config
        self.segments = Segments(corpus, config, settings.segment_frames, held_out=False)
        self.held_out = Segments(corpus, config, settings.segment_frames, held_out=True)
        self.objective = Objective(model, settings)
        self.wrapped = torch.nn.parallel.DistributedDataParallel(self.objective) if self.world > 1 else self.objective
        self.optimizer = torch.optim.AdamW(model.parameters(), settings.learning_rate, betas=(0.9, 0.95), weight_decay=0.01)
        self.number, self.seconds, self.started = 0, 0.0, False
        self.recent: list[torch.Tensor] = []
        self.best, self.best_share = math.inf, 0.0
        self.next_validation = 0.0

    @property
    def checkpoint_path(self) -> Path:
        return self.folder / "checkpoint.safetensors"

    def _state(self) -> tuple[dict, dict]:
        return {"model": self.model}, {"optimizer": self.optimizer}

    def _averages(self) -> dict[str, torch.Tensor]:
        return {"quantizer.counts": self.model.quantizer.counts, "quantizer.sums": self.model.quantizer.sums}

    def save(self) -> None:
        """Write the checkpoint (first process only)."""
        if self.rank == 0:
            progress = {
                "number": self.number, "seconds": self.seconds, "started": self.started, "best": self.best,
                "best_share": self.best_share, "next_validation": self.next_validation,
            }
            checkpoint.save(self.checkpoint_path, *self._state(), progress, self._averages())

    def resume(self) -> None:
        """Continue from the checkpoint."""
        for name, value in checkpoint.load(self.checkpoint_path, *self._state(), self._averages()).items():
            setattr(self, name, value)

    def share(self) -> float:
        """Share of the run that is done, 0..1."""
        if self.settings.steps:
            return min(1.0, self.number / self.settings.steps)
        return min(1.0, self.seconds / self.settings.seconds)

    def _random(self, purpose: int) -> tuple[np.random.Generator, torch.Generator]:
        seed = [self.settings.seed, self.number, purpose, self.rank]
        random = np.random.default_rng(seed)
        return random, torch.Generator().manual_seed(int(random.integers(2**62)))

    def _learning_rate(self, share: float) -> float:
        rise = min(1.0, (self.number + 1) / self.settings.warmup_steps)
        return self.settings.learning_rate * rise * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))

    @torch.no_grad()
    def _start_codebook(self) -> None:
        random, generator = self._random(2)
        latents = []
        for _ in range(40):
            batch = self.segments.batch(16, random).to(self.device)
            latents.append(self.model.encoder(batch.inputs(self.model.config))[batch.active])
        self.model.quantizer.start(torch.cat(latents), generator)
        self.started = True

    def step(self) -> Step:
        """Take one step."""
        begin = time.perf_counter()
        share = self.share()
        if not self.started and share >= self.settings.quantize_at:
            self._start_codebook()
        random, generator = self._random(1)
        batch = self.segments.batch(self.settings.batch_size, random).to(self.device)
        outcome: Outcome = self.wrapped(batch, self.started, generator)
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate(share)
        self.optimizer.zero_grad()
        outcome.losses["total"].backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.gradient_clip)
        self.optimizer.step()
        restarted = 0
        if outcome.quantized is not None:
            # Codes are left alone near the end, so that the last weights fit them.
            threshold = 0.02 if share < 0.8 else 0.0
            restarted = self.model.quantizer.update(outcome.latents, outcome.quantized.codes, generator, threshold)
            self.recent = (self.recent + [outcome.quantized.codes.cpu()])[-40:]
        self.number += 1
        elapsed = time.perf_counter() - begin
        self.seconds += elapsed
        if self.world > 1:  # every process must agree on when to stop
            clock = torch.tensor(self.seconds, dtype=torch.float64, device=self.device)
            dist.broadcast(clock, 0)
            self.seconds = float(clock)
        codes = torch.cat(self.recent) if self.recent else torch.zeros(0, dtype=torch.int64)
        return Step(
            self.number, self.share(), self.seconds, 1 / elapsed,
            {name: float(value.detach()) for name, value in outcome.losses.items()},
            len(torch.unique(codes)), perplexity(codes, self.model.config.n_codes) if len(codes) else 0.0, restarted,
        )

    @torch.no_grad()
    def validate(self, batches: int = 4) -> tuple[float, Outcome | None]:
        """Spectral loss on the held-out recordings, always on the same segments; nan without any."""
        if not self.held_out.pieces:
            return math.nan, None
        random = np.random.default_rng(self.settings.seed)
        generator = torch.Generator().manual_seed(self.settings.seed)
        total = 0.0
        for _ in range(batches):
            batch = self.held_out.batch(self.settings.batch_size, random).to(self.device)
            outcome = self.objective(batch, self.started, generator)
            total += float(outcome.losses["spectral"])
        self.last_batch = batch
        return total / batches, outcome

    def run(
        self,
        on_step: Callable[[Step], None] = lambda step: None,
        on_validation: Callable[[Trainer, Step, Outcome | None], None] = lambda *_: None,
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
                    step.validation, outcome = self.validate()
                    # A rising codebook loss is no lack of progress: judge after it has started.
                    if self.started and step.validation < 0.99 * self.best:
                        self.best, self.best_share = step.validation, step.share
                    self.next_validation = step.share + 1 / self.settings.validations
                    on_validation(self, step, outcome)
                on_step(step)
                if time.monotonic() - saved > self.settings.checkpoint_seconds or step.share >= 1:
                    self.save()
                    saved = time.monotonic()
        except KeyboardInterrupt:
            self.save()
            raise Interrupted from None


def join_processes() -> tuple[int, int]:
    """Join the process group that torchrun set up, if any. Returns (rank, world size)."""
    if "RANK" not in os.environ or int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return 0, 1
    cuda = torch.cuda.is_available()
    dist.init_process_group("nccl" if cuda else "gloo")
    if cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    return dist.get_rank(), dist.get_world_size()
