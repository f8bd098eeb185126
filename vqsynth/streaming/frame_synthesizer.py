"""Subtractive synthesis that never looks ahead: each frame carries its own stretch of excitation.

The same source and filters as :mod:`vqsynth.dsp.source_filter`, for realtime. There, pulses are drawn
sample by sample with a pitch interpolated between frames, which needs frames to come. Here a frame's
pulses keep the frame's pitch throughout, their phase exact at its centre; neighbouring frames agree
there and are blended by the overlap-add.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from vqsynth.dsp.excitation import dispersion_phase, pulses_of_phase
from vqsynth.dsp.loudness import UNIT_LUFS, power_weights
from vqsynth.dsp.stft import hann


def counted_noise(start: int, count: int, seed: int) -> Tensor:
    """White noise of unit variance that depends on the sample's number alone.

    A PCG hash (Jarzynski & Olano 2020) of each number, so any division into blocks gives the same noise.
    Shape: [count]
    """
    number = torch.arange(start, start + count, dtype=torch.int64) + seed * 1_000_003_333
    state = (number * 747_796_405 + 2_891_336_453) & 0xFFFFFFFF
    word = (((state >> ((state >> 28) + 4)) ^ state) * 277_803_737) & 0xFFFFFFFF
    word = (word >> 22) ^ word
    return ((word.double() / 4_294_967_296.0 - 0.5) * math.sqrt(12)).float()


class FrameSynth(nn.Module):
    """Pitch, filters and gain of frames to sound, with the state of a stream.

    Args:
        sample_rate: in Hz. n_fft: frame length; frames are a quarter of it apart.
        seed: of the noise.
    """

    def __init__(self, sample_rate: int, n_fft: int, seed: int = 0) -> None:
        super().__init__()
        self.sample_rate, self.n_fft, self.hop_length = sample_rate, n_fft, n_fft // 4
        self.seed = seed
        window = hann(n_fft)
        # Only the middle half of a frame is heard, in crossfades of one hop: half the delay, and nothing of its edges.
        crossfade = hann(n_fft // 2) / window[self.hop_length : 3 * self.hop_length]
        self.noise_power = float(window.square().sum())
        self.unit = 10 ** ((UNIT_LUFS + 0.691) / 20)
        offset = torch.arange(n_fft, dtype=torch.float64) - n_fft // 2
        dispersion = torch.polar(torch.ones(n_fft // 2 + 1), dispersion_phase(sample_rate, n_fft))
        for name, tensor in (
            ("window", window.clone()),
            ("output_window", crossfade),
            ("weights", power_weights(sample_rate, n_fft).clone()),
            ("seconds", offset / sample_rate),
            ("dispersion", dispersion),
            ("phase", torch.zeros(1, dtype=torch.float64)),
            ("f0_before", torch.zeros(1, dtype=torch.float64)),
            ("tail", torch.zeros(self.hop_length)),
            ("noise_tail", torch.zeros(n_fft - self.hop_length)),
        ):
            self.register_buffer(name, tensor, persistent=False)
        self.position = 0
        self.reset()

    def reset(self) -> None:
        """Begin a new stream."""
        self.phase.zero_()
        self.f0_before.zero_()
        self.tail.zero_()
        self.noise_tail.copy_(counted_noise(0, self.n_fft - self.hop_length, self.seed))
        self.position = self.n_fft - self.hop_length

    def pulses(self, f0: Tensor, phase: Tensor) -> Tensor:
        """Windowed pulse trains of frames. Shape: f0 [..., frames] Hz, phase [..., frames] -> [..., frames, n_fft // 2 + 1]."""
        turns = (phase.double() / (2 * math.pi))[..., None] + f0.double()[..., None] * self.seconds
        # Around zero, where the pulses are, single precision is finest.
        wrapped = 2 * math.pi * (turns - turns.round()).float()
        pulses = pulses_of_phase(wrapped, (self.sample_rate / 2 / f0).float()[..., None])
        return torch.fft.rfft(pulses * self.window)

    def spectra(self, pulses: Tensor, noise: Tensor, harmonic: Tensor, noise_filter: Tensor, gain: Tensor) -> Tensor:
        """Filter the excitations and bring every frame to its loudness.

        Shape:
            pulses, noise: [..., frames, bins] complex; harmonic, noise_filter: [..., frames, bins];
            gain: [..., frames] linear -> [..., frames, bins] complex
        """
        power = (
            pulses.real.square() + pulses.imag.square()
        ) * harmonic.square() + self.noise_power * noise_filter.square()
        level = (power @ self.weights).clamp_min(1e-12).sqrt()
        filtered = pulses * (harmonic * self.dispersion) + noise * noise_filter
        return filtered * (gain * self.unit / level)[..., None]

    def overlap_add(self, spectra: Tensor) -> Tensor:
        """Join the middle halves of frames.

        Shape: [batch, frames, bins] complex -> [batch, (frames + 1) * hop_length], from a quarter of a frame before the first centre.
        """
        hop = self.hop_length
        frames = torch.fft.irfft(spectra, n=self.n_fft)[..., hop : 3 * hop] * self.output_window
        rising, falling = frames[..., :hop], frames[..., hop:]
        return torch.cat([rising[:, :1], rising[:, 1:] + falling[:, :-1], falling[:, -1:]], 1).flatten(1)

    def phases(self, f0: Tensor, before: Tensor) -> Tensor:
        """Phase gained up to each frame's centre, from the frame before the first.

        Shape: f0 [batch, frames] Hz, before [batch] Hz (the pitch there) -> [batch, frames] radians, float64
        """
        f0 = f0.double()
        mean = (torch.cat([before[:, None], f0[:, :-1]], 1) + f0) / 2
        return torch.cumsum(2 * math.pi / self.sample_rate * self.hop_length * mean, 1)

    def whole(
        self, f0: Tensor, harmonic: Tensor, noise_filter: Tensor, gain: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """Differentiable batch synthesis with random phase and noise, apart from any stream.

        Shape:
            f0, gain: [batch, frames]; filters: [batch, frames, bins] -> [batch, (frames - 1) * hop_length]
        """
        batch, count = f0.shape
        with torch.no_grad():
            start = 2 * math.pi * torch.rand(batch, 1, generator=generator, dtype=torch.float64).to(f0.device)
            pulses = self.pulses(f0.detach(), start + self.phases(f0.detach(), f0[:, 0].detach().double()))
            noise = torch.randn(batch, self.n_fft + (count - 1) * self.hop_length, generator=generator).to(f0.device)
            noise = torch.fft.rfft(noise.unfold(1, self.n_fft, self.hop_length) * self.window)
        audio = self.overlap_add(self.spectra(pulses, noise, harmonic, noise_filter, gain))
        return audio[:, self.hop_length : count * self.hop_length]

    def forward(self, f0: Tensor, harmonic: Tensor, noise_filter: Tensor, gain: Tensor) -> Tensor:
        """Take more frames of the stream, give the samples they complete.

        Shape:
            f0, gain: [1, frames]; filters: [1, frames, bins] -> [frames * hop_length]; the first sample of a
            stream lies ``n_fft // 4`` before the centre of its first frame
        """
        count = f0.shape[1]
        before = torch.where(self.f0_before > 0, self.f0_before, f0[:, 0].double())
        phase = self.phase[:, None] + self.phases(f0, before)
        self.phase.copy_(torch.remainder(phase[:, -1], 2 * math.pi))
        self.f0_before.copy_(f0[:, -1])
        fresh = counted_noise(self.position, count * self.hop_length, self.seed)
        self.position += count * self.hop_length
        noise = torch.cat([self.noise_tail, fresh])
        self.noise_tail.copy_(noise[count * self.hop_length :])
        noise = torch.fft.rfft(noise.unfold(0, self.n_fft, self.hop_length) * self.window)[None]
        audio = self.overlap_add(self.spectra(self.pulses(f0, phase), noise, harmonic, noise_filter, gain))[0]
        done = count * self.hop_length
        audio[: self.hop_length] += self.tail
        self.tail.copy_(audio[done:])
        return audio[:done]
