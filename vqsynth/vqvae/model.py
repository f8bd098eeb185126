"""The VQ-VAE: sound to codes, codes to what the synthesiser needs."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor, nn

from vqsynth.dsp.source_filter import Frames
from vqsynth.streaming.module import twin
from vqsynth.streaming.synthesizer import Synthesizer
from vqsynth.vqvae.config import ModelConfig
from vqsynth.vqvae.features import Features, extract
from vqsynth.vqvae.network import Decoder, Encoder
from vqsynth.vqvae.quantizer import Quantizer, nearest_codes


@dataclasses.dataclass
class Encoded:
    """A sound as the model knows it.

    Shape:
        codes: [frames] int64; latents: [frames, code_dim] before quantisation;
        loudness: [frames] dB; f0: [frames] Hz, 0 where unvoiced; active: [frames] bool
    """

    codes: np.ndarray
    latents: np.ndarray
    loudness: np.ndarray
    f0: np.ndarray
    active: np.ndarray


class VQVAE(nn.Module):
    """Encoder, codebook and decoder of one timbre."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.quantizer = Quantizer(config.n_codes, config.code_dim)
        self.decoder = Decoder(config)

    @property
    def codebook(self) -> Tensor:
        """Shape: [n_codes, code_dim]."""
        return self.quantizer.codebook

    def synthesizer(self) -> Synthesizer:
        """A synthesizer at the model's rate."""
        return Synthesizer(self.config.sample_rate, self.config.n_fft)

    @torch.no_grad()
    def encode(self, audio: np.ndarray, f0: np.ndarray | None = None) -> Encoded:
        """Encode a sound at the model's rate. Shape: audio [samples], f0 [frames] Hz or None."""
        return self.encode_features(extract(audio, self.config, f0))

    @torch.no_grad()
    def encode_features(self, features: Features) -> Encoded:
        """Encode features that were extracted before."""
        latents = self.encoder(features.inputs(self.config)[None])[0]
        return Encoded(
            codes=nearest_codes(latents, self.codebook).numpy(),
            latents=latents.numpy(),
            loudness=features.loudness.numpy(),
            f0=features.f0.numpy(),
            active=features.active.numpy(),
        )

    @torch.no_grad()
    def decode(self, codes: np.ndarray | Tensor) -> Frames:
        """Decode a whole sequence of codes [frames]; the same numbers as :class:`CodeStream` gives."""
        return CodeStream(self).push(codes, last=True)

    @torch.no_grad()
    def decode_batch(self, codes: Tensor) -> Frames:
        """Decode several sequences of one length. Shape: [batch, frames] -> Frames [batch, frames]."""
        return self.decoder.frames(self.decoder.decode_sequence(self.codebook[codes]))[0]


class CodeStream:
    """Sequences of codes to frames without latency, piece by piece; any division gives the same frames.

    Args:
        model: whose decoder's twin is used.
    """

    def __init__(self, model: VQVAE) -> None:
        self.codebook, self.decoder = model.codebook, twin(model.decoder)
        self.skip = self.decoder.latency
        self.held = torch.zeros(0, model.config.code_dim)

    @torch.no_grad()
    def push(self, codes: np.ndarray | Tensor, last: bool = False) -> Frames:
        """Take codes [n], give the frames that are decided; ``last`` gives all that are left."""
        latents = self.codebook[torch.as_tensor(codes, dtype=torch.int64)]
        if len(latents):
            self.held = latents[-1:]
        if last:
            latents = torch.cat([latents, self.held.expand(self.decoder.latency, -1)])
        outputs = self.decoder(latents[None])
        dropped = min(self.skip, outputs.shape[1])
        self.skip -= dropped
        frames, _ = self.decoder.frames(outputs[:, dropped:])
        return Frames(frames.f0[0], frames.voicing[0], frames.harmonic[0], frames.noise[0])
