"""Source-filter synthesis that never looks ahead: each frame carries its own stretch of excitation.

The same law as :mod:`vqsynth.streaming.synthesizer`, for realtime. There, pulses are drawn
sample by sample with a pitch interpolated between frames, which needs frames to come. Here a frame's
pulses keep the frame's pitch throughout, their phase exact at its centre; neighbouring frames agree
there and are blended by the overlap-add.
"""

import math

import torch
from torch import Tensor, nn

from vqsynth.dsp.excitation import pulses_of_phase
from vqsynth.dsp.source_filter import SourceFilter
from vqsynth.streaming.excitation import Noise
from vqsynth.streaming.overlap_add import OverlapAdd


class FrameSynthesizer(nn.Module):
    """Pitch, filters and gain of frames to sound.

    Args:
        sample_rate: in Hz.
        n_fft: frame length in samples.
        seed: of the noise.
        hop_length: samples between frames, at most a quarter of a frame, which it is by default.

    Attributes:
        latency: samples from the start of the stream to the centre of the first frame: a hop.
    """

    seconds: Tensor
    state_phase: Tensor
    state_f0: Tensor
    state_noise: Tensor

    def __init__(self, sample_rate: int, n_fft: int, seed: int = 0, hop_length: int | None = None) -> None:
        super().__init__()
        self.sample_rate, self.n_fft, self.hop_length = sample_rate, n_fft, hop_length or n_fft // 4
        self.law = SourceFilter(sample_rate, n_fft)
        self.output = OverlapAdd(n_fft, inner=True, hop_length=self.hop_length)
        self.noise = Noise(seed)
        self.latency = self.output.latency
        offset = torch.arange(n_fft, dtype=torch.float64) - n_fft // 2
        self.register_buffer("seconds", offset / sample_rate, persistent=False)
        self.register_buffer("state_phase", torch.zeros(1, dtype=torch.float64), persistent=False)
        self.register_buffer("state_f0", torch.zeros(1, dtype=torch.float64), persistent=False)
        self.register_buffer("state_noise", torch.zeros(1, n_fft - self.hop_length), persistent=False)
        self.reset(1)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.output.reset(batch)
        self.noise.reset(batch)
        device = self.seconds.device
        self.state_phase = torch.zeros(batch, dtype=torch.float64, device=device)
        self.state_f0 = torch.zeros(batch, dtype=torch.float64, device=device)
        self.state_noise = self.noise(self.n_fft - self.hop_length)

    def forward(
        self, f0: Tensor, harmonic: Tensor, noise_filter: Tensor, gain: Tensor, partials: Tensor | None = None
    ) -> Tensor:
        """Take more frames, give as many hops of sound, ``latency`` samples late.

        Shape:
            f0 (Hz), gain (linear): [batch, frames]; filters, and spectra of partials: [batch, frames, bins]
            -> [batch, frames * hop_length]
        """
        pulses, white = self.excite(f0)
        return self.output(self.law(pulses, white, harmonic, noise_filter, gain, partials))

    @torch.jit.export
    def excite(self, f0: Tensor) -> tuple[Tensor, Tensor]:
        """The excitations of more frames: first half of :meth:`forward`, which ``law`` and ``output`` complete.

        Shape:
            f0: [batch, frames] Hz -> spectra of pulses and of noise, 2 x [batch, frames, n_fft // 2 + 1] complex
        """
        count = f0.shape[1]
        before = torch.where(self.state_f0 > 0, self.state_f0, f0[:, 0].double())
        phase = self.state_phase[:, None] + self._phases(f0, before)
        self.state_phase.copy_(torch.remainder(phase[:, -1], 2 * math.pi))
        self.state_f0.copy_(f0[:, -1])
        noise = torch.cat([self.state_noise, self.noise(count * self.hop_length)], 1)
        self.state_noise.copy_(noise[:, count * self.hop_length :])
        white = torch.fft.rfft(noise.unfold(1, self.n_fft, self.hop_length) * self.law.window)
        return self._pulses(f0, phase), white

    def _pulses(self, f0: Tensor, phase: Tensor) -> Tensor:
        """Spectra of windowed pulse trains. Shape: 2 x [batch, frames] -> [batch, frames, n_fft // 2 + 1] complex."""
        turns = (phase.double() / (2 * math.pi))[..., None] + f0.double()[..., None] * self.seconds
        # Around zero, where the pulses are, single precision is finest.
        wrapped = 2 * math.pi * (turns - turns.round()).float()
        pulses = pulses_of_phase(wrapped, (self.sample_rate / 2 / f0).float()[..., None])
        return torch.fft.rfft(pulses * self.law.window)

    def _phases(self, f0: Tensor, before: Tensor) -> Tensor:
        """Phase gained up to each frame's centre, from the frame before the first.

        Shape:
            f0: [batch, frames] Hz; before: [batch] Hz, the pitch there -> [batch, frames] radians, float64
        """
        f0 = f0.double()
        mean = (torch.cat([before[:, None], f0[:, :-1]], 1) + f0) / 2
        return torch.cumsum(2 * math.pi / self.sample_rate * self.hop_length * mean, 1)

    @torch.no_grad()
    def spectra_of_pulses(self, f0: Tensor) -> Tensor:
        """Spectra of frames of pulses in phase at their centres. Shape: [batch, frames] Hz -> [batch, frames, bins]."""
        return self._pulses(f0, torch.zeros_like(f0))

    def synthesise_batch(
        self,
        f0: Tensor,
        harmonic: Tensor,
        noise_filter: Tensor,
        gain: Tensor,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Differentiable synthesis with random phase and noise, apart from any stream.

        Args:
            f0: in Hz, [batch, frames].
            harmonic: filter of the pulses, [batch, frames, bins].
            noise_filter: filter of the noise, [batch, frames, bins].
            gain: linear, [batch, frames].
            generator: of phase and noise.

        Shape:
            -> [batch, (frames - 1) * hop_length]
        """
        batch, count = f0.shape
        with torch.no_grad():
            start = 2 * math.pi * torch.rand(batch, 1, generator=generator, dtype=torch.float64).to(f0.device)
            pulses = self._pulses(f0.detach(), start + self._phases(f0.detach(), f0[:, 0].detach().double()))
            noise = torch.randn(batch, self.n_fft + (count - 1) * self.hop_length, generator=generator).to(f0.device)
            noise = torch.fft.rfft(noise.unfold(1, self.n_fft, self.hop_length) * self.law.window)
        audio = self.output.whole(self.law(pulses, noise, harmonic, noise_filter, gain))
        return audio[:, self.hop_length : count * self.hop_length]
