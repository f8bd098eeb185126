"""The engine's feedback: the output of a voice, on its way back into its input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from vqsynth.streaming.module import scripted
from vqsynth.wavae.effects.way_back import WayBack

if TYPE_CHECKING:
    from vqsynth.live.models.voice import Voice

BLOCK = 512
"""Samples of the loop's own delay."""
BREATH_DB = -20.0
N_FFT = 2048


class Loop:
    """Blocks that end at every 512th sample of the stream, whatever blocks come.

    Args:
        voice: whose output goes round.
        seed: of the breath.
    """

    def __init__(self, voice: Voice, seed: int = 0) -> None:
        way = WayBack(voice.sample_rate, N_FFT, BLOCK, voice.level, BREATH_DB, voice.latency, voice.latency)
        zeros = torch.zeros(1, BLOCK, dtype=torch.float64)
        self.way = scripted(way, zeros, zeros, zeros, zeros + 440, zeros + 1, zeros)
        self.random = np.random.default_rng(seed)
        self.returning = np.zeros(BLOCK)
        self.made, self.came = np.zeros(BLOCK), np.zeros(BLOCK)
        self.filled = 0
        self.running = False

    @torch.inference_mode()
    def follow(self, before: Loop) -> None:
        """Take over from the loop of another voice: what is on its way, and how loud it was."""
        for name in ("random", "returning", "made", "came", "filled", "running"):
            setattr(self, name, getattr(before, name))
        self.way.state_levels.fill_(float(before.way.state_levels[0, -1]))

    @property
    def room(self) -> int:
        """Samples until the block ends."""
        return BLOCK - self.filled

    def back(self, count: int) -> np.ndarray:
        """What returns with the next samples, at most those of the block. Shape: -> [count]."""
        return self.returning[self.filled : self.filled + count]

    @torch.inference_mode()
    def take(self, made: np.ndarray, came: np.ndarray, feedback: tuple[float, float, float]) -> None:
        """Take what the voice made, and what came from outside; at the end of a block its way back is computed.

        Shape: 2 x [n], at most ``room``; feedback: Hz, Q, gain
        """
        end = self.filled + len(made)
        self.made[self.filled : end], self.came[self.filled : end] = made, came
        self.filled = end % BLOCK
        if self.filled:
            return
        frequency, quality, factor = feedback
        if factor > 0 or self.running:
            noise = self.random.standard_normal(BLOCK)
            constant = np.ones((3, BLOCK)) * np.array([[frequency], [quality], [factor]])
            rows = torch.from_numpy(np.stack([self.made, self.came, noise, *constant]))[:, None]
            self.returning = self.way(*rows)[0].numpy()
            self.running = factor > 0 or bool(np.abs(self.returning).max() > 1e-9)
            if not np.isfinite(self.returning).all():
                self.way.reset(1)
                self.running = False
        if not self.running:
            self.returning = np.zeros(BLOCK)
