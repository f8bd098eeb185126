"""Settings of the model, checked once and saved beside the weights."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from vqsynth.errors import UsageError


class ModelConfig(BaseModel):
    """Everything that decides the shape and the meaning of the weights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sample_rate: int = Field(44_100, ge=8_000, le=192_000)
    """Rate of all audio in the model, Hz."""
    n_fft: int = Field(2048, ge=256)
    """Frame length in samples; the hop is a quarter of it."""
    n_mels: int = Field(96, ge=16)
    """Mel bands of the encoder's view."""
    n_harmonic_bands: int = Field(112, ge=16)
    """Knots of the filter of the pulse train."""
    n_noise_bands: int = Field(64, ge=8)
    """Knots of the filter of the noise."""
    pitch_bins: int = Field(144, ge=12)
    """Half-semitone bins of the pitch distribution, from 40 Hz."""
    pitch_view: bool = True
    """Whether the encoder sees the tracked pitch beside the mel bands."""
    width: int = Field(176, ge=16)
    """Channels of the ConvNeXt blocks."""
    expansion: int = Field(2, ge=1)
    """Width of a block's hidden layer, in ``width``."""
    encoder_blocks: int = Field(2, ge=1)
    decoder_blocks: int = Field(4, ge=1)
    kernel_size: int = Field(5, ge=1)
    lookahead: int = Field(5, ge=0)
    """Frames by which the decoder's output trails its input."""
    code_dim: int = Field(32, ge=2)
    n_codes: int = Field(1024, ge=2)

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
        raise UsageError(f"--preset {name}: unknown; choose one of {', '.join(PRESETS)}")
    return PRESETS[name]
