"""Settings of the continuous model, checked once and saved beside the weights."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from vqsynth.dsp.model_settings import Blocks, FrameSettings, Width, check_network, choose_preset

Controls = (
    tuple[Literal["loudness"], Literal["pitch"], Literal["voicing"]]
    | tuple[Literal["loudness"], Literal["pitch"], Literal["voicing"], Literal["centroid"]]
)

STRIDE = 2
"""Mel frames of one latent frame."""


class WavaeConfig(FrameSettings):
    """Everything that decides the shape and the meaning of the weights.

    Mel frames are a hop of ``n_fft // 4`` apart, latent frames two hops.
    """

    n_mels: int = Field(192, ge=16, le=1024)
    """Mel bands that the VAE reads and writes."""
    latent_dim: int = Field(96, ge=1, le=1024)
    """The second half are details of what has no single pitch."""
    controls: Controls = ("loudness", "pitch", "voicing")
    """Descriptors that are taken out of the latent and given to the decoder."""
    width: Width = 160
    """Channels of the VAE's ConvNeXt blocks."""
    expansion: int = Field(2, ge=1, le=16)
    """Width of a block's hidden layer, in ``width``."""
    kernel_size: int = Field(5, ge=1, le=255)
    encoder_blocks: Blocks = 3
    decoder_blocks: Blocks = 4
    vocoder_width: Width = 256
    vocoder_blocks: Blocks = 5
    reader_width: Width = 112
    reader_blocks: Blocks = 4
    """Of the network that reads pitch and voicing from mel frames."""

    @model_validator(mode="after")
    def _bounded(self) -> WavaeConfig:
        check_network(self.width, self.expansion, self.encoder_blocks + self.decoder_blocks)
        check_network(self.vocoder_width, self.expansion, self.vocoder_blocks)
        check_network(self.reader_width, self.expansion, self.reader_blocks)
        return self

    @property
    def details(self) -> int:
        """Of the latents, those that only what has no single pitch uses."""
        return self.latent_dim // 2

    @property
    def latent_hop(self) -> int:
        """Samples between latent frames."""
        return STRIDE * self.hop_length

    @property
    def cells(self) -> int:
        """Cells of the map of partials: bins up to a quarter of the sample rate."""
        return self.n_fft // 4

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
    "small": WavaeConfig(width=128, encoder_blocks=2, decoder_blocks=3, vocoder_width=160, vocoder_blocks=3),
    "fast": WavaeConfig(n_fft=1024, n_mels=128),
    "base": WavaeConfig(),
    "large": WavaeConfig(width=320, encoder_blocks=4, decoder_blocks=6, vocoder_width=384, vocoder_blocks=6),
}


def preset(name: str) -> WavaeConfig:
    """Return a named configuration.

    Raises:
        UsageError: no preset has this name.
    """
    return choose_preset(PRESETS, name)
