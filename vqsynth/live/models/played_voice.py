"""A timbre that plays descriptors and notes: no input, so nothing to wait for but a hop and half a crossfade."""

from __future__ import annotations

import math

import numpy as np
import torch

from vqsynth.dsp.loudness import UNIT_LUFS
from vqsynth.export.build import control_voice
from vqsynth.library.timbre import Timbre
from vqsynth.live.controls import Controls
from vqsynth.live.models.movement import Movement
from vqsynth.streaming.module import reset, scripted

ROWS = ("centroid", "bandwidth", "f0")
SILENT_DB = -120.0
NEW_NOTE = 0.7 / 12
"""Octaves: a farther leap is another note."""


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
        config, units = timbre.config, timbre.units
        self.movement = None
        if units is not None:
            self.movement = Movement(units, config.frame_rate, self.hop / config.hop_length, seed)
        self._begin()

    def _begin(self) -> None:
        self._ready = np.zeros(self.hop, np.float32)
        self._count = 0
        self._level, self._silent = 0.0, True
        self._sums = dict.fromkeys(ROWS, (0.0, 0))
        self._sung, self._rested = 0.0, True
        if self.movement is not None:
            self.movement.reset()

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
                self._ready = self.voice(self._frame(controls.life))[0].numpy()
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

    def _frame(self, life: float) -> torch.Tensor:
        """Controls of the hop that has come, the player's movement around them. Shape: -> [1, 5, 1]."""
        octaves = {name: total / samples if samples else None for name, (total, samples) in self._sums.items()}
        level = self._level / self.hop
        gain = 20 * math.log10(level) if level > 0 else SILENT_DB
        if level > 0 and life > 0 and self.movement is not None:
            pitch = octaves["f0"] or self._sung
            if abs(pitch - self._sung) > NEW_NOTE or self._rested:
                self.movement.begin()
            self._sung = pitch
            moved = life * self.movement.take(pitch)
            gain += float(moved[1])
            for name, move in (("f0", moved[0]), ("centroid", moved[2])):
                asked = octaves[name]
                if asked is not None:
                    octaves[name] = asked + float(move)
        self._rested = level == 0
        self._level = 0.0
        self._sums = dict.fromkeys(ROWS, (0.0, 0))
        values = [0.0 if value is None else 2**value for value in octaves.values()]
        return torch.tensor([*values, gain, 1.0 if level > 0 else 0.0])[None, :, None]
