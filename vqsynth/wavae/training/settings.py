"""Settings of a training run of the continuous model."""

from __future__ import annotations

from pydantic import Field

from vqsynth.training.settings import RunSettings


class WavaeSettings(RunSettings):
    """Everything that decides a run besides the model's own configuration."""

    start_from: str | None = None
    """Folder of the model whose weights the run starts from."""
    start_sources: tuple[str, ...] | None = None
    """What that model was trained on, with licences."""
    vae_at: float = Field(0.3, ge=0, le=1)
    """Share of the run after which the vocoder rests and the VAE learns."""
    joint_at: float = Field(0.65, ge=0, le=1)
    """Share after which the encoder rests, and decoder and vocoder learn together, the decoder against a critic."""
    ensembles: tuple[str, ...] = ("*section*", "*ensemble*", "*choir*", "*chord*")
    """Names of recordings of many voices, which have no single pitch."""
    chords: float = Field(0.5, ge=0, le=1)
    """Share of the segments that are mixed to chords."""
    speed: float = Field(4.0, ge=0, le=24)
    """Most semitones by which a segment is played faster or slower."""
    tones: float = Field(0.05, ge=0, le=1)
    """Share of the voices that are made tones, pure or bright."""
    batch_size: int = Field(8, ge=1)
    vae_batch_size: int = Field(24, ge=1)
    joint_batch_size: int = Field(8, ge=1)
    segment_frames: int = Field(48, ge=8, multiple_of=2)
    """Mel frames of a training segment (48 are 0.56 s)."""
    critic_rate: float = Field(5e-4, gt=0)
    kl_weight: float = Field(0.1, ge=0)
    """1 is the evidence lower bound; less keeps more detail."""
    memory: float = Field(0.9, ge=0, lt=1)
    """How much of a latent frame the prior expects in the next one, 23 ms later: latents are curves to be drawn."""
    kl_warmup: float = Field(0.3, ge=0, le=1)
    """Share of the VAE's phase over which the KL weight rises from zero."""
    control_weight: float = Field(3.0, ge=0)
    """How hard the encoder works against the regressor of the controls; 0 turns the adversary off."""
    dependence_weight: float = Field(0.3, ge=0)
    """Of the correlations between the controls and functions of the latent."""
    stretched_weight: float = Field(1.0, ge=0)
    """Of paths drawn out in time."""
    contrast_weight: float = Field(1.0, ge=0)
    """Of what sets bands apart from their neighbours, where partials lie."""
    salience_weight: float = Field(0.1, ge=0)
    """Of the pitches that the vocoder reads from decoded frames."""
    pitch_weight: float = Field(0.2, ge=0)
    voicing_weight: float = Field(0.2, ge=0)
    adversarial_weight: float = Field(0.02, ge=0)
    matching_weight: float = Field(0.3, ge=0)
    """Of the distance between the critic's features."""
