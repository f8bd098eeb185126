"""Units to frames: every run is decoded among its own neighbours, then corrected by its details.

The decoder looks back and ahead, and details were measured with what was played around a unit. So a unit is decoded
as it was played, wherever it is put, and two runs are joined by crossfading their filters in decibels.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import torch

from vqsynth.dsp.source_filter import Frames
from vqsynth.render.played.sources import joins_of
from vqsynth.units.detail import STEP_DB, corrected
from vqsynth.units.store import NOTE, Units
from vqsynth.vqvae.model import VQVAE

BLEND = 8
"""Frames over which one run goes over into the next."""
_CONTEXT = 32
_MEAN_SECONDS = 0.5


class UnitDecoder:
    """Frames of a performance.

    Args:
        model: of the timbre.
        units: that are played.
        played: unit of every frame, [frames] int64.
        life: share of the details' movement around their half-second mean, 0 to 1.
    """

    def __init__(self, model: VQVAE, units: Units, played: np.ndarray, life: float) -> None:
        self.model, self.units, self.played, self.life = model, units, played, life
        self.law = model.synthesizer().law
        self.half = round(_MEAN_SECONDS * model.config.frame_rate) // 2
        self.before, self.share = _blends(units, played)

    def pieces(self, count: int) -> Iterator[Frames]:
        """All frames as the decoder gives them, in ``count`` pieces."""
        for block in np.array_split(np.arange(len(self.played)), count):
            yield self._piece(slice(int(block[0]), int(block[-1]) + 1))

    def _piece(self, here: slice) -> Frames:
        frames = self._decoded(self.played[here])
        mixed = np.flatnonzero(self.share[here] < 1)
        if len(mixed):
            other = self._decoded(self.before[here][mixed])
            share = torch.from_numpy(self.share[here][mixed])[:, None]
            for name in ("harmonic", "noise"):
                filters = getattr(frames, name).clone()
                filters[mixed] = filters[mixed] ** share * getattr(other, name) ** (1 - share)
                frames = dataclasses.replace(frames, **{name: filters})
        return frames

    def treat(self, frames: Frames, here: slice) -> Frames:
        """Correct frames, which have their final pitch, by the details of their units. Shape: [here]."""
        harmonic, noise = (
            self._details(detail, here) for detail in (self.units.harmonic_detail, self.units.noise_detail)
        )
        return corrected(frames, harmonic, noise, self.law)

    def _decoded(self, wanted: np.ndarray) -> Frames:
        """Each unit as it was played. Shape: [n] -> Frames [n]."""
        codes, start = self.units.code, self.units.start
        parts = []
        for run in np.split(wanted, joins_of(wanted, self.units.recording_of(wanted))):
            number = int(self.units.recording_of(run[:1])[0])
            first = max(int(start[number]), int(run.min()) - _CONTEXT)
            last = min(int(start[number + 1]), int(run.max()) + 1 + self.model.decoder.latency)
            frames = self.model.decode(np.asarray(codes[first:last]).astype(np.int64))
            index = torch.from_numpy(run - first)
            parts.append(Frames(*(getattr(frames, field.name)[index] for field in dataclasses.fields(Frames))))
        return Frames.cat(parts)

    def _details(self, detail: np.ndarray, here: slice) -> torch.Tensor:
        """Corrections in dB. Shape: [units, n] -> [frames, n]."""
        own = self._mixed(detail, here)
        if self.life < 1:
            first, last = max(0, here.start - self.half), min(len(self.played), here.stop + self.half)
            sums = np.cumsum(np.pad(self._mixed(detail, slice(first, last)), ((1, 0), (0, 0))), 0)
            at = np.arange(here.start, here.stop) - first
            low, high = np.maximum(at - self.half, 0), np.minimum(at + self.half + 1, len(sums) - 1)
            mean = (sums[high] - sums[low]) / (high - low)[:, None]
            own = mean + self.life * (own - mean)
        return torch.from_numpy((STEP_DB * own).astype(np.float32))

    def _mixed(self, detail: np.ndarray, here: slice) -> np.ndarray:
        share = self.share[here][:, None]
        own, other = detail[self.played[here]].astype(np.float32), detail[self.before[here]].astype(np.float32)
        return share * own + (1 - share) * other


def _blends(units: Units, played: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a run would have gone on with, and how far the next one has come in: [frames] int64, float32 0 to 1.

    A note that begins is not blended with what was before it.
    """
    before, share = played.copy(), np.ones(len(played), np.float32)
    recording = units.recording_of(played)
    ends = units.start[recording + 1]
    for join in joins_of(played, recording).tolist():
        if units.mark[played[join]] & NOTE:
            continue
        last = min(len(played), join + BLEND)
        steps = np.arange(1, last - join + 1)
        before[join:last] = np.minimum(played[join - 1] + steps, ends[join - 1] - 1)
        share[join:last] = steps / (BLEND + 1)
    return before, share
