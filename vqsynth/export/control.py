"""A timbre played by signals: descriptors in their own units in, sound out, a few milliseconds later."""

import math

import torch
from torch import Tensor, nn

from vqsynth.dsp.filter_head import FilterHead
from vqsynth.export.alive.detail import Detail
from vqsynth.export.alive.life import Life
from vqsynth.export.choice import Choice
from vqsynth.export.signal import finite
from vqsynth.export.trims import Trims
from vqsynth.streaming.frame_synthesizer import FrameSynthesizer

SHARE = 8
"""Frames of control that begin within a frame's length, twice as many as of the model: what is asked for is heard so
much sooner."""
FADE_SECONDS = 0.03
"""Time constant in which one code's filters go over into the next one's."""
GLIDE_SECONDS = 0.02
"""Time constant of the codes' own pitch, where none is asked for."""
ATTACK_SECONDS, RELEASE_SECONDS = 0.008, 0.06
SILENT = 1e-4
WINDOW = 0.19
"""Width of the Gaussian that a Hann window is like, as a share of its length."""
LOWEST_HZ, HIGHEST_HZ = 20.0, 6000.0
LOUDEST_DB = 20.0
BIAS = 1.006
"""What a measured centroid is below the expected one, in the middle of all timbres."""
USUAL_WEIGHT = 0.1
"""Of the usual colour against one that is asked for, in the choice of codes."""


