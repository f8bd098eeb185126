"""Settings of a training run, checked once and saved beside the weights."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class TrainSettings(BaseModel):
    """Everything that decides a run besides the model's own configuration."""

    model_config = ConfigDict(extra="forbid")

    seed: int = 0
    """Seed of the split, the weights, the batches and the noise."""
    steps: int | None = Field(None, ge=1)
    """Length of the run in steps; the run can be repeated exactly."""
    seconds: float | None = Field(None, gt=0)
    """Length of the run in seconds of training, where ``steps`` is not given."""
    batch_size: int = Field(6, ge=1)
    segment_frames: int = Field(64, ge=8)
    """Frames of a training segment (64 are 0.74 s)."""
    learning_rate: float = Field(1.5e-3, gt=0)
    warmup_steps: int = 50
    """Steps over which the learning rate rises."""
    quantize_at: float = Field(0.15, ge=0, lt=1)
    """Share of the run after which the codebook is started; before, latents pass freely."""
    commitment: float = 0.25
    pitch_weight: float = 0.15
    voicing_weight: float = 0.1
    gradient_clip: float = 1.0
    validations: int = 12
    """How often the held-out recordings are measured."""
    checkpoint_seconds: float = 30.0
    """Most that a killed run loses."""
    vary: str = "auto"
    """Vary sampled notes: auto, on or off."""
    vary_seconds: float = 240.0
