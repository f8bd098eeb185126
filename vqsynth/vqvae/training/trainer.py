"""Training of the discrete model, over one or several processes."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from vqsynth.training.loop import Loop
from vqsynth.training.prepare import Prepared
from vqsynth.training.segments import Segments
from vqsynth.vqvae.model import VQVAE
from vqsynth.vqvae.quantizer import perplexity
from vqsynth.vqvae.training.batches import draw
from vqsynth.vqvae.training.objective import ForwardResult, Objective
from vqsynth.vqvae.training.settings import TrainSettings


class Trainer(Loop):
    """Trains one model on one prepared corpus."""

    def __init__(
        self, model: VQVAE, corpus: Prepared, settings: TrainSettings, folder: Path, device: str = "cpu"
    ) -> None:
        super().__init__(settings, folder, device)
        self.model = model.to(device)
        self.world = dist.get_world_size() if dist.is_initialized() else 1
        self.rank = dist.get_rank() if dist.is_initialized() else 0
        self.segments, self.held_out = (
            Segments(corpus, settings.segment_frames, model.config.hop_length, held_out) for held_out in (False, True)
        )
        self.objective = Objective(model, settings)
        self.wrapped = torch.nn.parallel.DistributedDataParallel(self.objective) if self.world > 1 else self.objective
        self.optimizer = torch.optim.AdamW(
            model.parameters(), settings.learning_rate, betas=(0.9, 0.95), weight_decay=0.01
        )
        self.started = False
        self.recent: list[Tensor] = []

    def state(self) -> tuple[dict, dict, dict]:
        averages = {"quantizer.counts": self.model.quantizer.counts, "quantizer.sums": self.model.quantizer.sums}
        return {"model": self.model}, {"optimizer": self.optimizer}, averages

    def progress(self) -> dict:
        return {**super().progress(), "started": self.started}

    def judged(self) -> bool:
        # A rising codebook loss is no lack of progress: judge after it has started.
        return self.started

    def elapsed(self, seconds: float) -> float:
        total = super().elapsed(seconds)
        if self.world > 1:  # every process must agree on when to stop
            clock = torch.tensor(total, dtype=torch.float64, device=self.device)
            dist.broadcast(clock, 0)
            total = float(clock)
        return total

    def _learning_rate(self, share: float) -> float:
        rise = min(1.0, (self.number + 1) / self.settings.warmup_steps)
        return self.settings.learning_rate * rise * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))

    @torch.no_grad()
    def _start_codebook(self) -> None:
        random, generator = self.random(2)
        latents = []
        for _ in range(40):
            batch = draw(self.segments, 16, random).to(self.device)
            latents.append(self.model.encoder(batch.inputs(self.model.config))[batch.active])
        self.model.quantizer.start(torch.cat(latents), generator)
        self.started = True

    def advance(self, share: float) -> tuple[dict[str, Tensor], Callable[[], dict[str, float | str]]]:
        if not self.started and share >= self.settings.quantize_at:
            self._start_codebook()
        random, generator = self.random(1)
        batch = draw(self.segments, self.settings.batch_size, random).to(self.device)
        outcome: ForwardResult = self.wrapped(batch, self.started, generator)
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

        def report() -> dict[str, float | str]:
            codes = torch.cat(self.recent) if self.recent else torch.zeros(0, dtype=torch.int64)
            spread = perplexity(codes, self.model.config.n_codes) if len(codes) else 0.0
            return {"used_codes": len(torch.unique(codes)), "perplexity": spread, "restarted": restarted}

        return outcome.losses, report

    @torch.no_grad()
    def validate(self, batches: int = 4) -> tuple[float, tuple[Tensor, Tensor] | None]:
        """Spectral loss on the held-out recordings, always on the same segments; nan without any."""
        if not self.held_out.pieces:
            return math.nan, None
        random = np.random.default_rng(self.settings.seed)
        generator = torch.Generator().manual_seed(self.settings.seed)
        total = 0.0
        for _ in range(batches):
            batch = draw(self.held_out, self.settings.batch_size, random).to(self.device)
            outcome = self.objective(batch, self.started, generator)
            total += float(outcome.losses["spectral"])
        return total / batches, (batch.audio, outcome.audio)


def join_processes() -> tuple[int, int]:
    """Join the process group that torchrun set up, if any. Returns (rank, world size)."""
    if "RANK" not in os.environ or int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return 0, 1
    cuda = torch.cuda.is_available()
    dist.init_process_group("nccl" if cuda else "gloo")
    if cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    return dist.get_rank(), dist.get_world_size()
