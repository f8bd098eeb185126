"""Subtractive synthesis in the STFT domain: two excitations, a filter for each, a gain.

A frame of the output is ``g * (H_h U_h + H_n U_n) / level``: the spectra of a pulse train
and of white noise, each times a decoded magnitude filter, scaled so that gain 1 always has
the same loudness. Source-filter form after Serra & Smith (1990) and Engel et al. (2020,
DDSP); filtering and overlap-add as in Bitton et al. (2020).
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor

from vqsynth.dsp.excitation import dispersion_phase, f0_per_sample, pulse_train
from vqsynth.dsp.loudness import UNIT_LUFS, power_weights
from vqsynth.dsp.stft import frame_spectra, hann, overlap_add


@dataclasses.dataclass
class Frames:
    """What the decoder says of every frame.

    Shape:
        f0: [..., frames] Hz; voicing: [..., frames] 0..1;
        harmonic, noise: [..., frames, n_fft // 2 + 1] linear filter magnitudes
    """

    f0: Tensor
    voicing: Tensor
    harmonic: Tensor
    noise: Tensor

    def __len__(self) -> int:
        return self.f0.shape[-1]

    def __getitem__(self, index: slice) -> Frames:
        return Frames(
            self.f0[..., index], self.voicing[..., index], self.harmonic[..., index, :], self.noise[..., index, :]
        )

    @staticmethod
    def cat(parts: list[Frames]) -> Frames:
        """Join along time."""
        return Frames(
            torch.cat([p.f0 for p in parts], -1),
            torch.cat([p.voicing for p in parts], -1),
            torch.cat([p.harmonic for p in parts], -2),
            torch.cat([p.noise for p in parts], -2),
        )

    def bend(self, cents: Tensor) -> Frames:
        """Move f0 by ``cents`` [frames]; the filters stay."""
        return dataclasses.replace(self, f0=self.f0 * torch.exp2(cents / 1200))


class Synth:
    """Turns :class:`Frames` and a gain curve into sound.

    Args:
        sample_rate: in Hz. n_fft: frame length. hop_length: must be ``n_fft // 4``.
    """

    def __init__(self, sample_rate: int = 44_100, n_fft: int = 2048, hop_length: int = 512) -> None:
        if n_fft != 4 * hop_length:
            raise ValueError("the overlap-add needs n_fft == 4 * hop_length")
        self.sample_rate, self.n_fft, self.hop_length = sample_rate, n_fft, hop_length
        self.weights = power_weights(sample_rate, n_fft)
        self.noise_power = float(hann(n_fft).square().sum())
        self.dispersion = torch.polar(torch.ones(n_fft // 2 + 1), dispersion_phase(sample_rate, n_fft))
        self.unit = 10 ** ((UNIT_LUFS + 0.691) / 20)

    def expected_power(self, frames: Frames, pulses: Tensor) -> Tensor:
        """Expected power of each output frame before the gain. Shape: [..., frames, bins]."""
        harmonic = (pulses.real.square() + pulses.imag.square()) * frames.harmonic.square()
        return harmonic + self.noise_power * frames.noise.square()

    def spectra(self, frames: Frames, pulses: Tensor, noise: Tensor, gain: Tensor) -> Tensor:
        """Filter the excitation spectra and bring every frame to its loudness.

        Shape:
            pulses, noise: [..., frames, bins] complex; gain: [..., frames] linear -> [..., frames, bins] complex
        """
        level = (self.expected_power(frames, pulses) @ self.weights.to(gain)).clamp_min(1e-12).sqrt()
        filtered = pulses * (frames.harmonic * self.dispersion.to(pulses)) + noise * frames.noise
        return filtered * (gain * self.unit / level)[..., None]

    def train_forward(self, frames: Frames, gain: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Differentiable batch synthesis with random phase and noise.

        Shape:
            frames: [batch, frames]; gain: [batch, frames] -> [batch, (frames - 1) * hop_length]
        """
        batch, count = gain.shape
        f0 = torch.nn.functional.pad(frames.f0.detach()[:, None], (2, 2), mode="replicate")[:, 0]
        phase = 2 * torch.pi * torch.rand(batch, generator=generator, dtype=torch.float64).to(gain.device)
        pulses, _ = pulse_train(f0_per_sample(f0, self.hop_length), phase, self.sample_rate)
        noise = torch.randn(batch, pulses.shape[-1], generator=generator).to(gain.device)
        spectra = self.spectra(
            frames,
            frame_spectra(pulses, self.n_fft, self.hop_length),
            frame_spectra(noise, self.n_fft, self.hop_length),
            gain,
        )
        audio = overlap_add(spectra, self.n_fft, self.hop_length)
        return audio[:, self.n_fft // 2 : self.n_fft // 2 + (count - 1) * self.hop_length]

    def magnitudes(self, frames: Frames) -> Tensor:
        """Expected magnitude of each output frame at gain 1, in closed form.

        Shape: frames [frames] -> [frames, n_fft // 2 + 1]
        """
        f0 = torch.cat([frames.f0[:1].repeat(2), frames.f0, frames.f0[-1:].repeat(2)])
        pulses, _ = pulse_train(f0_per_sample(f0, self.hop_length), torch.zeros(()), self.sample_rate)
        power = self.expected_power(frames, frame_spectra(pulses, self.n_fft, self.hop_length))
        return (power / (power @ self.weights).clamp_min(1e-12)[:, None]).sqrt() * self.unit

    def stream(self, seed: int = 0) -> SynthStream:
        """Start a stream; its noise is drawn from ``seed``."""
        return SynthStream(self, seed)

    @torch.no_grad()
    def render(self, frames: Frames, gain: Tensor, seed: int = 0) -> np.ndarray:
        """Synthesise a whole sequence. Shape: frames [frames], gain [frames] -> [frames * hop_length]."""
        return self.stream(seed).push(frames, gain, last=True)


class Excitation:
    """Spectra of the excitation, frame by frame, with their state: phase, noise generator, f0 before.

    A frame needs the f0 of the two after it, so the spectra are two frames behind until ``last``.
    """

    def __init__(self, synth: Synth, seed: int = 0) -> None:
        self.synth = synth
        self.random = np.random.default_rng(seed)
        self.phase = torch.zeros((), dtype=torch.float64)
        self.f0_tail: Tensor | None = None
        self.pulses = torch.zeros(0)
        self.noise = torch.zeros(0)

    def push(self, f0: Tensor, last: bool = False) -> tuple[Tensor, Tensor]:
        """Take the f0 of more frames, give the spectra of pulses and noise that are complete.

        Shape: f0 [n] Hz -> 2 x [m, n_fft // 2 + 1] complex
        """
        hop, n_fft = self.synth.hop_length, self.synth.n_fft
        if len(f0):
            f0 = torch.cat([f0[:1].repeat(2) if self.f0_tail is None else self.f0_tail, f0])
        elif self.f0_tail is not None:
            f0 = self.f0_tail
        if last and len(f0):
            f0 = torch.cat([f0, f0[-1:].repeat(2)])
        if len(f0) > 1:
            pulses, self.phase = pulse_train(f0_per_sample(f0, hop), self.phase, self.synth.sample_rate)
            noise = self.random.standard_normal(len(pulses), dtype=np.float32)
            self.pulses = torch.cat([self.pulses, pulses])
            self.noise = torch.cat([self.noise, torch.from_numpy(noise)])
        if len(f0):
            self.f0_tail = f0[-1:]
        ready = max(0, 1 + (len(self.pulses) - n_fft) // hop)
        if ready == 0:
            empty = torch.zeros(0, n_fft // 2 + 1, dtype=torch.complex64)
            return empty, empty
        span = n_fft + (ready - 1) * hop
        spectra = [frame_spectra(signal[:span], n_fft, hop) for signal in (self.pulses, self.noise)]
        self.pulses, self.noise = self.pulses[ready * hop :], self.noise[ready * hop :]
        return spectra[0], spectra[1]


class OverlapAdd:
    """Joins output frames to sound; keeps the tail that the next frames add to."""

    def __init__(self, synth: Synth) -> None:
        self.n_fft, self.hop_length = synth.n_fft, synth.hop_length
        self.tail = torch.zeros(self.n_fft - self.hop_length)
        self.skip = self.n_fft // 2

    def peek(self, spectra: Tensor) -> Tensor:
        """Sound from ``n_fft // 2`` before the first of these frames, its tail included; changes no state.

        Shape: [frames, n_fft // 2 + 1] complex -> [n_fft + (frames - 1) * hop_length]
        """
        audio = overlap_add(spectra[None], self.n_fft, self.hop_length)[0]
        audio[: len(self.tail)] += self.tail
        return audio

    def push(self, spectra: Tensor, last: bool = False) -> np.ndarray:
        """Take output frames, give the samples that are finished. Shape: [frames, bins] -> [samples]."""
        if len(spectra) == 0:
            return np.zeros(0, np.float32)
        audio, done = self.peek(spectra), len(spectra) * self.hop_length
        self.tail = audio[done:].clone()
        audio = audio[: done + self.n_fft // 2] if last else audio[:done]
        dropped = min(self.skip, len(audio))
        self.skip -= dropped
        return audio[dropped:].numpy()


class SynthStream:
    """The synthesiser with its state.

    Any division of a sequence into pushes gives the same samples.
    """

    def __init__(self, synth: Synth, seed: int = 0) -> None:
        self.synth = synth
        self.excitation = Excitation(synth, seed)
        self.output = OverlapAdd(synth)
        self.pending: Frames | None = None
        self.pending_gain = torch.zeros(0)

    @torch.no_grad()
    def push(self, frames: Frames, gain: Tensor, last: bool = False) -> np.ndarray:
        """Take more frames, give the samples that are finished; two frames behind until ``last``, which flushes.

        Shape: frames [n], gain [n] -> [m * hop_length]
        """
        pulses, noise = self.excitation.push(frames.f0, last)
        frames = frames if self.pending is None else Frames.cat([self.pending, frames])
        gain = torch.cat([self.pending_gain, torch.as_tensor(gain, dtype=torch.float32)])
        ready = min(len(pulses), len(frames))
        self.pending, self.pending_gain = frames[ready:], gain[ready:]
        return self.output.push(self.synth.spectra(frames[:ready], pulses[:ready], noise[:ready], gain[:ready]), last)
