"""Settings of a training run of the discrete model."""

from __future__ import annotations

from pydantic import Field

from vqsynth.training.settings import RunSettings


class VqvaeSettings(RunSettings):
    """Everything that decides a run besides the model's own configuration."""

    start_from: str | None = None
    """Folder of a timbre whose encoder and decoder the run starts from."""
    start_sources: tuple[str, ...] | None = None
    """What that timbre was trained on, with licences."""
    quantize_at: float = Field(0.15, ge=0, lt=1)
    """Share of the run after which the codebook is started; before, latents pass freely."""
    commitment: float = Field(0.25, ge=0)
    """Weight of the distance between latents and their codes."""
    pitch_weight: float = Field(0.15, ge=0)
    voicing_weight: float = Field(0.1, ge=0)
