"""A timbre that plays descriptors and notes: no input, so nothing to wait for but a hop and half a crossfade."""

from __future__ import annotations

import math

import numpy as np
import torch

from vqsynth.dsp.loudness import UNIT_LUFS
from vqsynth.export.build import control_voice
from vqsynth.library.timbre import Timbre
from vqsynth.live.controls import Controls
from vqsynth.streaming.module import reset, scripted

ROWS = ("centroid", "bandwidth", "f0")
SILENT_DB = -120.0


class PlayedVoice:
    """The exported ``control``, given hop by hop what was asked for. A :class:`~vqsynth.live.models.voice.Voice`.

    A hop is played with the mean of what was asked for while it came, so a change is heard a fixed time later
    wherever in a hop it came; where a sound begins, only what was asked for from then on counts.

    Args:
        timbre: whose codes it plays.
        name: as it is asked for.
        seed: of the noise.
    """

    axes = 0
    hears = False
    follows = frozenset({*ROWS, "loudness"})

    def __init__(self, timbre: Timbre, name: str, seed: int = 0) -> None:
        self.name, self.sample_rate, self.level = name, timbre.config.sample_rate, UNIT_LUFS
        voice = control_voice(timbre, seed)
        self.hop = voice.hop_length
        # To the middle of the crossfade that begins when a hop is complete, from the middle of the hop.
        self.latency = self.hop // 2 + voice.latency // 2
        self.voice = scripted(voice, torch.zeros(1, 5, 1))
        self._begin()

    def _begin(self) -> None:
        self._ready = np.zeros(self.hop, np.float32)
        self._count = 0
        self._level, self._silent = 0.0, True
        self._sums = dict.fromkeys(ROWS, (0.0, 0))

    def reset(self) -> None:
        """Begin anew."""
        reset(self.voice)
        self._begin()

    @torch.inference_mode()
    def push(self, audio: np.ndarray, controls: Controls) -> np.ndarray:
        """Shape: [n] -> [n] float32; the audio is not heard."""
        parts, left = [], len(audio)
        while left:
            count = min(left, self.hop - self._count)
            parts.append(self._ready[self._count : self._count + count])
            self._listen(controls, count)
            left -= count
            self._count += count
            if self._count == self.hop:
                self._ready = self.voice(self._frame())[0].numpy()
                self._count = 0
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def _listen(self, controls: Controls, count: int) -> None:
        """Sum what is asked for over the hop: level, and octaves of everything else."""
        loudness = controls.alone
        if loudness is not None:
            if self._silent:
                self._sums = dict.fromkeys(ROWS, (0.0, 0))
            self._level += count * 10 ** ((loudness - UNIT_LUFS) / 20)
        self._silent = loudness is None
        for name in ROWS:
            value = controls.pitch if name == "f0" else controls.descriptors.get(name)
            if value is not None:
                total, samples = self._sums[name]
                self._sums[name] = total + count * math.log2(value), samples + count

    def _frame(self) -> torch.Tensor:
        """Controls of the hop that has come. Shape: -> [1, 5, 1]."""
        values = [2 ** (total / samples) if samples else 0.0 for total, samples in self._sums.values()]
        level = self._level / self.hop
        gain = 20 * math.log10(level) if level > 0 else SILENT_DB
        self._level = 0.0
        self._sums = dict.fromkeys(ROWS, (0.0, 0))
        return torch.tensor([*values, gain, 1.0 if level > 0 else 0.0])[None, :, None]
