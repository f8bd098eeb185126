"""The way of a model's output back into its input: band-pass, loudness of a pass, breath.

What it does to the sound is told in :mod:`vqsynth.wavae.effects.feedback_loop`.
"""

import math

import torch
from torch import Tensor, nn

from vqsynth.dsp.loudness import FLOOR_DB, k_weighting_of, power_weights
from vqsynth.dsp.source_filter import CALIBRATION_DB
from vqsynth.dsp.stft import hann
from vqsynth.streaming.band_pass import BandPass

FLOOR_LUFS = -70.0
COMPRESSION = 5.0
"""Decibels above the training recordings' loudness that become one."""
_MAKE_UP_DB = 60.0
_UNHEARD = -200.0
_FALL = 32
"""Samples in which a gain falls."""


class WayBack(nn.Module):
    """A block of a model's output to the block that goes back into its input.

    Args:
        sample_rate: in Hz.
        n_fft: samples over which loudness is metered.
        block: samples of every block.
        ceiling: loudness from which what grows is compressed, dB.
        breath_db: noise in the band relative to the signal.
        model_latency: samples by which the model's output trails its input.
        pass_latency: that and what delays the way back further, without one block.
    """

    state_levels: Tensor
    state_input_levels: Tensor
    state_gains: Tensor

    def __init__(
        self,
        sample_rate: int,
        n_fft: int,
        block: int,
        ceiling: float,
        breath_db: float,
        model_latency: int,
        pass_latency: int,
    ) -> None:
        super().__init__()
        self.sample_rate, self.block, self.breath_db, self.ceiling = sample_rate, block, breath_db, ceiling
        # The model's sound and the noise go through one filter side by side.
        self.filter = BandPass(sample_rate)
        self.meter, self.input_meter = Meter(sample_rate, n_fft), Meter(sample_rate, n_fft)
        self.waits = 1 + round(pass_latency / block), 1 + round(model_latency / block)
        self.floor, self.compression, self.unheard = FLOOR_LUFS, COMPRESSION, _UNHEARD
        self.make_up_db, self.fall = _MAKE_UP_DB, _FALL
        self.unit = 10 ** (CALIBRATION_DB / 20)
        for name in ("levels", "input_levels", "gains"):
            self.register_buffer(f"state_{name}", torch.zeros(0, dtype=torch.float64), persistent=False)
        self.reset(1)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.filter.reset(2 * batch)
        self.meter.reset(batch)
        self.input_meter.reset(batch)
        silence = torch.zeros(batch, 1, dtype=torch.float64, device=self.meter.window.device)
        self.state_levels = silence.repeat(1, self.waits[0]) + self.unheard
        self.state_input_levels = silence.repeat(1, self.waits[1]) + self.unheard
        self.state_gains = silence.repeat(1, 2)

    def forward(
        self, made: Tensor, audio: Tensor, noise: Tensor, frequency: Tensor, quality: Tensor, factor: Tensor
    ) -> Tensor:
        """Go on by one block.

        Args:
            made: the model's output.
            audio: what came into the model from outside.
            noise: white, of unit variance.
            frequency: centre of the band in Hz.
            quality: its Q.
            factor: 0 to 100.

        Shape:
            6 x [batch, block] -> [batch, block] float64
        """
        made = made.double()
        both = self.filter(torch.cat([made, noise.double()]), frequency.repeat(2, 1), quality.repeat(2, 1))
        band, breath = both[: made.shape[0]], both[made.shape[0] :]
        breath = breath * self._unit_gain(frequency[:, -1].double(), quality[:, -1].double())[:, None]
        # What went in one pass ago, and so how loud it is to come back.
        inputs = torch.cat([self.state_input_levels, self.input_meter(audio.double())[:, None]], 1)
        floor = torch.full_like(inputs[:, 0], self.floor)
        arrived = torch.stack([self.state_levels[:, 0], inputs[:, 0], floor], 1)
        arrived = 10 * torch.log10(torch.sum(10 ** (arrived / 10), 1))
        times = factor[:, -1].double()
        wanted = arrived + 20 * torch.log10(times.clamp_min(1e-300))
        wanted = torch.where(times > 0, wanted, torch.full_like(wanted, self.unheard))
        wanted = torch.minimum(wanted, self.ceiling + (wanted - self.ceiling) / self.compression)
        self.state_levels = torch.cat([self.state_levels[:, 1:], wanted[:, None]], 1)
        self.state_input_levels = inputs[:, 1:].clone()
        make_up = (wanted - self.meter(band)).clamp_max(self.make_up_db)
        noise_gain = 10 ** ((wanted + self.breath_db) / 20) + times.clamp_max(1.0) * 10 ** (self.floor / 20)
        before, gains = self.state_gains, torch.stack([10 ** (make_up / 20), noise_gain], 1)
        self.state_gains = gains
        # Gains rise along a line over the block, and fall at once: an onset must not meet the gain of silence.
        samples = torch.arange(1, self.block + 1, dtype=torch.float64, device=made.device)
        rising = (gains > before)[..., None]
        ramp = torch.where(rising, samples / self.block, (samples / self.fall).clamp_max(1.0))
        gain = before[..., None] + (gains - before)[..., None] * ramp
        return gain[:, 0] * band + gain[:, 1] * breath

    def _unit_gain(self, frequency: Tensor, quality: Tensor) -> Tensor:
        """Gain that brings white noise of unit variance, after the band-pass, to 0 LUFS.

        Shape: 2 x [batch] -> [batch]
        """
        share = (math.pi * frequency / (quality * self.sample_rate)).clamp_max(1.0)
        return self.unit / torch.sqrt(share * k_weighting_of(frequency))


class Meter(nn.Module):
    """Loudness of the newest frame of a stream: the project's one loudness function, the newest samples weighing most.

    Args:
        sample_rate: in Hz.
        n_fft: samples of a frame.
    """

    window: Tensor
    weights: Tensor
    state: Tensor

    def __init__(self, sample_rate: int, n_fft: int) -> None:
        super().__init__()
        symmetric, flat = hann(n_fft).double(), n_fft // 4
        rising = (torch.arange(n_fft - flat, dtype=torch.float64) + 0.5) / (n_fft - flat)
        window = torch.cat([0.5 - 0.5 * torch.cos(math.pi * rising), torch.ones(flat, dtype=torch.float64)])
        window = window * torch.sqrt(symmetric.square().sum() / window.square().sum())
        self.size, self.quietest = n_fft, 10 ** (FLOOR_DB / 10)
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("weights", power_weights(sample_rate, n_fft).double(), persistent=False)
        self.register_buffer("state", torch.zeros(1, n_fft, dtype=torch.float64), persistent=False)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.state = torch.zeros(batch, self.size, dtype=torch.float64, device=self.window.device)

    def forward(self, audio: Tensor) -> Tensor:
        """Take samples, give the level of the newest frame. Shape: [batch, samples] -> [batch] dB."""
        newest = torch.cat([self.state, audio], 1)
        newest = newest[:, newest.shape[1] - self.size :]
        self.state = newest.clone()
        spectrum = torch.fft.rfft(newest * self.window)
        power = (spectrum.real.square() + spectrum.imag.square()) @ self.weights
        return -0.691 + 10 * torch.log10(power.clamp_min(self.quietest))
