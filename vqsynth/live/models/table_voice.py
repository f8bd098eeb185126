"""A timbre that plays descriptors and notes: no input, so nothing to wait for but one hop."""

from __future__ import annotations

import math

import numpy as np
import torch

from vqsynth import descriptors
from vqsynth.dsp.loudness import UNIT_LUFS, gain_of_loudness
from vqsynth.library.timbre import Timbre
from vqsynth.live.controls import Controls
from vqsynth.streaming.frame_synthesizer import FrameSynthesizer
from vqsynth.streaming.module import reset, scripted

SETTLED = 32
"""Frames for which a code is repeated until it sounds like itself."""
JOIN = 0.5
"""Price of a jump between codes of usual distance, where a descriptor missed by its spread costs 1."""
PITCH_WEIGHT = 20.0
SMOOTH = 0.5
"""How much of the filters before is left after a hop."""
ATTACK_MS, RELEASE_MS = 8.0, 60.0


class TableVoice:
    """Every hop plays the code that fits best what is asked for. A :class:`~vqsynth.live.models.voice.Voice`.

    The filters of all codes are decoded once. A hop's sound begins when the hop does, with the mean of what was asked
    for during the hop before: a change is heard a hop later, wherever in a hop it came.

    Args:
        timbre: whose codes it plays.
        name: as it is asked for.
        seed: of the noise.
    """

    axes = 0
    hears = False

    def __init__(self, timbre: Timbre, name: str, seed: int = 0) -> None:
        config, model = timbre.config, timbre.model
        self.name, self.sample_rate, self.level, self.hop = name, config.sample_rate, UNIT_LUFS, config.hop_length
        self.latency = self.hop
        table = timbre.table
        self.follows = frozenset(table.names) | {"f0", "loudness"}
        self.columns, self.spreads, self.logs = {}, {}, {}
        for column in table.names:
            self.logs[column] = descriptors.get(column).scale == "log" if column in descriptors.names() else False
            values = self._scaled(column, table.column(column))
            self.columns[column] = values
            self.spreads[column] = float(np.nanstd(values)) or 1.0
        with torch.no_grad():
            codes = torch.arange(config.n_codes)[:, None].expand(-1, SETTLED)
            outputs = [model.decoder.decode_sequence(model.codebook[block])[:, -1] for block in codes.split(64)]
        self.outputs = torch.cat(outputs)
        self.pitch_of = np.nan_to_num(table.column("f0")) if "f0" in table.names else np.zeros(config.n_codes)
        self.latents = model.codebook.numpy()
        self.usual = float(np.linalg.norm(self.latents - self.latents.mean(0), axis=1).mean()) or 1.0
        self.filters = torch.jit.script(model.decoder.filters)
        synthesizer = FrameSynthesizer(config.sample_rate, config.n_fft, seed)
        bins = torch.zeros(1, 1, config.n_fft // 2 + 1)
        ones = torch.ones(1, 1)
        self.synthesizer = scripted(synthesizer, 220 * ones, bins + 0.1, bins + 0.1, ones)
        self.rise, self.fall = (1000 / (ms * config.sample_rate) for ms in (ATTACK_MS, RELEASE_MS))
        self._begin()

    def _begin(self) -> None:
        self.code, self.filter = -1, torch.zeros(0)
        self.ready = np.zeros(0, np.float32)
        self.asked: dict[str, tuple[float, int]] = {}
        self.sung = 220.0
        self.gates = np.zeros(self.hop)  # what the gain is to do, one hop before it is heard
        self.gain, self.peak = 0.0, 0.0
        self.count = 0

    def reset(self) -> None:
        """Begin anew."""
        reset(self.synthesizer)
        self._begin()

    def _scaled(self, name: str, values: np.ndarray) -> np.ndarray:
        return np.log2(np.maximum(values, 1e-9)) if self.logs[name] else np.asarray(values, float)

    @torch.inference_mode()
    def push(self, audio: np.ndarray, controls: Controls) -> np.ndarray:
        """Shape: [n] -> [n] float32; the audio is not heard."""
        parts, left = [], len(audio)
        while left:
            if not len(self.ready):
                self.ready = self._hop(controls)
            count = min(left, len(self.ready))
            self._listen(controls, count)
            parts.append(self.ready[:count] * self._gains(controls, count))
            self.ready, left = self.ready[count:], left - count
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def _wanted(self, controls: Controls) -> dict[str, float]:
        values = {name: value for name, value in controls.descriptors.items() if name in self.columns}
        if controls.pitch is not None:
            values["f0"] = controls.pitch
        return values

    def _listen(self, controls: Controls, count: int) -> None:
        """Sum what is asked for over the hop; of silence only the end counts."""
        if controls.velocity > 0 and self.peak == 0:
            self.asked = {}
        for name, value in self._wanted(controls).items():
            total, samples = self.asked.get(name, (0.0, 0))
            scaled = math.log2(value) if self.logs.get(name, name == "f0") else value
            self.asked[name] = total + count * scaled, samples + count
        self.peak = max(controls.velocity, self.peak if self.count else 0.0)
        self.count = (self.count + count) % self.hop

    def _gains(self, controls: Controls, count: int) -> np.ndarray:
        """Gain of the next samples: that of the note a hop ago, rising and falling along a line."""
        loudness = controls.alone
        gate = 0.0 if loudness is None else 10 ** ((loudness - UNIT_LUFS) / 20)
        self.gates = np.concatenate([self.gates, np.full(count, gate)])
        due, self.gates = self.gates[:count], self.gates[count:]
        gains = np.empty(count, np.float32)
        start = 0
        edges = [*(np.flatnonzero(np.diff(due)) + 1).tolist(), count]
        for end in edges:
            target, steps = due[start], np.arange(1, end - start + 1)
            way = (
                np.minimum(self.gain + steps * self.rise, target)
                if target > self.gain
                else np.maximum(self.gain - steps * self.fall, target)
            )
            gains[start:end] = way
            self.gain, start = float(way[-1]), end
        return gains

    def _hop(self, controls: Controls) -> np.ndarray:
        """The next hop of sound at gain 1. Shape: -> [hop]."""
        wanted = {name: total / samples for name, (total, samples) in self.asked.items() if samples}
        self.asked = {}
        if not wanted and self.gain == 0 and not self.gates.any():
            self.code = -1
            return np.zeros(self.hop, np.float32)
        self.code = self._nearest(wanted)
        chosen = self.outputs[self.code]
        self.filter = chosen if not len(self.filter) else torch.lerp(chosen, self.filter, SMOOTH)
        if "f0" in wanted:
            self.sung = 2 ** wanted["f0"]
        elif self.pitch_of[self.code] > 0:
            self.sung = float(self.pitch_of[self.code])
        harmonic, noise = self.filters(self.filter[None, None])
        f0 = torch.full((1, 1), float(np.clip(self.sung, 20.0, 0.45 * self.sample_rate)))
        return self.synthesizer(f0, harmonic, noise, gain_of_loudness(torch.full((1, 1), UNIT_LUFS)))[0].numpy().copy()

    def _nearest(self, wanted: dict[str, float]) -> int:
        if not wanted and self.code >= 0:
            return self.code
        cost = np.zeros(len(self.latents))
        for name, value in wanted.items():
            if name in self.columns:
                weight = PITCH_WEIGHT if name == "f0" else 1.0
                missed = (self.columns[name] - value) / self.spreads[name] * weight
                cost += np.where(np.isfinite(missed), np.square(missed), 100.0)
        if self.code >= 0:
            cost += JOIN * np.linalg.norm(self.latents - self.latents[self.code], axis=1) / self.usual
        return int(cost.argmin())
