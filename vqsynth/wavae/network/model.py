"""The continuous model: sound to a latent path and back, whole or streamed with the same layers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from vqsynth.streaming.frame_synthesizer import FrameSynth
from vqsynth.wavae.network.analysis import MelAnalysis
from vqsynth.wavae.network.config import STRIDE, WavaeConfig
from vqsynth.wavae.network.stream import DecoderStream, EncoderStream, Stream
from vqsynth.wavae.network.vae import Decoder, Encoder
from vqsynth.wavae.network.vocoder import Vocoder

CHUNK = 256
"""Latent frames that are computed at once offline: bounds the memory, changes nothing else."""


class Wavae(nn.Module):
    """Mel analysis, VAE, vocoder network and synthesiser of one domain.

    Every layer is causal and keeps its own past, so offline is a stream fed in large pieces, its output moved back
    by the delay that does not depend on the pieces. Latent frame ``t`` describes the sound around sample
    ``t * latent_hop``.
    """

    def __init__(self, config: WavaeConfig) -> None:
        super().__init__()
        self.config = config
        self.analysis = MelAnalysis(config)
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.vocoder = Vocoder(config)
        self.synth = FrameSynth(config.sample_rate, config.n_fft)
        self._stream: Stream | None = None

    def frames_of(self, samples: int) -> int:
        """Latent frames of a sound of that many samples."""
        hop = self.config.latent_hop
        return 1 + -(-(samples + hop // 2) // hop)

    def samples_of(self, frames: int) -> int:
        """Samples that latent frames decode to."""
        return max(0, (frames - 1) * self.config.latent_hop - self.config.latent_hop // 2)

    @torch.no_grad()
    def encode(self, audio: np.ndarray | Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Encode a whole sound at the model's rate.

        Shape:
            audio: [samples] -> latents [frames, latent_dim], controls [frames, n_controls] (loudness in dB first);
            frames is :meth:`frames_of` (samples)
        """
        audio = torch.as_tensor(np.ascontiguousarray(audio, np.float32))
        hop = self.config.latent_hop
        audio = nn.functional.pad(audio, (0, self.frames_of(len(audio)) * hop - len(audio)))
        stream = EncoderStream(self)
        parts = [stream.push(block) for block in audio.split(CHUNK * hop)]
        return torch.cat([z for z, _ in parts]).numpy(), torch.cat([c for _, c in parts]).numpy()

    @torch.no_grad()
    def decode(
        self,
        latents: np.ndarray | Tensor,
        controls: np.ndarray | Tensor,
        samples: int | None = None,
        seed: int = 0,
        f0: np.ndarray | None = None,
    ) -> np.ndarray:
        """Decode a whole latent path.

        Args:
            samples: length of the sound; by default all that the path covers. seed: of the noise.
            f0: [n] Hz at samples ``0, hop_length`` ...: sung instead of the model's own pitch where it is above 0.

        Shape:
            latents: [frames, latent_dim]; controls: [frames, n_controls] -> [samples]
        """
        latents, controls = (torch.as_tensor(np.ascontiguousarray(x, np.float32)) for x in (latents, controls))
        stream = DecoderStream(self, seed)
        sung = torch.zeros(STRIDE * len(latents))
        if f0 is not None:
            # The first mel frame is centred one hop before the first sample.
            known = torch.as_tensor(np.nan_to_num(f0), dtype=torch.float32)[: len(sung) - 1]
            sung[1 : 1 + len(known)] = known
        parts = [
            stream.push(*part) for part in zip(latents.split(CHUNK), controls.split(CHUNK), sung.split(STRIDE * CHUNK))
        ]
        end = stream.lead + (self.samples_of(len(latents)) if samples is None else samples)
        return torch.cat(parts)[stream.lead : end].numpy()

    def forward(self, audio: Tensor) -> Tensor:
        """Resynthesise. Within ``with model.streaming():`` a block of a stream, ``config.delay`` samples late; else a whole sound.

        Shape: [samples] -> [samples]
        """
        if self._stream is not None:
            return self._stream.push(audio)
        return torch.from_numpy(self.decode(*self.encode(audio), samples=len(audio)))

    @contextlib.contextmanager
    def streaming(self, seed: int = 0, live: bool = False) -> Iterator[Stream]:
        """Make calls of the model go on where the one before ended, until the block ends; ``live`` as in :class:`Stream`."""
        before, self._stream = self._stream, Stream(self, seed, live)
        try:
            yield self._stream
        finally:
            self._stream = before
