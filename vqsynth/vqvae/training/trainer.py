"""Training of the discrete model, over one or several processes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vqsynth.training.phases import Moment, Phase, cosine_over_run
from vqsynth.training.prepared import Prepared
from vqsynth.training.segments import Segments
from vqsynth.training.trainer import Preview, Trainer
from vqsynth.vqvae.model import VQVAE
from vqsynth.vqvae.quantizer import perplexity
from vqsynth.vqvae.training.batches import SegmentBatch, draw_batch
from vqsynth.vqvae.training.objective import ForwardResult, Objective
from vqsynth.vqvae.training.settings import VqvaeSettings

RATE_FLOOR = 0.02
"""Share of the learning rate that is left at the end."""
START_BATCHES, START_SIZE = 40, 16
"""Batches whose latents the codebook starts from, and the segments of each."""
RESTARTS_UNTIL = 0.8
"""Share of the run after which unused codes are left alone, so that the last weights fit the codes."""
DEAD_SHARE = 0.02
RECENT = 40
"""Steps whose codes are counted in the report."""


class VqvaeTrainer(Trainer):
    """Trains one model on one prepared corpus: a warm-up without a codebook, then with it.

    Args:
        model: with its first weights.
        corpus: to train on.
        settings: of the run.
        folder: where the checkpoint lives.
        device: to train on.
    """

    def __init__(
        self, model: VQVAE, corpus: Prepared, settings: VqvaeSettings, folder: Path, device: str = "cpu"
    ) -> None:
        self.segments, held_out = (
            Segments(corpus, settings.segment_frames, model.config.hop_length, held_out) for held_out in (False, True)
        )
        super().__init__(settings, folder, held_out, device)
        self.batch_size = settings.batch_size
        self.model = model.to(device)
        self.objective = Objective(model)
        self.wrapped = nn.parallel.DistributedDataParallel(self.objective) if self.world > 1 else self.objective
        self.recent: list[Tensor] = []
        self.restarted = 0
        adam = torch.optim.AdamW(model.parameters(), settings.learning_rate, betas=(0.9, 0.95), weight_decay=0.01)
        rates = {"optimizer": cosine_over_run(settings.warmup_steps, RATE_FLOOR)}
        weights = {
            "spectral": 1.0,
            "commitment": settings.commitment,
            "pitch": settings.pitch_weight,
            "voicing": settings.voicing_weight,
        }
        self.set_phases(
            {"optimizer": adam},
            [
                # A rising codebook loss is no lack of progress: judge after it has started.
                Phase("warm-up", 0.0, self._warm_up_step, rates, weights, judged=False, usable=False),
                Phase("quantised", settings.quantize_at, self._quantised_step, rates, weights, start=self._start),
            ],
        )

    def modules(self) -> Mapping[str, nn.Module]:
        return {"model": self.model}

    def tensors(self) -> Mapping[str, Tensor]:
        return {"quantizer.counts": self.model.quantizer.counts, "quantizer.sums": self.model.quantizer.sums}

    def report(self) -> dict[str, float | str]:
        codes = torch.cat(self.recent) if self.recent else torch.zeros(0, dtype=torch.int64)
        spread = perplexity(codes, self.model.config.n_codes) if len(codes) else 0.0
        return {"used_codes": len(torch.unique(codes)), "perplexity": spread, "restarted": self.restarted}

    def _draw(self, segments: Segments, size: int, random: np.random.Generator) -> SegmentBatch:
        return draw_batch(segments, size, random).to(self.device)

    @torch.no_grad()
    def _start(self, moment: Moment) -> None:
        """Place the codebook on the latents of the recordings."""
        random, generator = self.random(2)
        latents = []
        for _ in range(START_BATCHES):
            batch = self._draw(self.segments, START_SIZE, random)
            latents.append(self.model.encoder(batch.inputs(self.model.config))[batch.active])
        self.model.quantizer.start(torch.cat(latents), generator)

    def _train(self, moment: Moment, quantize: bool) -> ForwardResult:
        batch = self._draw(self.segments, self.batch_size, moment.random)
        result: ForwardResult = self.wrapped(batch, quantize, moment.generator)
        self.update(moment.phase.total(result.losses), "optimizer", moment)
        return result

    def _warm_up_step(self, moment: Moment) -> dict[str, Tensor]:
        return self._train(moment, quantize=False).losses

    def _quantised_step(self, moment: Moment) -> dict[str, Tensor]:
        result = self._train(moment, quantize=True)
        assert result.codes is not None
        threshold = DEAD_SHARE if moment.share < RESTARTS_UNTIL else 0.0
        self.restarted = self.model.quantizer.update(result.latents, result.codes, moment.generator, threshold)
        self.recent = (self.recent + [result.codes.cpu()])[-RECENT:]
        return result.losses

    def validation_batch(self, random: np.random.Generator, generator: torch.Generator) -> tuple[Tensor, Preview]:
        batch = self._draw(self.held_out, self.batch_size, random)
        result: ForwardResult = self.objective(batch, self.phase.usable, generator)
        return result.losses["spectral"], (batch.audio, result.audio)
