"""Training of the continuous model: vocoder, then VAE, then decoder and vocoder against discriminators."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vqsynth.training.discriminator import Discriminator, discriminator_loss, generator_losses
from vqsynth.training.loop import Loop
from vqsynth.training.prepare import Prepared
from vqsynth.training.segments import Segments
from vqsynth.wavae.network.analysis import scale_controls
from vqsynth.wavae.network.config import STRIDE
from vqsynth.wavae.network.model import Wavae
from vqsynth.wavae.training import objective
from vqsynth.wavae.training.adversary import Regressor
from vqsynth.wavae.training.objective import AnalyzedBatch
from vqsynth.wavae.training.settings import WavaeSettings

PHASES = ("vocoder", "vae", "adversarial")
REGRESSOR_STEPS, REGRESSOR_FRAMES = 4, 1024
"""Steps of the regressor after each step of the VAE, and the frames of each."""


class WavaeTrainer(Loop):
    """Trains one model on one prepared corpus."""

    def __init__(
        self, model: Wavae, corpus: Prepared, settings: WavaeSettings, folder: Path, device: str = "cpu"
    ) -> None:
        super().__init__(settings, folder, device)
        self.model = model.to(device)
        config = model.config
        self.segments, self.held_out = (
            Segments(corpus, settings.segment_frames, config.hop_length, held_out, config.n_fft // 2)
            for held_out in (False, True)
        )
        self.regressor = Regressor(config.latent_dim, len(config.controls)).to(device)
        self.discriminator = Discriminator().to(device)

        def adam(rate: float, *modules: torch.nn.Module) -> torch.optim.Optimizer:
            parameters = [p for module in modules for p in module.parameters()]
            return torch.optim.AdamW(parameters, rate, betas=(0.8, 0.95), weight_decay=0.01)

        rate = settings.learning_rate
        self.optimizers = {
            "vocoder_adam": adam(rate, model.vocoder),
            "vae_adam": adam(rate, model.encoder, model.decoder),
            "regressor_adam": adam(rate, self.regressor),
            "joint_adam": adam(rate / 3, model.decoder, model.vocoder),
            "discriminator_adam": adam(settings.discriminator_rate, self.discriminator),
        }
        self.rates = {name: optimizer.param_groups[0]["lr"] for name, optimizer in self.optimizers.items()}
        self.phase_before, self.phase_began = PHASES[0], 0

    def state(self) -> tuple[dict, dict, dict]:
        modules = {"model": self.model, "regressor": self.regressor, "discriminator": self.discriminator}
        return modules, self.optimizers, {}

    def progress(self) -> dict:
        return {**super().progress(), "phase_began": self.phase_began, "phase_before": self.phase_before}

    def phase(self) -> tuple[str, float]:
        """Name of the present phase, and its share that is done."""
        share, settings = self.share(), self.settings
        bounds = (0.0, settings.vae_at, settings.adversary_at, 1.0)
        index = min(2, sum(share >= bound for bound in bounds[1:]))
        return PHASES[index], (share - bounds[index]) / max(bounds[index + 1] - bounds[index], 1e-6)

    def judged(self) -> bool:
        # The phases measure different things.
        return self.phase()[0] == PHASES[-1]

    def _update(self, loss: Tensor, names: tuple[str, ...], done: float) -> None:
        rise = min(1.0, (self.number - self.phase_began + 1) / self.settings.warmup_steps)
        chosen = [self.optimizers[name] for name in names]
        for optimizer in chosen:
            optimizer.zero_grad()
        loss.backward()
        for name, optimizer in zip(names, chosen):
            fall = 1.0 if name == "regressor_adam" else 0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * done))
            for group in optimizer.param_groups:
                group["lr"] = self.rates[name] * rise * fall
            torch.nn.utils.clip_grad_norm_(
                [p for group in optimizer.param_groups for p in group["params"]], self.settings.gradient_clip
            )
            optimizer.step()

    def _draw(self, segments: Segments, size: int, random: np.random.Generator) -> AnalyzedBatch:
        raw = {name: tensor.to(self.device) for name, tensor in segments.draw(size, random).items()}
        return objective.analyze_batch(self.model, raw)

    def _weigh(self, losses: dict[str, Tensor]) -> Tensor:
        settings = self.settings
        weights = {
            "spectral": 1.0,
            "pitch": settings.pitch_weight,
            "voicing": settings.voicing_weight,
            "mel": settings.mel_weight,
            "adversarial": settings.adversarial_weight,
            "matching": settings.matching_weight,
        }
        return sum(weights[name] * value for name, value in losses.items() if name in weights)

    def _vocoder_step(self, done: float, random: np.random.Generator, generator: torch.Generator) -> dict[str, Tensor]:
        batch = self._draw(self.segments, self.settings.batch_size, random)
        losses, _ = objective.vocoder_losses(self.model, batch.mel, batch, generator)
        self._update(self._weigh(losses), ("vocoder_adam",), done)
        return losses

    def _vae_step(self, done: float, random: np.random.Generator, generator: torch.Generator) -> dict[str, Tensor]:
        model, settings = self.model, self.settings
        batch = self._draw(self.segments, settings.vae_batch_size, random)
        mean, log_variance = model.encoder(batch.mel)
        noise = torch.randn(mean.shape, generator=generator).to(mean)
        latents = mean + torch.exp(0.5 * log_variance) * noise
        mel = objective.decoded(model, latents, batch)
        active = batch.latent_active
        pitch, voicing = objective.pitch_losses(model, model.vocoder(mel), batch.f0, batch.active)
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
        warm = min(1.0, done / settings.kl_warmup) if settings.kl_warmup else 1.0
        per_band = settings.kl_weight * warm / (STRIDE * model.config.n_mels)
        total = losses["mel"] + per_band * kl + settings.pitch_weight * pitch + settings.voicing_weight * voicing
        if settings.dependence_weight and int(self.regressor.count):
            losses["dependence"] = self.regressor.dependence(told, controls, generator)
            total = total + settings.dependence_weight * losses["dependence"]
        self._update(total + control, ("vae_adam",), done)
        self.regressor.add_to_memory(told.detach(), controls)
        for _ in range(REGRESSOR_STEPS):
            self._update(self.regressor.regression_loss(REGRESSOR_FRAMES, generator), ("regressor_adam",), done)
        return losses

    def _adversarial_step(
        self, done: float, random: np.random.Generator, generator: torch.Generator
    ) -> dict[str, Tensor]:
        model = self.model
        batch = self._draw(self.segments, self.settings.adversarial_batch_size, random)
        with torch.no_grad():
            latents, _ = model.encoder(batch.mel)
        mel = objective.decoded(model, latents, batch)
        losses, audio = objective.vocoder_losses(model, mel, batch, generator)
        losses["mel"] = objective.gaussian_likelihood(mel, batch.mel, batch.active)
        # Discriminators hear a part of each segment, at one level.
        length = min(audio.shape[1], 8192)
        first = int(random.integers(0, audio.shape[1] - length + 1))
        real, fake = (signal[:, first : first + length] for signal in (batch.audio, audio))
        level = real.square().mean(1, keepdim=True).sqrt().clamp_min(1e-3) * 5
        real, fake = real / level, fake / level
        wrong = discriminator_loss(self.discriminator(real), self.discriminator(fake.detach()))
        self._update(wrong, ("discriminator_adam",), done)
        with torch.no_grad():
            features = self.discriminator(real)
        losses["adversarial"], losses["matching"] = generator_losses(features, self.discriminator(fake))
        self._update(self._weigh(losses), ("joint_adam",), done)
        losses["discriminator"] = wrong
        return losses

    def advance(self, share: float) -> tuple[dict[str, Tensor], Callable[[], dict[str, float | str]]]:
        phase, done = self.phase()
        if phase != self.phase_before:
            self.phase_before, self.phase_began = phase, self.number
        step = {"vocoder": self._vocoder_step, "vae": self._vae_step, "adversarial": self._adversarial_step}[phase]
        # While the VAE learns, the vocoder only passes gradients on.
        self.model.vocoder.requires_grad_(phase != "vae")
        random, generator = self.random(1)
        losses = step(done, random, generator)
        return losses, lambda: {"phase": phase}

    @torch.no_grad()
    def validate(self, batches: int = 2) -> tuple[float, tuple[Tensor, Tensor] | None]:
        """Spectral loss on the held-out recordings (through the VAE once it learns); nan without any."""
        if not self.held_out.pieces:
            return math.nan, None
        random = np.random.default_rng(self.settings.seed)
        generator = torch.Generator().manual_seed(self.settings.seed)
        total = 0.0
        for _ in range(batches):
            batch = self._draw(self.held_out, self.settings.batch_size, random)
            mel = batch.mel
            if self.phase()[0] != PHASES[0]:
                mel = objective.decoded(self.model, self.model.encoder(mel)[0], batch)
            losses, audio = objective.vocoder_losses(self.model, mel, batch, generator)
            total += float(losses["spectral"])
        return total / batches, (batch.audio, audio)
