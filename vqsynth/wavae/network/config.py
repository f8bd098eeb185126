"""Settings of the continuous model, checked once and saved beside the weights."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from vqsynth.errors import UsageError
from vqsynth.vqvae.config import Bands, Blocks, FrameLength, Width, check_network

STRIDE = 2
"""Mel frames of one latent frame."""


class WavaeConfig(BaseModel):
    """Everything that decides the shape and the meaning of the weights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sample_rate: int = Field(44_100, ge=8_000, le=192_000)
    """Rate of all audio in the model, Hz."""
    n_fft: FrameLength = 2048
    """Frame length in samples, a power of two; mel frames are a quarter of it apart, latent frames half of it."""
    n_mels: int = Field(128, ge=16, le=1024)
    """Mel bands that the VAE reads and writes."""
    latent_dim: int = Field(16, ge=1, le=1024)
    controls: tuple[Literal["loudness"]] | tuple[Literal["loudness"], Literal["centroid"]] = ("loudness",)
    """Descriptors that are taken out of the latent and given to the decoder."""
    width: Width = 160
    """Channels of the VAE's ConvNeXt blocks."""
    expansion: int = Field(2, ge=1, le=16)
    """Width of a block's hidden layer, in ``width``."""
    kernel_size: int = Field(5, ge=1, le=255)
    encoder_blocks: Blocks = 3
    decoder_blocks: Blocks = 4
    vocoder_width: Width = 176
    vocoder_blocks: Blocks = 4
    n_harmonic_bands: int = Field(112, ge=16, le=1024)
    """Knots of the filter of the pulse train."""
    n_noise_bands: Bands = 64
    """Knots of the filter of the noise."""
    pitch_bins: int = Field(144, ge=12, le=288)
    """Half-semitone bins of the pitch distribution, from 40 Hz."""

    @model_validator(mode="after")
    def _bounded(self) -> WavaeConfig:
        check_network(self.width, self.expansion, self.encoder_blocks + self.decoder_blocks)
        check_network(self.vocoder_width, self.expansion, self.vocoder_blocks)
        return self

    @property
    def hop_length(self) -> int:
        """Samples between mel frames."""
        return self.n_fft // 4

    @property
    def latent_hop(self) -> int:
        """Samples between latent frames."""
        return STRIDE * self.hop_length

    @property
    def rate(self) -> float:
        """Latent frames a second."""
        return self.sample_rate / self.latent_hop

    @property
    def latency(self) -> int:
        """Samples by which the streamed output trails the input, for every block size.

        Half an analysis frame, a quarter of a synthesis frame less one hop, the wait for a latent frame, and one hop in
        which its sound is made.
        """
        return self.n_fft // 2 + self.n_fft // 4 + self.latent_hop - 1


PRESETS: dict[str, WavaeConfig] = {
    "small": WavaeConfig(width=128, encoder_blocks=2, decoder_blocks=3, vocoder_width=128, vocoder_blocks=3),
    "base": WavaeConfig(),
    "large": WavaeConfig(width=320, encoder_blocks=4, decoder_blocks=6, vocoder_width=320, vocoder_blocks=6),
}


def preset(name: str) -> WavaeConfig:
    """Return a named configuration.

    Raises:
        UsageError: no preset has this name.
    """
    if name not in PRESETS:
        raise UsageError(f"unknown; choose one of {', '.join(PRESETS)}", field="preset", value=name)
    return PRESETS[name]
