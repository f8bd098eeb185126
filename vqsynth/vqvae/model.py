"""The VQ-VAE: sound to codes, codes to what the synthesiser needs."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor, nn

from vqsynth.dsp.source_filter import Frames, Synth
from vqsynth.streaming.convolution import StreamState
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

    def synth(self) -> Synth:
        """A synthesiser at the model's rate."""
        return Synth(self.config.sample_rate, self.config.n_fft, self.config.hop_length)

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
        """Decode a whole sequence of codes [frames]; the same numbers as :class:`DecodeStream` gives."""
        return DecodeStream(self).push(codes, last=True)

    @torch.no_grad()
    def decode_batch(self, codes: Tensor) -> Frames:
        """Decode several sequences of one length. Shape: [batch, frames] -> Frames [batch, frames]."""
        return self.decoder.frames(self.decoder.whole(self.codebook[codes]))[0]


class DecodeStream:
    """Decodes codes as they come; output trails the input by the decoder's look-ahead."""

    def __init__(self, model: VQVAE) -> None:
        self.model = model
        self.state = StreamState(model.decoder)
        self.skip = model.config.lookahead
        self.held = torch.zeros(0, model.config.code_dim)

    @torch.no_grad()
    def push(self, codes: np.ndarray | Tensor, last: bool = False) -> Frames:
        """Take codes [n], give the frames that are decided; ``last`` flushes the look-ahead.

        Any division of a sequence into pushes gives the same frames.
        """
        decoder = self.model.decoder
        latents = self.model.codebook[torch.as_tensor(codes, dtype=torch.int64)]
        if len(latents):
            self.held = latents[-1:]
        if last:
            latents = torch.cat([latents, self.held.expand(self.model.config.lookahead, -1)])
        with self.state:
            outputs = decoder(latents[None])
        dropped = min(self.skip, outputs.shape[1])
        self.skip -= dropped
        frames, _ = decoder.frames(outputs[:, dropped:])
        return Frames(frames.f0[0], frames.voicing[0], frames.harmonic[0], frames.noise[0])
