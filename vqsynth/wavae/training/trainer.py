"""Training of the continuous model: vocoder, then VAE, then decoder and vocoder against discriminators."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vqsynth.training.discriminator import Discriminator, discriminator_loss, generator_losses
from vqsynth.training.phases import Moment, Phase, cosine, warm_up
from vqsynth.training.prepared import Prepared
from vqsynth.training.segments import Segments
from vqsynth.training.trainer import Preview, Trainer
from vqsynth.wavae.network.analysis import scale_controls
from vqsynth.wavae.network.config import STRIDE
from vqsynth.wavae.network.model import Wavae
from vqsynth.wavae.training import objective
from vqsynth.wavae.training.adversary import Regressor
from vqsynth.wavae.training.objective import AnalyzedBatch
from vqsynth.wavae.training.settings import WavaeSettings

RATE_FLOOR = 0.03
"""Share of the learning rate that is left at the end of a phase."""
REGRESSOR_STEPS, REGRESSOR_FRAMES = 4, 1024
"""Steps of the regressor after each step of the VAE, and the frames of each."""
DISCRIMINATOR_SAMPLES = 8192
"""Length of the part of each segment that the discriminators hear."""


class WavaeTrainer(Trainer):
    """Trains one model on one prepared corpus.

    Args:
        model: with its first weights.
        corpus: to train on.
        settings: of the run.
        folder: where the checkpoint lives.
        device: to train on.
    """

    VALIDATION_BATCHES = 2

    settings: WavaeSettings

    def __init__(
        self, model: Wavae, corpus: Prepared, settings: WavaeSettings, folder: Path, device: str = "cpu"
    ) -> None:
        config = model.config
        self.segments, held_out = (
            Segments(corpus, settings.segment_frames, config.hop_length, held_out, config.n_fft // 2)
            for held_out in (False, True)
        )
        super().__init__(settings, folder, held_out, device)
        self.model = model.to(device)
        self.regressor = Regressor(config.latent_dim, len(config.controls)).to(device)
        self.discriminator = Discriminator().to(device)

        def adam(rate: float, *modules: nn.Module) -> torch.optim.Optimizer:
            parameters = [p for module in modules for p in module.parameters()]
            return torch.optim.AdamW(parameters, rate, betas=(0.8, 0.95), weight_decay=0.01)

        rate = settings.learning_rate
        optimizers = {
            "vocoder_adam": adam(rate, model.vocoder),
            "vae_adam": adam(rate, model.encoder, model.decoder),
            "regressor_adam": adam(rate, self.regressor),
            "joint_adam": adam(rate / 3, model.decoder, model.vocoder),
            "discriminator_adam": adam(settings.discriminator_rate, self.discriminator),
        }
        self.set_phases(optimizers, self._phases(settings))

    def _phases(self, settings: WavaeSettings) -> list[Phase]:
        fall = cosine(settings.warmup_steps, RATE_FLOOR)
        sound = {"spectral": 1.0, "pitch": settings.pitch_weight, "voicing": settings.voicing_weight}
        return [
            # The phases measure different things: the last one is judged.
            Phase(
                "vocoder", 0.0, self._vocoder_step, {"vocoder_adam": fall}, weights=sound, judged=False, usable=False
            ),
            Phase(
                "vae",
                settings.vae_at,
                self._vae_step,
                {"vae_adam": fall, "regressor_adam": warm_up(settings.warmup_steps)},
                weights={
                    "mel": 1.0,
                    "kl": settings.kl_weight / (STRIDE * self.model.config.n_mels),
                    "pitch": settings.pitch_weight,
                    "voicing": settings.voicing_weight,
                    "dependence": settings.dependence_weight,
                },
                # The vocoder only passes gradients on.
                frozen=[self.model.vocoder],
                judged=False,
            ),
            Phase(
                "adversarial",
                settings.adversary_at,
                self._adversarial_step,
                {"joint_adam": fall, "discriminator_adam": fall},
                weights={
                    **sound,
                    "mel": settings.mel_weight,
                    "adversarial": settings.adversarial_weight,
                    "matching": settings.matching_weight,
                },
            ),
        ]

    def modules(self) -> Mapping[str, nn.Module]:
        return {"model": self.model, "regressor": self.regressor, "discriminator": self.discriminator}

    def _draw(self, segments: Segments, size: int, random: np.random.Generator) -> AnalyzedBatch:
        raw = {name: tensor.to(self.device) for name, tensor in segments.draw(size, random).items()}
        return objective.analyze_batch(self.model, raw)

    def _vocoder_step(self, moment: Moment) -> dict[str, Tensor]:
        batch = self._draw(self.segments, self.settings.batch_size, moment.random)
        losses, _ = objective.vocoder_losses(self.model, batch.mel, batch, moment.generator)
        self.update(moment.phase.total(losses), "vocoder_adam", moment)
        return losses

    def _vae_step(self, moment: Moment) -> dict[str, Tensor]:
        model, settings, generator = self.model, self.settings, moment.generator
        batch = self._draw(self.segments, settings.vae_batch_size, moment.random)
        mean, log_variance = model.encoder(batch.mel)
        noise = torch.randn(mean.shape, generator=generator).to(mean)
        latents = mean + torch.exp(0.5 * log_variance) * noise
        mel = objective.decode_batch(model, latents, batch)
        active = batch.latent_active
        pitch, voicing = objective.pitch_losses(
            *model.vocoder.filters.pitch(model.vocoder(mel)), batch.f0, batch.active
        )
        kl = objective.divergence(mean, log_variance, active)
        # Half sampled, half means: neither may tell.
        pick = torch.rand(mean.shape[:2], generator=generator).to(mean)[..., None] < 0.5
        told = torch.where(pick, mean, latents)
        told, controls = told[active], scale_controls(batch.controls)[active]
        control, predicted = self.regressor(told, controls, settings.control_weight)
        losses = {
            "mel": objective.gaussian_likelihood(mel, batch.mel, batch.active),
            "pitch": pitch,
            "voicing": voicing,
            "kl": kl,
            "r2": torch.tensor(predicted),
        }
        if settings.dependence_weight and int(self.regressor.count):
            losses["dependence"] = self.regressor.dependence(told, controls, generator)
        warm = min(1.0, moment.done / settings.kl_warmup) if settings.kl_warmup else 1.0
        total = moment.phase.total(losses, {"kl": warm})
        self.update(total + control, "vae_adam", moment)
        self.regressor.add_to_memory(told.detach(), controls)
        for _ in range(REGRESSOR_STEPS):
            self.update(self.regressor.regression_loss(REGRESSOR_FRAMES, generator), "regressor_adam", moment)
        return losses

    def _adversarial_step(self, moment: Moment) -> dict[str, Tensor]:
        model = self.model
        batch = self._draw(self.segments, self.settings.adversarial_batch_size, moment.random)
        with torch.no_grad():
            latents, _ = model.encoder(batch.mel)
        mel = objective.decode_batch(model, latents, batch)
        losses, audio = objective.vocoder_losses(model, mel, batch, moment.generator)
        losses["mel"] = objective.gaussian_likelihood(mel, batch.mel, batch.active)
        # Discriminators hear a part of each segment, at one level.
        length = min(audio.shape[1], DISCRIMINATOR_SAMPLES)
        first = int(moment.random.integers(0, audio.shape[1] - length + 1))
        real, fake = (signal[:, first : first + length] for signal in (batch.audio, audio))
        level = real.square().mean(1, keepdim=True).sqrt().clamp_min(1e-3) * 5
        real, fake = real / level, fake / level
        wrong = discriminator_loss(self.discriminator(real), self.discriminator(fake.detach()))
        self.update(wrong, "discriminator_adam", moment)
        with torch.no_grad():
            features = self.discriminator(real)
        losses["adversarial"], losses["matching"] = generator_losses(features, self.discriminator(fake))
        self.update(moment.phase.total(losses), "joint_adam", moment)
        losses["discriminator"] = wrong
        return losses

    def validation_batch(self, random: np.random.Generator, generator: torch.Generator) -> tuple[Tensor, Preview]:
        """Through the VAE once it learns."""
        batch = self._draw(self.held_out, self.settings.batch_size, random)
        mel = batch.mel
        if self.phase.usable:
            mel = objective.decode_batch(self.model, self.model.encoder(mel)[0], batch)
        losses, audio = objective.vocoder_losses(self.model, mel, batch, generator)
        return losses["spectral"], (batch.audio, audio)
