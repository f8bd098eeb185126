"""What is measured: models as voices, and networks of published sizes with random weights in the same place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from benchmarks.wavae.melgan import MelGan, MelGanStream
from benchmarks.wavae.rave import FRAME, Rave, RaveStream
from vqsynth.live.controls import Controls
from vqsynth.live.models.voice import Voice, load_voice

RATE = 44_100


class Foreign:
    """A network that no one has trained, as a voice: for timing only."""

    sample_rate, level, axes, hears = RATE, -20.0, 0, True
    follows: frozenset[str] = frozenset()

    def __init__(self, name: str, make: Callable[[], MelGanStream | RaveStream], hop: int) -> None:
        self.name, self.hop, self._make = name, hop, make
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._stream = self._make()
        self.latency = self._stream.latency

    def push(self, audio: np.ndarray, controls: Controls) -> np.ndarray:
        """Shape: [n] -> [n]."""
        return self._stream.push(torch.from_numpy(audio)).numpy()


def contender(name: str) -> Voice:
    """A voice by the name of its row: ``violin, played``, ``violin, fast``, ``strings``, ``melGAN``, ``RAVE`` ..."""
    if name == "melGAN":
        generator = MelGan(causal=True).eval()
        return Foreign("melGAN, published size", lambda: MelGanStream(generator), 512)
    if name == "RAVE":
        network = Rave().eval()
        return Foreign("RAVE v2, published size", lambda: RaveStream(network), FRAME)
    model, _, how = name.partition(", ")
    return load_voice(model, how != "played", fast=how == "fast")
