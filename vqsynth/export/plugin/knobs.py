"""Instruments that play what they hear, under four knobs from 0 to 1."""

import torch
from torch import Tensor, nn

from vqsynth.dsp.loudness import gain_of_loudness
from vqsynth.export.signal import finite, within_one
from vqsynth.export.timbre import TimbreInstrument

KNOBS = 4
FREE = 0.02
"""Below this a knob leaves a descriptor free."""
SOFTEST_DB, LOUDEST_DB = -30.0, 10.0
STEPS = 16_384
"""Of a knob, a quarter of a cent: the last digit of a host's mean decides nothing."""
FARTHEST = 3.0
"""Standard deviations by which a knob moves an axis at either end."""


class TimbreKnobs(nn.Module):
    """A timbre that plays a sound at its melody and loudness; knobs take over centroid, pitch, bandwidth, and gain.

    With the first three at 0 and the gain at 0 dB it is the instrument's method ``fast``. A knob that is turned up says
    what its descriptor is, from the lowest to the highest in equal ratios; with centroid or bandwidth asked for, codes
    are chosen as by ``control``. Loudness is the input's, so silence stays silent.

    Args:
        instrument: of a timbre.
        bounds: lowest and highest Hz of centroid, pitch and bandwidth.

    Attributes:
        latency: samples.
        hop_length: samples that blocks are made of; a column of knobs each.
    """

    low: Tensor
    octaves: Tensor
    state_knobs: Tensor

    def __init__(self, instrument: TimbreInstrument, bounds: list[tuple[float, float]]) -> None:
        super().__init__()
        self.instrument, self.hop_length = instrument, instrument.hop_length
        self.latency, self.repeats = instrument.latency["fast"], instrument.block // instrument.hop_length
        limits = torch.tensor(bounds, dtype=torch.float32)
        self.register_buffer("low", limits[:, :1])
        self.register_buffer("octaves", torch.log2(limits[:, 1:] / limits[:, :1]))
        self.register_buffer("state_knobs", torch.zeros(KNOBS, 0))
        self.free, self.softest, self.range_db, self.knobs = FREE, SOFTEST_DB, LOUDEST_DB - SOFTEST_DB, KNOBS
        self.steps = STEPS

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin a new stream."""
        self.instrument.reset(batch)
        self.state_knobs = torch.zeros(self.knobs, 0)

    def forward(self, x: Tensor, knobs: Tensor) -> Tensor:
        """Play more. Shape: [1, n * hop_length], [4, n] 0 to 1 -> [1, n * hop_length]."""
        instrument = self.instrument
        heard = instrument.hear(finite(x, 16.0)).repeat_interleave(self.repeats, 2)
        count = heard.shape[2]
        fresh = (self.steps * finite(knobs).clamp(0.0, 1.0)).round() / self.steps
        turned = torch.cat([self.state_knobs, fresh], 1)
        self.state_knobs = turned[:, count:].clone()
        ready = instrument.state_output
        if count > 0:
            turned = turned[:, :count]
            hertz = self.low * torch.exp2(self.octaves * (turned[:3] - self.free) / (1 - self.free))
            asked = torch.where(turned[:3] > self.free, hertz, torch.zeros_like(hertz))
            centroid, pitch, bandwidth = asked[:1], asked[1:2], asked[2:3]
            pitch = torch.where(pitch > 0, pitch, heard[:, 1])
            loudness = heard[:, 2] + self.softest + self.range_db * turned[3:4]
            # Silence stays so, however far it is turned up.
            loudness = torch.where(heard[:, 2] > instrument.floor_db, loudness, heard[:, 2])
            level, anew = instrument.voice.envelope(gain_of_loudness(loudness.clamp(instrument.floor_db, 20.0)))
            weights = torch.stack([(row > 0).float() for row in (centroid, bandwidth, pitch)], -1)
            # In every frame, or a choice's past would depend on how a sound is divided.
            chosen = instrument.voice.nearest(pitch, anew, centroid, bandwidth, weights)
            codes = torch.where((centroid > 0) | (bandwidth > 0), chosen, heard[:, 0].long())
            sound = instrument.voice.play(codes, anew, pitch, level, instrument.voice.bias * centroid, bandwidth, None)
            ready = torch.cat([ready, sound], 1)
        instrument.state_output = ready[:, x.shape[1] :].clone()
        return within_one(ready[:, : x.shape[1]])


class AxisKnobs(nn.Module):
    """A wavae model that plays a sound; knobs move its four widest axes, in the middle none.

    Args:
        instrument: of a wavae model, at any rate.
        latency: of its method ``forward``, samples.
        axes: that are moved, at most four.
    """

    def __init__(self, instrument: nn.Module, latency: int, axes: int) -> None:
        super().__init__()
        self.instrument, self.latency, self.axes, self.farthest = instrument, latency, axes, FARTHEST
        self.hop_length = int(instrument.hop_length)  # type: ignore[arg-type]

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin a new stream."""
        self.instrument.reset(batch)  # type: ignore[operator]

    def forward(self, x: Tensor, knobs: Tensor) -> Tensor:
        """Play more. Shape: [1, n * hop_length], [4, n] 0 to 1 -> [1, n * hop_length]."""
        moved = self.farthest * (2 * finite(knobs).clamp(0.0, 1.0) - 1)
        parts = torch.jit.annotate(list[Tensor], [])
        for hop, block in enumerate(x[None].split(self.hop_length, 2)):
            for axis in range(self.axes):
                self.instrument.set_bias(axis, float(moved[axis, hop]))  # type: ignore[operator]
            parts.append(self.instrument(block)[0])
        return torch.cat(parts, 1)
