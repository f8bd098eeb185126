"""Settings of a training run of the continuous model."""

from __future__ import annotations

from pydantic import Field

from vqsynth.training.settings import RunSettings


class WavaeSettings(RunSettings):
    """Everything that decides a run besides the model's own configuration."""

    vae_at: float = Field(0.3, ge=0, le=1)
    """Share of the run after which the vocoder rests and the VAE learns."""
    adversary_at: float = Field(0.75, ge=0, le=1)
    """Share after which decoder and vocoder learn against discriminators."""
    batch_size: int = Field(8, ge=1)
    vae_batch_size: int = Field(24, ge=1)
    adversarial_batch_size: int = Field(4, ge=1)
    segment_frames: int = Field(48, ge=8, multiple_of=2)
    """Mel frames of a training segment (48 are 0.56 s)."""
    discriminator_rate: float = Field(5e-4, gt=0)
    kl_weight: float = Field(0.2, ge=0)
    """1 is the evidence lower bound; less keeps more detail."""
    kl_warmup: float = Field(0.3, ge=0, le=1)
    """Share of the VAE's phase over which the KL weight rises from zero."""
    control_weight: float = Field(3.0, ge=0)
    """How hard the encoder works against the regressor of the controls; 0 turns the adversary off."""
    dependence_weight: float = Field(2.0, ge=0)
    """Of the correlations between the controls and functions of the latent."""
    pitch_weight: float = Field(0.4, ge=0)
    voicing_weight: float = Field(0.1, ge=0)
    mel_weight: float = Field(1.0, ge=0)
    """Of the mel distance while decoder and vocoder learn together."""
    adversarial_weight: float = Field(0.1, ge=0)
    matching_weight: float = Field(0.2, ge=0)
    """Of the distance between the discriminators' features."""