class ControlVoice(nn.Module):
    """One voice: codes chosen as controls come, their filters faded, trimmed to what is asked for, synthesised.

    A code is heard as it sounds while it lasts, so no network runs and nothing waits for a look-ahead.

    Args:
        outputs: what the decoder says of each code that lasts, [codes, n_outputs].
        pitch: of each code by itself, Hz, [codes].
        head: draws filters of such outputs.
        choice: of codes; its features are centroid, bandwidth and pitch in octaves over ``tolerance``.
        tolerance: of the three features, octaves.
        usual: usual colour: three terms of a parabola (octaves of centroid over octaves of pitch), its middle, its half
            width, and octaves a dB; empty where the timbre has none.
        life: what the player did; None where the timbre has no units.
        detail: what the decoder does not say of it, or None.
        sample_rate: in Hz.
        n_fft: frame length in samples.
        seed: of the noise.

    Attributes:
        alive: share of the player's movement, 0 to 1.
        latency: samples from the end of a control's hop to the centre of its frame.
    """

    outputs: Tensor
    pitch: Tensor
    tolerance: Tensor
    usual: Tensor
    state_outputs: Tensor
    state_octaves: Tensor
    state_level: Tensor
    state_pitch: Tensor
    state_rate: Tensor
    numbers: Tensor

    def __init__(
        self,
        outputs: Tensor,
        pitch: Tensor,
        head: FilterHead,
        choice: Choice,
        tolerance: Tensor,
        usual: Tensor,
        life: Life | None,
        detail: Detail | None,
        sample_rate: int,
        n_fft: int,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.head, self.choice, self.life, self.detail = head, choice, life, detail
        self.alive = 0.0
        self.trims = Trims(sample_rate, n_fft)
        hop = n_fft // SHARE
        self.synthesizer = FrameSynthesizer(sample_rate, n_fft, seed, hop)
        self.hop_length, self.latency = hop, self.synthesizer.latency
        for name, tensor in (
            ("outputs", outputs),
            ("pitch", pitch),
            ("tolerance", tolerance),
            ("usual", usual),
        ):
            self.register_buffer(name, tensor.detach().clone().float(), persistent=False)
        self.rate = sample_rate / hop
        self.fade, self.glide = self.share(FADE_SECONDS), self.share(GLIDE_SECONDS)
        self.attack, self.release = self.share(ATTACK_SECONDS), self.share(RELEASE_SECONDS)
        self.lowest, self.highest, self.loudest = LOWEST_HZ, HIGHEST_HZ, LOUDEST_DB
        self.bias = BIAS
        self.silent, self.usual_weight, self.n_outputs = SILENT, USUAL_WEIGHT, outputs.shape[1]
        self.register_buffer("state_outputs", torch.zeros(1, self.n_outputs))
        self.register_buffer("state_octaves", torch.zeros(1))
        self.register_buffer("state_level", torch.zeros(1))
        self.register_buffer("state_pitch", torch.zeros(1))
        self.register_buffer("state_rate", torch.zeros(1))
        # Rate of a chirp in bins a hop for each bin, from octaves a hop, and the rest of its square's factor.
        self.register_buffer("numbers", torch.arange(n_fft // 2 + 1, dtype=torch.float32), persistent=False)
        self.chirp = 2 * math.pi * math.log(2) / (n_fft * hop) * (WINDOW * n_fft) ** 2

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.choice.reset(batch)
        if self.life is not None:
            self.life.reset(batch)
        self.synthesizer.reset(batch)
        self.state_outputs = torch.zeros(batch, self.n_outputs)
        self.state_octaves = torch.zeros(batch)
        self.state_level = torch.zeros(batch)
        self.state_pitch = torch.zeros(batch)
        self.state_rate = torch.zeros(batch)

    def forward(self, controls: Tensor) -> Tensor:
        """Play more frames.

        Args:
            controls: a frame a hop, [batch, 5, frames]: centroid, bandwidth and pitch in Hz, 0 where each may be what
                it is; gain in dB, 0 being -20 LUFS; and velocity, 0 to 1, 0 being a note's end.

        Shape:
            -> [batch, frames * hop_length]
        """
        pitch, loudness, level, anew, centroid, bandwidth, weights = self.asked(controls)
        if self.life is None or self.alive <= 0:
            codes = self.nearest(pitch, anew, centroid, bandwidth, weights)
            return self.play(codes, anew, pitch, level, self.bias * centroid, bandwidth, None)
        return self.perform(pitch, loudness, level, anew, centroid, bandwidth, weights)

    @torch.jit.export
    def asked(self, controls: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
        """What controls ask for: arguments of :meth:`perform`. Shape: as :meth:`forward`."""
        centroid, bandwidth, pitch, gain, velocity = finite(controls).unbind(1)
        asked = pitch > 0
        pitch = torch.where(asked, pitch.clamp(self.lowest, self.highest), torch.zeros_like(pitch))
        loudness = self.loudness(gain, velocity)
        level, anew = self.envelope(loudness)
        usual = self.usual_centroid(pitch, 20 * torch.log10(loudness.clamp_min(1e-3)))
        free = centroid <= 0
        weights = torch.stack([torch.ones_like(centroid), (bandwidth > 0).float(), asked.float()], -1)
        centroid = torch.where(free, usual, centroid)
        weights[..., 0] = torch.where(centroid > 0, torch.where(free, self.usual_weight, 1.0), 0.0)
        return pitch, loudness, level, anew, centroid, bandwidth, weights

    @torch.jit.export
    def nearest(self, pitch: Tensor, anew: Tensor, centroid: Tensor, bandwidth: Tensor, weights: Tensor) -> Tensor:
        """Codes that come nearest. Shape: 4 x [batch, frames], [batch, frames, 3] -> int64 [batch, frames]."""
        targets = torch.log2(torch.stack([centroid, bandwidth, pitch], -1).clamp_min(1.0)) / self.tolerance
        return self.choice(targets, weights, anew)

    @torch.jit.export
    def perform(
        self,
        pitch: Tensor,
        loudness: Tensor,
        level: Tensor,
        anew: Tensor,
        centroid: Tensor,
        bandwidth: Tensor,
        weights: Tensor,
    ) -> Tensor:
        """As :meth:`play`, with units in place of codes and their movement around what is asked for."""
        # One question at a time: what is not there must not be compiled.
        if self.life is not None:  # noqa: SIM102
            if self.detail is not None:
                asked = torch.stack([pitch, torch.ones_like(pitch), centroid], -1)
                octaves = torch.log2(asked.clamp_min(1.0))
                octaves[..., 1] = 20 * torch.log10(loudness.clamp_min(1e-3))
                weight = torch.stack([weights[..., 2], torch.ones_like(pitch), weights[..., 0]], -1)
                units, moves = self.life(octaves, weight, anew)
                moves = self.alive * moves
                pitch = pitch * torch.exp2(moves[..., 0])
                level = level * 10 ** (moves[..., 1] / 20)
                centroid = self.bias * centroid * torch.exp2(moves[..., 2])
                return self.play(self.detail.codes[units], anew, pitch, level, centroid, bandwidth, units)
        return self.play(self.choice.state_code[:, None], anew, pitch, level, centroid, bandwidth, None)

    @torch.jit.export
    def play(
        self,
        codes: Tensor,
        anew: Tensor,
        pitch: Tensor,
        level: Tensor,
        centroid: Tensor,
        bandwidth: Tensor,
        units: Tensor | None = None,
    ) -> Tensor:
        """Second half of :meth:`forward`: given codes, trimmed.

        Args:
            codes: int64 [batch, frames].
            anew: bool, whether a sound begins, [batch, frames].
            pitch: Hz, 0 for the codes' own, [batch, frames].
            level: linear, 1 being -20 LUFS, [batch, frames].
            centroid: Hz, 0 for that of the codes, [batch, frames].
            bandwidth: the same.
            units: whose details are added, int64 [batch, frames].

        Shape:
            -> [batch, frames * hop_length]
        """
        outputs, own = self.faded(codes, anew)
        f0 = torch.where(pitch > 0, pitch, torch.exp2(own)).clamp(self.lowest, self.highest)
        harmonic, noise = self.head(outputs)
        if units is not None:  # noqa: SIM102
            if self.detail is not None:
                harmonic, noise = self.detail(units, f0, harmonic, noise, self.alive)
        pulses, white = self.synthesizer.excite(f0)
        law = self.synthesizer.law
        lines, hiss = law.harmonic_power(pulses, harmonic), law.noise_power_of(noise)
        # A bin of noise is Rayleigh-distributed: its mean magnitude is sqrt(pi / 4) of its rms.
        magnitudes = torch.sqrt(lines * self.smeared(f0) + 0.25 * math.pi * hiss)
        shape = self.trims(magnitudes, centroid, bandwidth)
        return self.synthesizer.output(
            law.level(law.filtered(pulses, white, harmonic, noise), lines + hiss, level, shape)
        )

    @torch.jit.export
    def share(self, seconds: float) -> float:
        """Share of the way that is gone in a frame with a time constant."""
        return 1 - math.exp(-1 / (seconds * self.rate))

    @torch.jit.export
    def loudness(self, gain: Tensor, velocity: Tensor) -> Tensor:
        """Linear level of a gain in dB and a velocity, half of which is 12 dB less; 0 is silence. Shape: 3 x [...]."""
        velocity = velocity.clamp(0.0, 1.0)
        level = 10 ** (gain.clamp(-120.0, self.loudest) / 20) * velocity.square()
        return torch.where(velocity > 0, level, torch.zeros_like(level))

    @torch.jit.export
    def envelope(self, wanted: Tensor) -> tuple[Tensor, Tensor]:
        """Level as it rises and falls, and where a sound begins. Shape: [batch, frames] -> 2 x [batch, frames]."""
        levels, anew = torch.zeros_like(wanted), torch.zeros_like(wanted, dtype=torch.bool)
        level = self.state_level
        for frame in range(wanted.shape[1]):
            goal = wanted[:, frame]
            anew[:, frame] = (level <= self.silent * 0.1) & (goal > 0)
            level = level + torch.where(goal > 0, self.attack, self.release) * (goal - level)
            level = torch.where((goal == 0) & (level < self.silent), torch.zeros_like(level), level)
            levels[:, frame] = level
        self.state_level = level
        return levels, anew

    @torch.jit.export
    def smeared(self, f0: Tensor) -> Tensor:
        """How a glide of the pitch widens lines in a spectrum: the square of what their magnitudes sum up to.

        A chirp of rate b under a Gaussian window of width s has a line 1 + (2 pi b s^2)^2 times as wide to the square,
        at the same power; that of a Hann window is much the same with s of about 0.2 of its length.

        Shape:
            [batch, frames] Hz -> [batch, frames, bins]
        """
        octaves = torch.log2(f0)
        before = torch.where(self.state_pitch > 0, self.state_pitch, octaves[:, 0])
        rates = torch.zeros_like(octaves)
        rate = self.state_rate
        for frame in range(f0.shape[1]):
            # A leap is no glide.
            step = (octaves[:, frame] - before).clamp(-0.02, 0.02)
            before = octaves[:, frame]
            rate = rate + 0.25 * (step - rate)
            rates[:, frame] = rate
        self.state_pitch, self.state_rate = before, rate
        return torch.sqrt(1 + (self.chirp * rates[..., None] * self.numbers).square())

    @torch.jit.export
    def faded(self, codes: Tensor, anew: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs and own pitch in octaves of the codes, one going over into the next.

        Shape:
            [batch, frames] -> [batch, frames, n_outputs], [batch, frames]
        """
        frames = codes.shape[1]
        outputs = torch.zeros(codes.shape[0], frames, self.n_outputs, device=codes.device)
        octaves = torch.zeros(codes.shape, device=codes.device)
        now, place = self.state_outputs, self.state_octaves
        for frame in range(frames):
            code, new = codes[:, frame], anew[:, frame]
            fade = torch.where(new, 1.0, self.fade)
            now = now + fade[:, None] * (self.outputs[code] - now)
            place = place + torch.where(new, 1.0, self.glide) * (torch.log2(self.pitch[code]) - place)
            outputs[:, frame], octaves[:, frame] = now, place
        self.state_outputs, self.state_octaves = now, place
        return outputs, octaves

    @torch.jit.export
    def usual_centroid(self, pitch: Tensor, decibels: Tensor) -> Tensor:
        """Centroid in Hz that the timbre has at a pitch and level; 0 where that is not known. Shape: 3 x [...]."""
        if self.usual.shape[0] == 0:
            return torch.zeros_like(pitch)
        x = (torch.log2(pitch.clamp_min(1.0)) - self.usual[3]).clamp(-self.usual[4], self.usual[4])
        octaves = (self.usual[0] * x + self.usual[1]) * x + self.usual[2]
        octaves = octaves + self.usual[5] * decibels.clamp(-30.0, 12.0)
        return torch.where(pitch > 0, torch.exp2(octaves), torch.zeros_like(pitch))
