"""A timbre as one streaming module, sound in, sound out: live transfer without any look at the future."""

import torch
from torch import Tensor, nn

from vqsynth.dsp.loudness import FLOOR_DB, gain_of_loudness, power_weights, weighted_loudness
from vqsynth.dsp.mel import mel_filters, relative_mel
from vqsynth.dsp.pitch import decode_f0, encode_f0
from vqsynth.dsp.stft import hann
from vqsynth.dsp.yin import yin
from vqsynth.streaming.adapter import BlockAdapter
from vqsynth.streaming.frame_synthesizer import FrameSynthesizer
from vqsynth.streaming.module import twin
from vqsynth.vqvae.config import ModelConfig
from vqsynth.vqvae.model import VQVAE
from vqsynth.vqvae.quantizer import nearest_codes

LOWEST_HZ = 60.0
"""Lowest pitch that is tracked."""


class LiveTimbre(nn.Module):
    """Analysis, encoder, codebook, decoder and synthesizer in a row, in whole hops.

    A frame's code is the nearest one; a tracked pitch (YIN) is kept, moved by ``octaves``, and where there is none the
    decoder's own is sung. The loudness is the input's.

    Args:
        model: whose weights it shares.
        seed: of the noise.
        octaves: by which the melody is moved.

    Attributes:
        latency: samples by which the output trails the input.
    """

    window: Tensor
    mel_filters: Tensor
    weights: Tensor
    codebook: Tensor
    state_audio: Tensor
    state_f0: Tensor
    state_loudness: Tensor

    def __init__(self, model: VQVAE, seed: int = 0, octaves: int = 0) -> None:
        super().__init__()
        config: ModelConfig = model.config
        self.sample_rate, self.n_fft, self.hop_length = config.sample_rate, config.n_fft, config.hop_length
        self.pitch_bins, self.pitch_view = config.pitch_bins, config.pitch_view
        self.lowest, self.factor, self.floor_db = LOWEST_HZ, 2.0**octaves, FLOOR_DB
        self.encoder, self.decoder = model.encoder, model.decoder
        self.synthesizer = FrameSynthesizer(config.sample_rate, config.n_fft, seed)
        self.wait = self.decoder.latency
        self.latency = config.n_fft // 2 + self.wait * self.hop_length + self.synthesizer.latency - self.hop_length
        for name, tensor in (
            ("window", hann(config.n_fft).clone()),
            ("mel_filters", mel_filters(config.sample_rate, config.n_fft, config.n_mels)),
            ("weights", power_weights(config.sample_rate, config.n_fft).clone()),
            ("codebook", model.codebook),
            ("state_audio", torch.zeros(1, config.n_fft - config.hop_length)),
            ("state_f0", torch.zeros(1, self.wait)),
            ("state_loudness", torch.full((1, self.wait), FLOOR_DB)),
        ):
            self.register_buffer(name, tensor, persistent=False)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.encoder.reset(batch)
        self.decoder.reset(batch)
        self.synthesizer.reset(batch)
        device = self.window.device
        self.state_audio = torch.zeros(batch, self.n_fft - self.hop_length, device=device)
        self.state_f0 = torch.zeros(batch, self.wait, device=device)
        self.state_loudness = torch.full((batch, self.wait), self.floor_db, device=device)

    @torch.jit.export
    def heard(self, audio: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Take whole hops of sound, tell what is heard in them: the newest frame ends with the newest sample.

        Shape:
            [batch, n * hop_length] -> codes int64, pitch in Hz (0 where there is none), loudness in dB: 3 x [batch, n]
        """
        audio = torch.cat([self.state_audio, audio], 1)
        self.state_audio = audio[:, audio.shape[1] - (self.n_fft - self.hop_length) :].clone()
        frames = audio.unfold(1, self.n_fft, self.hop_length)
        spectrum = torch.fft.rfft(frames * self.window)
        power = spectrum.real.square() + spectrum.imag.square()
        loudness = weighted_loudness(power, self.weights)
        f0 = yin(frames, self.sample_rate, self.lowest) * self.factor
        features = relative_mel(power, self.mel_filters, loudness, self.n_fft)
        if self.pitch_view:
            features = torch.cat([features, encode_f0(f0, self.pitch_bins)], -1)
        return nearest_codes(self.encoder(features), self.codebook), f0, loudness

    def forward(self, audio: Tensor) -> Tensor:
        """Take whole hops of sound, give as many, ``latency`` samples late. Shape: 2 x [batch, n * hop_length]."""
        codes, f0, loudness = self.heard(audio)
        outputs = self.decoder(self.codebook[codes])
        harmonic, noise = self.decoder.filters(outputs)
        logits, _ = self.decoder.filters.pitch(outputs)
        # Pitch and loudness wait for the decoder's look-ahead.
        count = f0.shape[1]
        f0, loudness = torch.cat([self.state_f0, f0], 1), torch.cat([self.state_loudness, loudness], 1)
        self.state_f0, self.state_loudness = f0[:, count:].clone(), loudness[:, count:].clone()
        tracked = f0[:, :count]
        sung = torch.where(tracked > 0, tracked, decode_f0(logits))
        return self.synthesizer(sung, harmonic, noise, gain_of_loudness(loudness[:, :count]))


def live_stream(model: VQVAE, seed: int = 0, octaves: int = 0) -> BlockAdapter:
    """A timbre's live transfer for blocks of any size, [batch, samples] -> [batch, samples].

    Args:
        model: whose weights it shares.
        seed: of the noise.
        octaves: by which the melody is moved.

    Returns:
        A twin; ``torch.jit.script`` compiles it.
    """
    live = LiveTimbre(model, seed, octaves)
    return twin(BlockAdapter(live, live.hop_length, live.latency))
