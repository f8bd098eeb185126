"""Feedback shaping: a model that listens to its own output through a moving band-pass.

    model -> band-pass (frequency, Q) -> times the factor -> delay -> model

Blocks and delays are those of a realtime run: a pass takes the model's delay and one block. Three things
are settled here that a patch leaves to the hand on the slider:

- The factor is the loop's gain in loudness: each pass comes back ``factor`` times as loud as it went in, whatever
  the band-pass took away and the model made of it. Above the loudness of the training recordings every 5 dB become
  one, so above a factor of 1 the sound grows and stays, 1.5 dB over that loudness for 2 and 10 dB over it for 100;
  at 1 it holds, below 1 it dies away.
- Breath: seeded noise in the same band goes with the signal, 20 dB below it. Sent round alone, a narrow band ends
  as a sine wave, which no recording is like: the model answers it with one of a few timbres, wherever the band
  lies. With breath its answer follows the band.
- A noise floor of -70 LUFS in the band never stops (unless the factor is 0, which opens the loop), so that a loop
  that died starts again when the factor rises.

What is heard is the model's output, under a limiter.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn

from vqsynth.dsp.loudness import FLOOR_DB, k_weighting_of, power_weights
from vqsynth.dsp.source_filter import CALIBRATION_DB
from vqsynth.dsp.stft import hann
from vqsynth.errors import UsageError
from vqsynth.streaming.band_pass import BandPass
from vqsynth.streaming.limiter import Limiter
from vqsynth.wavae.domain import Domain
from vqsynth.wavae.network.stream import whole_stream

BLOCK = 512
BREATH_DB = -20.0
FLOOR_LUFS = -70.0
CEILING_DB = -0.5
"""Highest peak of the output, dB of full scale."""
COMPRESSION = 5.0
"""Decibels above the training recordings' loudness that become one."""
_MAKE_UP_DB = 60.0
_UNHEARD = -200.0
_FALL = 32
"""Samples in which a gain falls."""


class FeedbackLoop(nn.Module):
    """The feedback loop as a streaming module of whole blocks.

    Args:
        domain: whose model listens to itself.
        block: samples of every block; the loop's own delay is one block.
        delay_ms: further delay in the loop.
        breath_db: noise in the band relative to the signal.
        seed: of all noise.

    Attributes:
        latency: samples by which the output trails the model's.
        pass_length: samples of a whole pass: the model's latency, one block, and what was added.
        model_latency: samples.

    Raises:
        UsageError: a block of other than 16 to 16,384 samples, a delay of other than 0 to 10,000 ms, or breath
            over 0 dB.
    """

    state_returning: Tensor
    state_levels: Tensor
    state_input_levels: Tensor
    state_gains: Tensor

    def __init__(
        self, domain: Domain, *, block: int = BLOCK, delay_ms: float = 0.0, breath_db: float = BREATH_DB, seed: int = 0
    ) -> None:
        if not 16 <= block <= 16_384:
            raise UsageError("give 16 to 16384 samples", field="block", value=block)
        if not 0 <= delay_ms <= 10_000:
            raise UsageError("give 0 to 10000 ms", field="delay_ms", value=f"{delay_ms:g}")
        if not breath_db <= 0:
            raise UsageError("give dB at or below 0", field="breath_db", value=f"{breath_db:g}")
        super().__init__()
        rate = domain.config.sample_rate
        self.sample_rate, self.block, self.breath_db, self.ceiling = rate, block, breath_db, domain.level
        self.model = whole_stream(domain.model, seed)
        self.limiter = Limiter(rate, 10 ** (CEILING_DB / 20))
        # The model's sound and the noise go through one filter side by side.
        self.filter = BandPass(rate)
        self.meter, self.input_meter = Meter(rate, domain.config.n_fft), Meter(rate, domain.config.n_fft)
        self.random = np.random.default_rng(seed)
        self.latency, self.model_latency = self.limiter.latency, self.model.latency
        self.added = round(delay_ms / 1000 * rate)
        self.pass_length = self.model_latency + block + self.added
        self.waits = 1 + round((self.model_latency + self.added) / block), 1 + round(self.model_latency / block)
        self.floor, self.compression, self.unheard = FLOOR_LUFS, COMPRESSION, _UNHEARD
        self.make_up_db, self.fall = _MAKE_UP_DB, _FALL
        self.unit = 10 ** (CALIBRATION_DB / 20)
        for name in ("returning", "levels", "input_levels", "gains"):
            self.register_buffer(f"state_{name}", torch.zeros(0, dtype=torch.float64), persistent=False)
        self.reset(1)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.model.reset(batch)
        self.limiter.reset(batch)
        self.filter.reset(2 * batch)
        self.meter.reset(batch)
        self.input_meter.reset(batch)
        silence = torch.zeros(batch, 1, dtype=torch.float64, device=self.meter.window.device)
        self.state_returning = silence.repeat(1, self.block + self.added)
        self.state_levels = silence.repeat(1, self.waits[0]) + self.unheard
        self.state_input_levels = silence.repeat(1, self.waits[1]) + self.unheard
        self.state_gains = silence.repeat(1, 2)

    def forward(self, audio: Tensor, noise: Tensor, frequency: Tensor, quality: Tensor, factor: Tensor) -> Tensor:
        """Go on by one block.

        Args:
            audio: mixed into the model's input.
            noise: white, of unit variance.
            frequency: centre of the band in Hz.
            quality: its Q.
            factor: 0 to 100.

        Shape:
            5 x [batch, block] -> [batch, block] float64, ``latency`` samples late
        """
        audio = audio.double()
        made = self.model((audio + self.state_returning[:, : self.block]).float()).double()
        both = self.filter(torch.cat([made, noise.double()]), frequency.repeat(2, 1), quality.repeat(2, 1))
        band, breath = both[: audio.shape[0]], both[audio.shape[0] :]
        breath = breath * self._unit_gain(frequency[:, -1].double(), quality[:, -1].double())[:, None]
        # What went in one pass ago, and so how loud it is to come back.
        inputs = torch.cat([self.state_input_levels, self.input_meter(audio)[:, None]], 1)
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
        samples = torch.arange(1, self.block + 1, dtype=torch.float64, device=audio.device)
        rising = (gains > before)[..., None]
        ramp = torch.where(rising, samples / self.block, (samples / self.fall).clamp_max(1.0))
        gain = before[..., None] + (gains - before)[..., None] * ramp
        back = gain[:, 0] * band + gain[:, 1] * breath
        self.state_returning = torch.cat([self.state_returning[:, self.block :], back], 1)
        return self.limiter(made)

    def _unit_gain(self, frequency: Tensor, quality: Tensor) -> Tensor:
        """Gain that brings white noise of unit variance, after the band-pass, to 0 LUFS.

        Shape: 2 x [batch] -> [batch]
        """
        share = (math.pi * frequency / (quality * self.sample_rate)).clamp_max(1.0)
        return self.unit / torch.sqrt(share * k_weighting_of(frequency))

    @torch.inference_mode()
    def push(self, audio: np.ndarray, frequency: np.ndarray, quality: np.ndarray, factor: np.ndarray) -> np.ndarray:
        """:meth:`forward` of arrays of one stream, with seeded noise. Shape: 4 x [block] -> [block] float32."""
        arrays = audio, self.random.standard_normal(self.block), frequency, quality, factor
        return self(*(torch.from_numpy(np.asarray(x, np.float64))[None] for x in arrays))[0].float().numpy()


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
