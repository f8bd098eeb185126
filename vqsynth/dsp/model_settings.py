"""What the configurations of both models share: rate, frames, the filter head, and bounds of networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

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


class FrameSettings(BaseModel):
    """Rate, frames, and what a frame of the synthesiser is made of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sample_rate: int = Field(44_100, ge=8_000, le=192_000)
    """Rate of all audio in the model, Hz."""
    n_fft: FrameLength = 2048
    """Frame length in samples, a power of two; the hop is a quarter of it."""
    n_harmonic_bands: int = Field(112, ge=16, le=1024)
    """Knots of the filter of the pulse train."""
    n_noise_bands: Bands = 64
    """Knots of the filter of the noise."""
    pitch_bins: int = Field(144, ge=12, le=288)
    """Half-semitone bins of the pitch distribution, from 40 Hz."""

    @property
    def hop_length(self) -> int:
        """Samples between frames."""
        return self.n_fft // 4

    @property
    def frame_rate(self) -> float:
        """Frames a second."""
        return self.sample_rate / self.hop_length


def check_network(width: int, expansion: int, blocks: int) -> None:
    """Refuse a network of ConvNeXt blocks that no computer was meant to train.

    Raises:
        ValueError: its blocks have more weights than :data:`LARGEST_NETWORK`.
    """
    weights = 2 * width * width * expansion * blocks
    if weights > LARGEST_NETWORK:
        raise ValueError(f"width {width}, expansion {expansion} and {blocks} blocks make {weights:,} weights, too many")


Config = TypeVar("Config", bound=FrameSettings)


def choose_preset(presets: Mapping[str, Config], name: str) -> Config:
    """Return a named configuration.

    Raises:
        UsageError: no preset has this name.
    """
    if name not in presets:
        raise UsageError(f"unknown; choose one of {', '.join(presets)}", field="preset", value=name)
    return presets[name]
