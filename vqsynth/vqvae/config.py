"""Settings of the model, checked once and saved beside the weights."""

from __future__ import annotations

from pydantic import Field, model_validator

from vqsynth.dsp.model_settings import Blocks, FrameSettings, Width, check_network, choose_preset


class ModelConfig(FrameSettings):
    """Everything that decides the shape and the meaning of the weights."""

    n_mels: int = Field(96, ge=16, le=1024)
    """Mel bands of the encoder's view."""
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
    return choose_preset(PRESETS, name)
