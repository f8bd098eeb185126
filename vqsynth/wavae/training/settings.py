"""Settings of a training run, checked once and saved beside the weights."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class WavaeSettings(BaseModel):
    """Everything that decides a run besides the model's own configuration."""

    model_config = ConfigDict(extra="forbid")

    seed: int = 0
    """Seed of the split, the weights, the batches and the noise."""
    steps: int | None = Field(None, ge=1)
    """Length of the run in steps; the run can be repeated exactly."""
    seconds: float | None = Field(None, gt=0)
    """Length of the run in seconds of training, where ``steps`` is not given."""
    vae_at: float = Field(0.3, ge=0, le=1)
    """Share of the run after which the vocoder rests and the VAE learns."""
    adversary_at: float = Field(0.75, ge=0, le=1)
    """Share after which decoder and vocoder learn against discriminators."""
    batch_size: int = Field(8, ge=1)
    vae_batch_size: int = Field(24, ge=1)
    adversarial_batch_size: int = Field(4, ge=1)
    segment_frames: int = Field(48, ge=8, multiple_of=2)
    """Mel frames of a training segment (48 are 0.56 s)."""
    learning_rate: float = Field(1.5e-3, gt=0)
    discriminator_rate: float = Field(5e-4, gt=0)
    warmup_steps: int = 50
    """Steps over which the learning rate of a phase rises."""
    kl_weight: float = Field(0.2, ge=0)
    """1 is the evidence lower bound; less keeps more detail."""
    kl_warmup: float = Field(0.3, ge=0, le=1)
    """Share of the VAE's phase over which the KL weight rises from zero."""
    control_weight: float = Field(3.0, ge=0)
    """How hard the encoder works against the regressor of the controls; 0 turns the adversary off."""
    dependence_weight: float = Field(2.0, ge=0)
    """Of the correlations between the controls and functions of the latent."""
    pitch_weight: float = 0.4
    voicing_weight: float = 0.1
    mel_weight: float = 1.0
    """Of the mel distance while decoder and vocoder learn together."""
    adversarial_weight: float = Field(0.1, ge=0)
    matching_weight: float = Field(0.2, ge=0)
    """Of the distance between the discriminators' features."""
    gradient_clip: float = 1.0
    validations: int = 12
    """How often the held-out recordings are measured."""
    checkpoint_seconds: float = 30.0
    """Most that a killed run loses."""
    vary: str = "auto"
    """Vary sampled notes: auto, on or off."""
    vary_seconds: float = 240.0
