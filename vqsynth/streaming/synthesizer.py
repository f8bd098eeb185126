"""Source-filter synthesis as a stream, with a pitch that moves smoothly between frames."""

import numpy as np
import torch
from torch import Tensor, nn

from vqsynth.dsp.excitation import f0_per_sample, pulse_train
from vqsynth.dsp.source_filter import Frames, SourceFilter
from vqsynth.dsp.stft import frame_spectra
from vqsynth.streaming.excitation import REACH, Excitation
from vqsynth.streaming.module import twin
from vqsynth.streaming.overlap_add import OverlapAdd


class Synthesizer(nn.Module):
    """Pitch, filters and gain of frames to sound.

    Args:
        sample_rate: in Hz.
        n_fft: frame length in samples; frames are a quarter of it apart.
        seed: of the noise.

    Attributes:
        latency: samples from the start of the stream to the centre of the first frame.
    """

    state_harmonic: Tensor
    state_noise: Tensor
    state_gain: Tensor

    def __init__(self, sample_rate: int = 44_100, n_fft: int = 2048, seed: int = 0) -> None:
        super().__init__()
        self.sample_rate, self.n_fft, self.hop_length = sample_rate, n_fft, n_fft // 4
        self.law = SourceFilter(sample_rate, n_fft)
        self.excitation = Excitation(sample_rate, n_fft, seed)
        self.output = OverlapAdd(n_fft)
        self.latency = REACH * self.hop_length + self.output.latency
        bins = n_fft // 2 + 1
        self.register_buffer("state_harmonic", torch.zeros(1, REACH, bins), persistent=False)
        self.register_buffer("state_noise", torch.zeros(1, REACH, bins), persistent=False)
        self.register_buffer("state_gain", torch.zeros(1, REACH), persistent=False)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.excitation.reset(batch)
        self.output.reset(batch)
        wait, bins, device = self.excitation.latency, self.n_fft // 2 + 1, self.law.window.device
        self.state_harmonic = torch.zeros(batch, wait, bins, device=device)
        self.state_noise = torch.zeros(batch, wait, bins, device=device)
        self.state_gain = torch.zeros(batch, wait, device=device)

    def forward(self, f0: Tensor, harmonic: Tensor, noise: Tensor, gain: Tensor) -> Tensor:
        """Take more frames, give as many hops of sound, ``latency`` samples late.

        Shape:
            f0 (Hz), gain (linear): [batch, frames]; filters: [batch, frames, bins] -> [batch, frames * hop_length]
        """
        pulses, white = self.excitation(f0)
        # Filters wait for their excitation.
        harmonic = torch.cat([self.state_harmonic, harmonic], 1)
        noise = torch.cat([self.state_noise, noise], 1)
        gain = torch.cat([self.state_gain, gain], 1)
        count = f0.shape[1]
        self.state_harmonic = harmonic[:, count:].clone()
        self.state_noise = noise[:, count:].clone()
        self.state_gain = gain[:, count:].clone()
        spectra = self.law(pulses, white, harmonic[:, :count], noise[:, :count], gain[:, :count])
        return self.output(spectra)

    def synthesise_batch(self, frames: Frames, gain: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Differentiable synthesis with random phase and noise, apart from any stream.

        Args:
            frames: [batch, frames].
            gain: linear, [batch, frames].
            generator: of phase and noise.

        Shape:
            -> [batch, (frames - 1) * hop_length]
        """
        batch, count = gain.shape
        f0 = nn.functional.pad(frames.f0.detach()[:, None], (REACH, REACH), mode="replicate")[:, 0]
        phase = 2 * torch.pi * torch.rand(batch, generator=generator, dtype=torch.float64).to(gain.device)
        pulses, _ = pulse_train(f0_per_sample(f0, self.hop_length), phase, self.sample_rate)
        noise = torch.randn(batch, pulses.shape[-1], generator=generator).to(gain.device)
        spectra = self.law(
            frame_spectra(pulses, self.n_fft, self.hop_length),
            frame_spectra(noise, self.n_fft, self.hop_length),
            frames.harmonic,
            frames.noise,
            gain,
        )
        start = self.output.latency
        return self.output.whole(spectra)[:, start : start + (count - 1) * self.hop_length]

    @torch.no_grad()
    def magnitudes(self, frames: Frames) -> Tensor:
        """Expected magnitude of each output frame at gain 1, in closed form.

        Shape:
            frames [frames] -> [frames, n_fft // 2 + 1]
        """
        f0 = torch.cat([frames.f0[:1].repeat(REACH), frames.f0, frames.f0[-1:].repeat(REACH)])
        pulses, _ = pulse_train(f0_per_sample(f0, self.hop_length), torch.zeros(()), self.sample_rate)
        spectra = frame_spectra(pulses, self.n_fft, self.hop_length)
        power = self.law.harmonic_power(spectra, frames.harmonic) + self.law.noise_power_of(frames.noise)
        return (power / (power @ self.law.weights).clamp_min(1e-12)[:, None]).sqrt() * self.law.unit

    def render(self, frames: Frames, gain: Tensor, seed: int = 0) -> np.ndarray:
        """Synthesise a whole sequence.

        Shape:
            frames [frames], gain [frames] -> [frames * hop_length] float32, its first sample at frame 0's centre
        """
        return FrameStream(self, seed).push(frames, gain, last=True)


class FrameStream:
    """Sequences of frames to sound without latency, piece by piece; any division gives the same samples.

    Args:
        synthesizer: whose twin is used.
        seed: of the noise.
    """

    def __init__(self, synthesizer: Synthesizer, seed: int = 0) -> None:
        self.stream = twin(synthesizer)
        self.stream.excitation.noise.seed = seed
        self.skip = synthesizer.latency
        self.end = -(-synthesizer.latency // synthesizer.hop_length)
        self.held: Frames | None = None

    @torch.no_grad()
    def push(self, frames: Frames, gain: Tensor, last: bool = False) -> np.ndarray:
        """Take more frames, give the samples that are finished; ``last`` gives all that are left.

        Shape:
            frames [n], gain [n] linear -> [m] float32
        """
        gain = torch.as_tensor(gain, dtype=torch.float32)
        if len(frames):
            self.held = frames[-1:]
        if last and self.held is not None:
            # The last frame, silent, stands for what is to come.
            frames = Frames.cat([frames, *[self.held] * self.end])
            gain = torch.cat([gain, torch.zeros(self.end)])
        if not len(frames):
            return np.zeros(0, np.float32)
        audio = self.stream(frames.f0[None], frames.harmonic[None], frames.noise[None], gain[None])[0]
        dropped = min(self.skip, len(audio))
        self.skip -= dropped
        return audio[dropped:].numpy()
