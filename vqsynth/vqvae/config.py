"""Settings of the model, checked once and saved beside the weights."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from vqsynth.errors import UsageError

LARGEST_NETWORK = 100_000_000
"""Weights of the blocks of a network; some twenty times those of the large presets."""


def _power_of_two(value: int) -> int:
    if value & (value - 1):
        raise ValueError("must be a power of two")
    return value


FrameLength = Annotated[int, Field(ge=256, le=16_384), AfterValidator(_power_of_two)]
Width = Annotated[int, Field(ge=16, le=4096)]
Bands = Annotated[int, Field(ge=8, le=1024)]
Blocks = Annotated[int, Field(ge=1, le=64)]


def check_network(width: int, expansion: int, blocks: int) -> None:
    """Refuse a network of ConvNeXt blocks that no computer was meant to train.

    Raises:
        ValueError: its blocks have more weights than :data:`LARGEST_NETWORK`.
    """
    weights = 2 * width * width * expansion * blocks
    if weights > LARGEST_NETWORK:
        raise ValueError(f"width {width}, expansion {expansion} and {blocks} blocks make {weights:,} weights, too many")


class ModelConfig(BaseModel):
    """Everything that decides the shape and the meaning of the weights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sample_rate: int = Field(44_100, ge=8_000, le=192_000)
    """Rate of all audio in the model, Hz."""
    n_fft: FrameLength = 2048
    """Frame length in samples, a power of two; the hop is a quarter of it."""
    n_mels: int = Field(96, ge=16, le=1024)
    """Mel bands of the encoder's view."""
    n_harmonic_bands: int = Field(112, ge=16, le=1024)
    """Knots of the filter of the pulse train."""
    n_noise_bands: Bands = 64
    """Knots of the filter of the noise."""
    pitch_bins: int = Field(144, ge=12, le=288)
    """Half-semitone bins of the pitch distribution, from 40 Hz."""
    pitch_view: bool = True
    """Whether the encoder sees the tracked pitch beside the mel bands."""
    width: Width = 176
    """Channels of the ConvNeXt blocks."""
    expansion: int = Field(2, ge=1, le=16)
    """Width of a block's hidden layer, in ``width``."""
    encoder_blocks: Blocks = 2
    decoder_blocks: Blocks = 4
    kernel_size: int = Field(5, ge=1, le=255)
    lookahead: int = Field(5, ge=0, le=255)
    """Frames by which the decoder's output trails its input."""
    code_dim: int = Field(32, ge=2, le=1024)
    n_codes: int = Field(1024, ge=2, le=65_536)

    @model_validator(mode="after")
    def _bounded(self) -> ModelConfig:
        check_network(self.width, self.expansion, self.encoder_blocks + self.decoder_blocks)
        return self

    @property
    def hop_length(self) -> int:
        """Samples between frames."""
        return self.n_fft // 4

    @property
    def frame_rate(self) -> float:
        """Frames a second."""
        return self.sample_rate / self.hop_length

    @property
    def n_features(self) -> int:
        """Numbers a frame that the encoder sees."""
        return self.n_mels + self.pitch_bins * self.pitch_view


PRESETS: dict[str, ModelConfig] = {
    "small": ModelConfig(width=128, encoder_blocks=1, decoder_blocks=3),
    "base": ModelConfig(),
    "large": ModelConfig(width=320, expansion=3, encoder_blocks=3, decoder_blocks=6, n_codes=2048),
}


def preset(name: str) -> ModelConfig:
    """Return a named configuration.

    Raises:
        UsageError: no preset has this name.
    """
    if name not in PRESETS:
        raise UsageError(f"unknown; choose one of {', '.join(PRESETS)}", field="preset", value=name)
    return PRESETS[name]
