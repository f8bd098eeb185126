"""The continuous model in motion: blocks of any size in, blocks of the same size out."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from vqsynth.dsp.loudness import FLOOR_DB, gain_of_loudness
from vqsynth.dsp.pitch import PitchFilter
from vqsynth.streaming.convolution import StreamState, compiled
from vqsynth.streaming.frame_synthesizer import FrameSynth
from vqsynth.wavae.network.analysis import scale_controls
from vqsynth.wavae.network.config import STRIDE

if TYPE_CHECKING:
    from vqsynth.wavae.network.model import Wavae

Block = TypeVar("Block", Tensor, np.ndarray)


class _Network:
    """A streaming network with a past of its own; ``live`` compiles it for blocks of one latent frame."""

    def __init__(self, module: nn.Module, live: bool, *example: Tensor) -> None:
        self.module = compiled(module, *example) if live else module
        self.state = contextlib.nullcontext() if live else StreamState(module)

    def __call__(self, *inputs: Tensor) -> Any:
        with self.state:
            return self.module(*inputs)


class EncoderStream:
    """Sound to latent frames as they are complete; starts in silence."""

    def __init__(self, model: Wavae, live: bool = False) -> None:
        self.model = model
        self.encoder = _Network(model.encoder, live, torch.zeros(1, STRIDE, model.config.n_mels))
        self.overlap = model.config.n_fft - model.config.hop_length
        self.pending = torch.zeros(self.overlap)

    @torch.inference_mode()
    def push(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Take samples, give the latent frames they complete; the newest ends with the newest sample.

        Shape: [samples] -> mean latents [frames, latent_dim], controls [frames, n_controls]
        """
        config = self.model.config
        self.pending = torch.cat([self.pending, audio])
        count = (len(self.pending) - self.overlap) // config.latent_hop
        if count == 0:
            return audio.new_zeros(0, config.latent_dim), audio.new_zeros(0, len(config.controls))
        used = count * config.latent_hop
        mel, controls = self.model.analysis(self.pending[None, : used + self.overlap])
        self.pending = self.pending[used:].clone()
        mean, _ = self.encoder(mel)
        return mean[0], controls[0, STRIDE - 1 :: STRIDE]


class DecoderStream:
    """Latent frames to sound; every frame gives ``latent_hop`` samples.

    The first sample lies ``lead`` before the first latent frame's own time.
    """

    def __init__(self, model: Wavae, seed: int = 0, live: bool = False) -> None:
        config = model.config
        self.model = model
        frame = torch.zeros(1, 1, config.latent_dim), torch.zeros(1, 1, len(config.controls))
        self.decoder = _Network(model.decoder, live, *frame)
        self.vocoder = _Network(model.vocoder, live, torch.zeros(1, STRIDE, config.n_mels))
        self.synth = FrameSynth(config.sample_rate, config.n_fft, seed)
        self.lead = config.n_fft // 4 + (STRIDE - 1) * config.hop_length
        self.pitch = PitchFilter(config.pitch_bins)
        self.loudness = torch.full((1,), FLOOR_DB)
        self.steps = torch.arange(1, STRIDE + 1) / STRIDE

    def push(self, latents: Tensor, controls: Tensor, sung: Tensor | None = None) -> Tensor:
        """Take latent frames, give their samples.

        Args:
            sung: pitch of the mel frames in Hz, instead of the model's own where it is above 0.

        Shape: [frames, latent_dim], [frames, n_controls], [2 * frames] -> [frames * latent_hop]
        """
        return self.sound(*self.frames(latents, controls), sung)

    @torch.inference_mode()
    def frames(self, latents: Tensor, controls: Tensor) -> tuple[Tensor, Tensor]:
        """First half of :meth:`push`: mel frames [2 * frames, n_mels] and their loudness [2 * frames] dB."""
        if len(latents) == 0:
            return latents.new_zeros(0, self.model.config.n_mels), latents.new_zeros(0)
        mel = self.decoder(latents[None], scale_controls(controls)[None])[0]
        # The loudness of a latent frame is that of its newest mel frame; those between are on the line.
        loudness = controls[:, 0]
        before = torch.cat([self.loudness, loudness[:-1]])
        self.loudness = loudness[-1:].clone()
        return mel, (before[:, None] + (loudness - before)[:, None] * self.steps).flatten()

    @torch.inference_mode()
    def sound(self, mel: Tensor, loudness: Tensor, sung: Tensor | None = None) -> Tensor:
        """Second half of :meth:`push`: mel frames to samples [n * hop_length]."""
        if len(mel) == 0:
            return mel.new_zeros(0)
        outputs = self.vocoder(mel[None])
        harmonic, noise = self.model.vocoder.bands(outputs)
        f0 = self.pitch(self.model.vocoder.pitch(outputs)[0][0])[None]
        if sung is not None:
            f0 = torch.where(sung > 0, sung, f0[0])[None]
        return self.synth(f0, harmonic, noise, gain_of_loudness(loudness)[None])


class Stream:
    """Encoder and decoder in series: a live effect.

    The output trails the input by ``delay`` samples, whatever the sizes of the blocks. A latent frame becomes mel frames
    when it is complete, and sound one hop later: in blocks of a hop, neither block does all the work.

    Args:
        seed: of the noise. live: compile the networks, which takes a second and makes small blocks cheaper.
    """

    def __init__(self, model: Wavae, seed: int = 0, live: bool = False) -> None:
        config = model.config
        self.encoder, self.decoder = EncoderStream(model, live), DecoderStream(model, seed, live)
        self.delay, self.hop_length, self.latent_hop = config.delay, config.hop_length, config.latent_hop
        self.mel, self.loudness = torch.zeros(0, config.n_mels), torch.zeros(0)
        # Samples that came since the newest latent frame whose sound has been made, less one hop.
        self.waiting = -config.hop_length
        self.ready = torch.zeros(config.latent_hop + config.hop_length - 1)

    def push(self, audio: Block) -> Block:
        """Take a block of sound, give a block of the same length and kind. Shape: [samples] -> [samples]."""
        if isinstance(audio, np.ndarray):
            return self.push(torch.from_numpy(np.ascontiguousarray(audio, np.float32))).numpy()
        mel, loudness = self.decoder.frames(*self.encoder.push(audio))
        self.mel, self.loudness = torch.cat([self.mel, mel]), torch.cat([self.loudness, loudness])
        self.waiting += len(audio)
        due = max(0, self.waiting // self.latent_hop)
        self.waiting -= due * self.latent_hop
        due *= STRIDE
        self.ready = torch.cat([self.ready, self.decoder.sound(self.mel[:due], self.loudness[:due])])
        self.mel, self.loudness = self.mel[due:].clone(), self.loudness[due:].clone()
        block, self.ready = self.ready[: len(audio)], self.ready[len(audio) :].clone()
        return block
