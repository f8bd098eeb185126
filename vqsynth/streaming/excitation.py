"""The two excitations as streams of spectra: pulses whose pitch moves between frames, and noise."""

import math

import torch
from torch import Tensor, nn

from vqsynth.dsp.excitation import f0_per_sample, pulse_train
from vqsynth.dsp.stft import hann

REACH = 2
"""Frames that an excitation needs beyond the one it gives: half a window and the pitch at its end."""


def counted_noise(start: int, count: int, seed: int) -> Tensor:
    """White noise of unit variance that depends on the sample's number alone.

    A PCG hash (Jarzynski & Olano 2020) of each number, so any division into blocks gives the same noise.

    Args:
        start: number of the first sample.
        count: samples.
        seed: of the sequence.

    Shape:
        -> [count] float32
    """
    number = torch.arange(start, start + count, dtype=torch.int64) + ((seed * 1_000_003_333) & 0xFFFFFFFF)
    state = (number * 747_796_405 + 2_891_336_453) & 0xFFFFFFFF
    word = (((state >> ((state >> 28) + 4)) ^ state) * 277_803_737) & 0xFFFFFFFF
    word = (word >> 22) ^ word
    return ((word.double() / 4_294_967_296.0 - 0.5) * math.sqrt(12)).float()


class Noise(nn.Module):
    """Seeded white noise as a stream; stream ``b`` of a batch has the seed ``seed + b``.

    Args:
        seed: of the noise.
    """

    state_position: Tensor

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.seed = seed
        self.batch = 1
        self.register_buffer("state_position", torch.zeros((), dtype=torch.int64), persistent=False)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.batch = batch
        self.state_position = torch.zeros_like(self.state_position)

    def forward(self, count: int) -> Tensor:
        """The next samples. Shape: -> [batch, count]."""
        start = int(self.state_position)
        rows = [counted_noise(start, count, self.seed + row) for row in range(self.batch)]
        self.state_position += count
        return torch.stack(rows).to(self.state_position.device)


class Excitation(nn.Module):
    """Pitch of frames to spectra of windowed pulses and noise, ``latency`` frames late.

    Between frames the pitch moves in a straight line; before the first it stands still.

    Args:
        sample_rate: in Hz.
        n_fft: frame length in samples; frames are a quarter of it apart.
        seed: of the noise.

    Attributes:
        latency: frames.
    """

    window: Tensor
    state_phase: Tensor
    state_f0: Tensor
    state_pulses: Tensor
    state_noise: Tensor

    def __init__(self, sample_rate: int, n_fft: int, seed: int = 0) -> None:
        super().__init__()
        self.sample_rate, self.n_fft, self.hop_length = sample_rate, n_fft, n_fft // 4
        self.latency = REACH
        self.noise = Noise(seed)
        self.register_buffer("window", hann(n_fft).clone(), persistent=False)
        self.register_buffer("state_phase", torch.zeros(1, dtype=torch.float64), persistent=False)
        for name in ("state_f0", "state_pulses", "state_noise"):
            self.register_buffer(name, torch.zeros(1, 0), persistent=False)
        self.reset(1)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.noise.reset(batch)
        device = self.window.device
        self.state_phase = torch.zeros(batch, dtype=torch.float64, device=device)
        self.state_f0 = torch.zeros(batch, 0, device=device)
        # Silence in place of the frames before the first, which nobody hears.
        self.state_pulses = torch.zeros(batch, self.latency * self.hop_length, device=device)
        self.state_noise = torch.zeros(batch, self.latency * self.hop_length, device=device)

    def forward(self, f0: Tensor) -> tuple[Tensor, Tensor]:
        """Take the pitch of more frames.

        Shape:
            f0: [batch, frames] Hz -> pulses, noise: 2 x [batch, frames, n_fft // 2 + 1] complex
        """
        known = self.state_f0 if self.state_f0.shape[1] > 0 else f0[:, :1].repeat(1, self.latency)
        f0 = torch.cat([known, f0], 1)
        pulses, phase = pulse_train(f0_per_sample(f0, self.hop_length), self.state_phase, self.sample_rate)
        self.state_phase = phase
        self.state_f0 = f0[:, -1:]
        signals = (
            torch.cat([self.state_pulses, pulses], 1),
            torch.cat([self.state_noise, self.noise(pulses.shape[1])], 1),
        )
        kept = self.n_fft - self.hop_length
        self.state_pulses = signals[0][:, signals[0].shape[1] - kept :].clone()
        self.state_noise = signals[1][:, signals[1].shape[1] - kept :].clone()
        return self._spectra(signals[0]), self._spectra(signals[1])

    def _spectra(self, signal: Tensor) -> Tensor:
        return torch.fft.rfft(signal.unfold(-1, self.n_fft, self.hop_length) * self.window)
