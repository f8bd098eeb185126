"""Band-pass filter whose centre and quality move: a state-variable filter for streams.

The topology-preserving transform of the analogue state-variable filter (Zavalishin, The Art of VA Filter
Design, 2.1.0, ch. 4): its two states are the charges of integrators, so that coefficients may change at any
time without a jump of the output. Peak gain is 1 at the centre, for every quality.
"""

import math

import torch
from torch import Tensor, nn

SEGMENT = 64
"""Samples between two changes of the coefficients, counted from the start of the stream."""
LOWEST, HIGHEST = 10.0, 0.49
"""Limits of the centre: in Hz, and as a share of the sample rate."""


class BandPass(nn.Module):
    """A stream through a band-pass with moving centre frequency and quality, in double precision.

    Any division into blocks gives the same sound: coefficients are read at every 64th sample of the stream.
    Between two such samples the filter is linear and fixed, so that a segment is one matrix product.

    Args:
        sample_rate: in Hz.

    Attributes:
        latency: 0 samples.
    """

    lags: Tensor
    causal: Tensor
    state_charges: Tensor
    state_held: Tensor
    state_position: Tensor

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.latency = 0
        self.segment = SEGMENT
        self.low, self.high = LOWEST, HIGHEST * sample_rate
        self.radians = math.pi / sample_rate
        steps = torch.arange(SEGMENT)
        lags = steps[:, None] - steps
        self.register_buffer("lags", lags.clamp_min(0), persistent=False)
        self.register_buffer("causal", (lags >= 0).double(), persistent=False)
        self.register_buffer("state_charges", torch.zeros(1, 2, dtype=torch.float64), persistent=False)
        self.register_buffer("state_held", torch.ones(1, 2, dtype=torch.float64), persistent=False)
        self.register_buffer("state_position", torch.zeros((), dtype=torch.int64), persistent=False)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.state_charges = torch.zeros(batch, 2, dtype=torch.float64, device=self.causal.device)
        self.state_held = torch.ones(batch, 2, dtype=torch.float64, device=self.causal.device)
        self.state_position = torch.zeros_like(self.state_position)

    def forward(self, audio: Tensor, frequency: Tensor, quality: Tensor) -> Tensor:
        """Filter a block of any length.

        Args:
            audio: [batch, samples].
            frequency: centre in Hz, [batch, samples]; held within 10 Hz and 0.49 of the sample rate.
            quality: centre frequency over bandwidth at -3 dB, above 0, [batch, samples].

        Shape:
            -> [batch, samples] float64
        """
        audio = audio.double()
        count, size = audio.shape[1], self.segment
        offset = int(self.state_position) % size
        # Whole segments, the first one with samples of the past and the last one with silence in place of the rest.
        last = (-(offset + count)) % size
        padded = torch.nn.functional.pad(audio, (offset, last)).unflatten(1, (-1, size))
        drawn = torch.stack([frequency.double(), quality.double()], 2)
        settings = drawn[:, (size - offset) % size :: size]
        if offset > 0:
            settings = torch.cat([self.state_held[:, None], settings], 1)
        if count == 0:
            return audio
        self.state_held = settings[:, -1].clone()
        self.state_position += count
        return self._filter(padded, settings, offset, last)[:, offset : offset + count]

    def _filter(self, audio: Tensor, settings: Tensor, offset: int, last: int) -> Tensor:
        """Shape: audio [batch, segments, size], settings [batch, segments, 2] -> [batch, segments * size]."""
        size = self.segment
        g = torch.tan(self.radians * settings[..., 0].clamp(self.low, self.high))
        k = 1 / settings[..., 1]
        d = 1 / (1 + g * (g + k))
        # Charges go on as s' = A s + b x, the output is y = c s + e x.
        a = torch.stack([2 * d - 1, -2 * d * g, 2 * g * d, 1 - 2 * g * g * d], -1).unflatten(-1, (2, 2))
        b = torch.stack([2 * d * g, 2 * g * g * d], -1)
        c = torch.stack([k * d, -k * d * g], -1)
        # Powers of A, 0 to size - 1, by doubling: the rows of all so far at once.
        powers = torch.eye(2, dtype=a.dtype, device=a.device).expand(a.shape[0], a.shape[1], 2, 2)
        step = a
        while powers.shape[2] < 2 * size:
            powers = torch.cat([powers, powers @ step], 2)
            step = step @ step
        powers = powers.unflatten(2, (-1, 2))
        driven = (powers @ b[:, :, None, :, None])[..., 0]
        response = (driven * c[:, :, None]).sum(-1)
        impulse = torch.cat([(k * d * g)[..., None], response[..., : size - 1]], -1)
        output = ((impulse[:, :, self.lags] * self.causal) @ audio[..., None])[..., 0]
        free = (c[:, :, None, None] @ powers)[..., 0, :]
        if offset == 0 and last == 0:
            return self._whole(output, free, powers[:, :, size - 1] @ a, (driven * audio.flip(2)[..., None]).sum(2))
        segments = audio.shape[1]
        for index in range(segments):
            first = offset if index == 0 else 0
            end = size - last if index == segments - 1 else size
            charges = self.state_charges
            output[:, index, first:end] += (free[:, index, : end - first] @ charges[..., None])[..., 0]
            x = audio[:, index, first:end].flip(1)
            moved = (powers[:, index, end - first - 1] @ a[:, index] @ charges[..., None])[..., 0]
            self.state_charges = moved + (driven[:, index, : end - first] * x[..., None]).sum(1)
        return output.flatten(1)

    def _whole(self, output: Tensor, free: Tensor, step: Tensor, forced: Tensor) -> Tensor:
        """Whole segments: only the charges go from one to the next, all else is done at once."""
        charges = [self.state_charges]
        for index in range(output.shape[1]):
            moved = (step[:, index] @ charges[-1][..., None])[..., 0]
            charges.append(moved + forced[:, index])
        self.state_charges = charges[-1]
        return (output + (free @ torch.stack(charges[:-1], 1)[..., None])[..., 0]).flatten(1)
