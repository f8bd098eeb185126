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

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

import numpy as np
import torch

from vqsynth.dsp.loudness import FLOOR_DB, k_weighting, power_weights
from vqsynth.dsp.stft import hann
from vqsynth.errors import UsageError
from vqsynth.streaming.band_pass import BandPass
from vqsynth.streaming.limiter import Limiter
from vqsynth.wavae.network.stream import Stream

if TYPE_CHECKING:
    from vqsynth.wavae.domain import Domain

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


class Loop:
    """The feedback loop as a stream of blocks.

    Args:
        block: samples of every block; the loop's own delay is one block. delay_ms: further delay in the loop.
        breath_db: noise in the band relative to the signal. seed: of all noise.

    Attributes:
        delay: samples of a whole pass: the model's delay, one block, and what was added.

    Raises:
        UsageError: a block of other than 16 to 16,384 samples, a delay of other than 0 to 10,000 ms, or breath over 0 dB.
    """

    def __init__(
        self, domain: Domain, *, block: int = BLOCK, delay_ms: float = 0.0, breath_db: float = BREATH_DB, seed: int = 0
    ) -> None:
        if not 16 <= block <= 16_384:
            raise UsageError(f"--block {block}: give 16 to 16384 samples")
        if not 0 <= delay_ms <= 10_000:
            raise UsageError(f"--delay {delay_ms:g}: give 0 to 10000 ms")
        if not breath_db <= 0:
            raise UsageError(f"--breath {breath_db:g}: give dB at or below 0")
        rate = domain.config.sample_rate
        self.sample_rate, self.block, self.breath_db, self.ceiling = rate, block, breath_db, domain.level
        self.stream = Stream(domain.model, seed)
        self.limiter = Limiter(rate, 10 ** (CEILING_DB / 20))
        self.filter, self.noise_filter = BandPass(rate), BandPass(rate)
        self.noise = np.random.default_rng(seed)
        self.meter, self.input_meter = _Meter(rate, domain.config.n_fft), _Meter(rate, domain.config.n_fft)
        added = round(delay_ms / 1000 * rate)
        self.delay = self.stream.delay + block + added
        self.returning = np.zeros(block + added)
        self.levels = collections.deque([_UNHEARD] * (1 + round((self.stream.delay + added) / block)))
        self.input_levels = collections.deque([_UNHEARD] * (1 + round(self.stream.delay / block)))
        self.gains = np.zeros(2)

    def push(self, audio: np.ndarray, frequency: np.ndarray, quality: np.ndarray, factor: np.ndarray) -> np.ndarray:
        """Go on by one block.

        Args:
            audio: mixed into the model's input. frequency: centre of the band in Hz. quality: its Q. factor: 0 to 100.

        Shape: 4 x [block] -> [block] float32, ``limiter.delay`` samples late
        """
        entering = audio + self.returning[: self.block]
        made = self.stream.push(torch.from_numpy(entering.astype(np.float32))).numpy()
        band = self.filter.push(made, frequency, quality)
        noise = self.noise_filter.push(self.noise.standard_normal(self.block), frequency, quality)
        noise *= _unit_gain(float(frequency[-1]), float(quality[-1]), self.sample_rate)
        # What went in one pass ago, and so how loud it is to come back.
        self.input_levels.append(self.input_meter.push(audio))
        arrived = np.array([self.levels.popleft(), self.input_levels.popleft(), FLOOR_LUFS])
        arrived = 10 * np.log10(np.sum(10 ** (arrived / 10)))
        times = float(factor[-1])
        wanted = arrived + 20 * np.log10(times) if times > 0 else _UNHEARD
        wanted = min(wanted, self.ceiling + (wanted - self.ceiling) / COMPRESSION)
        self.levels.append(wanted)
        make_up = min(wanted - self.meter.push(band), _MAKE_UP_DB)
        noise_gain = 10 ** ((wanted + self.breath_db) / 20) + min(times, 1.0) * 10 ** (FLOOR_LUFS / 20)
        before, self.gains = self.gains, np.array([10 ** (make_up / 20), noise_gain])
        # Gains rise along a line over the block, and fall at once: an onset must not meet the gain of silence.
        samples = np.arange(1, self.block + 1)
        ramp = np.where(self.gains[:, None] > before[:, None], samples / self.block, np.minimum(1.0, samples / _FALL))
        gain, noise_gain = before[:, None] + (self.gains - before)[:, None] * ramp
        self.returning = np.concatenate([self.returning[self.block :], gain * band + noise_gain * noise])
        return self.limiter.push(made).astype(np.float32)


class _Meter:
    """Loudness of the newest frame of a stream: the project's one loudness function, with a window that weighs the newest most."""

    def __init__(self, sample_rate: int, n_fft: int) -> None:
        symmetric, flat = hann(n_fft).double().numpy(), n_fft // 4
        rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(n_fft - flat) + 0.5) / (n_fft - flat))
        window = np.concatenate([rise, np.ones(flat)])
        self.window = window * np.sqrt(np.square(symmetric).sum() / np.square(window).sum())
        self.weights = power_weights(sample_rate, n_fft).double().numpy()
        self.newest = np.zeros(n_fft)

    def push(self, audio: np.ndarray) -> float:
        """Take [samples], give dB."""
        self.newest = np.concatenate([self.newest, audio])[-len(self.newest) :]
        spectrum = np.fft.rfft(self.newest * self.window)
        power = float((spectrum.real**2 + spectrum.imag**2) @ self.weights)
        return -0.691 + 10 * np.log10(max(power, 10 ** (FLOOR_DB / 10)))


def _unit_gain(frequency: float, quality: float, sample_rate: int) -> float:
    """Gain that brings white noise of unit variance, after the band-pass, to 0 LUFS."""
    share = min(1.0, np.pi * frequency / (quality * sample_rate))
    return float(10 ** (0.691 / 20) / np.sqrt(share * k_weighting(np.array([frequency]))[0]))
