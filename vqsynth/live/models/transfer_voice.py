"""A timbre that plays what it hears."""

from __future__ import annotations

import numpy as np
import torch

from vqsynth.dsp.loudness import UNIT_LUFS
from vqsynth.library.timbre import Timbre
from vqsynth.live.controls import Controls
from vqsynth.streaming.module import reset, scripted
from vqsynth.vqvae.live import live_stream


class TransferVoice:
    """Live transfer: the pitch and the loudness are the input's. A :class:`~vqsynth.live.models.voice.Voice`.

    Args:
        timbre: whose model it is.
        name: as it is asked for.
        seed: of the noise.
    """

    follows: frozenset[str] = frozenset()
    axes = 0
    hears = True

    def __init__(self, timbre: Timbre, name: str, seed: int = 0) -> None:
        self.name, self.sample_rate, self.level = name, timbre.config.sample_rate, UNIT_LUFS
        stream = live_stream(timbre.model, seed)
        self.latency, self.hop = stream.latency, timbre.config.hop_length
        self.stream = scripted(stream, torch.zeros(1, timbre.config.hop_length))

    @torch.inference_mode()
    def push(self, audio: np.ndarray, controls: Controls) -> np.ndarray:
        """Shape: [n] -> [n] float32."""
        return self.stream(torch.from_numpy(audio)[None])[0].numpy()

    def reset(self) -> None:
        """Begin anew."""
        reset(self.stream)
