"""Settings that every training run has; each model adds its own."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class RunSettings(BaseModel):
    """What decides a run besides the model's own configuration; saved beside the weights."""

    model_config = ConfigDict(extra="forbid")

    seed: int = Field(0, ge=0)
    """Seed of the split, the weights, the batches and the noise."""
    steps: int | None = Field(None, ge=1)
    """Length of the run in steps; the run can be repeated exactly."""
    seconds: float | None = Field(None, gt=0)
    """Length of the run in seconds of training, where ``steps`` is not given."""
    batch_size: int = Field(6, ge=1)
    segment_frames: int = Field(64, ge=8)
    """Frames of a training segment (64 are 0.74 s)."""
    learning_rate: float = Field(1.5e-3, gt=0)
    warmup_steps: int = Field(50, ge=1)
    """Steps over which the learning rate rises."""
    gradient_clip: float = Field(1.0, gt=0)
    validations: int = Field(12, ge=1)
    """How often the held-out recordings are measured."""
    checkpoint_seconds: float = Field(30.0, ge=0)
    """Most that a killed run loses."""
    vary: Literal["auto", "on", "off"] = "auto"
    """Vary sampled notes."""
    vary_seconds: float = Field(240.0, ge=0)
    """Length of the varied phrases."""
