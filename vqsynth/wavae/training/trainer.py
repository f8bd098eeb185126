"""Training of the continuous model: vocoder, then VAE, then decoder and vocoder together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vqsynth.dsp.losses import multi_resolution_stft, pitch_losses
from vqsynth.training.discriminator import discriminator_loss, generator_losses
from vqsynth.training.phases import Moment, Phase, cosine, warm_up
from vqsynth.training.prepared import Prepared
from vqsynth.training.trainer import Preview, Trainer
from vqsynth.wavae.network.config import STRIDE
from vqsynth.wavae.network.model import Wavae
from vqsynth.wavae.network.vae import start_details
from vqsynth.wavae.training import objective
from vqsynth.wavae.training.adversary import Regressor, with_average
from vqsynth.wavae.training.critic import Critic
from vqsynth.wavae.training.material.disguise import disguise
from vqsynth.wavae.training.material.mixtures import Mixtures
from vqsynth.wavae.training.objective import AnalyzedBatch
from vqsynth.wavae.training.settings import WavaeSettings

RATE_FLOOR = 0.03
"""Share of the learning rate that is left at the end of a phase."""
DETAIL_BATCHES, WATCHED_BATCHES = 40, 48
"""Batches that the linear maps of the details are found from, and that the regressor begins with."""
LONGEST = 8.0
"""How many times longer a path is drawn out at most."""
REGRESSOR_STEPS, REGRESSOR_FRAMES = 4, 1024
"""Steps of the regressor after each step of the VAE, and the frames of each."""


VOICING = 2.0
"""Weight of the reader's voicing beside its pitch."""


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
        size = settings.segment_frames, config.hop_length
        margin, many = config.n_fft // 2, settings.ensembles
        self.segments = Mixtures(corpus, *size, False, margin, many, settings.chords, settings.speed, settings.tones)
        self.unheard = held_out = Mixtures(corpus, *size, True, margin, many)
        super().__init__(settings, folder, held_out, device)
        self.model = model.to(device)
        self.regressor = Regressor(2 * config.latent_dim, len(config.controls) - 1).to(device)
        self.critic = Critic().to(device)

        def adam(rate: float, *modules: nn.Module) -> torch.optim.Optimizer:
            parameters = [p for module in modules for p in module.parameters()]
            return torch.optim.AdamW(parameters, rate, betas=(0.8, 0.95), weight_decay=0.01)

        rate = settings.learning_rate
        optimizers = {
            "vocoder_adam": adam(rate, model.vocoder),
            "reader_adam": adam(rate, model.reader),
            "vae_adam": adam(rate, model.encoder, model.decoder),
            "regressor_adam": adam(rate, self.regressor),
            "joint_adam": adam(rate / 2, model.decoder, model.vocoder),
            "critic_adam": adam(settings.critic_rate, self.critic),
        }
        self.set_phases(optimizers, self._phases(settings))

    def _phases(self, settings: WavaeSettings) -> list[Phase]:
        fall = cosine(settings.warmup_steps, RATE_FLOOR)
        frames = {"tonality": 1.0, "spectrum": 1.0, "salience": 0.5, "noise": 0.5, "harmonics": 1.0}
        pitch = {"pitch": settings.pitch_weight, "voicing": settings.voicing_weight}
        return [
            # The phases measure different things: the last one is judged.
            Phase(
                "vocoder",
                0.0,
                self._vocoder_step,
                {"vocoder_adam": fall, "reader_adam": fall},
                weights=frames,
                judged=False,
                usable=False,
            ),
            Phase(
                "vae",
                settings.vae_at,
                self._vae_step,
                {"vae_adam": fall, "regressor_adam": warm_up(settings.warmup_steps)},
                weights={
                    "mel": 1.0,
                    "kl": settings.kl_weight / (STRIDE * self.model.config.n_mels),
                    "dependence": settings.dependence_weight,
                    "stretched": settings.stretched_weight,
                    "contrast": settings.contrast_weight,
                    "salience": settings.salience_weight,
                    **pitch,
                },
                # The reader only passes gradients on.
                frozen=[self.model.vocoder, self.model.reader],
                start=self._begin_vae,
                judged=False,
            ),
            Phase(
                "joint",
                settings.joint_at,
                self._joint_step,
                {"joint_adam": fall, "critic_adam": fall},
                weights={
                    **frames,
                    "mel": 1.0,
                    "stretched": settings.stretched_weight,
                    "adversarial": settings.adversarial_weight,
                    "matching": settings.matching_weight,
                },
                frozen=[self.model.encoder, self.model.reader],
            ),
        ]

    def modules(self) -> Mapping[str, nn.Module]:
        return {"model": self.model, "regressor": self.regressor, "critic": self.critic}

    def _draw(
        self,
        segments: Mixtures,
        size: int,
        random: np.random.Generator,
        generator: torch.Generator | None = None,
    ) -> AnalyzedBatch:
        raw = {name: tensor.to(self.device) for name, tensor in segments.draw(size, random).items()}
        return objective.analyze_batch(self.model, raw, generator)

    @torch.no_grad()
    def _begin_vae(self, moment: Moment) -> None:
        """Details that have learned nothing yet begin with what the other latents lack."""
        model = self.model
        if model.decoder.direct.weight.any():
            self._watch(moment)
            return
        mel: list[Tensor] = []
        missing: list[Tensor] = []
        for _ in range(DETAIL_BATCHES):
            batch = self._draw(self.segments, self.settings.vae_batch_size, moment.random, moment.generator)
            decoded = objective.decode_batch(model, objective.encode_batch(model, batch)[0], batch)
            free = batch.latent_active & (batch.controls[..., 2] == 0)
            for kept, frames in ((mel, batch.mel), (missing, batch.mel - decoded)):
                kept.append(frames.unflatten(1, (-1, STRIDE)).flatten(2)[free])
        pairs = torch.cat(mel)
        if len(pairs) > pairs.shape[1]:
            start_details(model.encoder, model.decoder, pairs, torch.cat(missing))

    def _watch(self, moment: Moment) -> None:
        """What latents tell already is known to the regressor before they change."""
        optimizer = self.optimizers["regressor_adam"]
        for _ in range(WATCHED_BATCHES):
            batch = self._draw(self.segments, self.settings.vae_batch_size, moment.random, moment.generator)
            told, controls, known = self._told(objective.encode_batch(self.model, batch)[0], batch)
            self.regressor.add_to_memory(told, controls, known)
            for _ in range(2 * REGRESSOR_STEPS):
                optimizer.zero_grad()
                with torch.enable_grad():
                    self.regressor.regression_loss(REGRESSOR_FRAMES, moment.generator).backward()
                optimizer.step()

    @staticmethod
    def _told(latents: Tensor, batch: AnalyzedBatch) -> tuple[Tensor, Tensor, Tensor]:
        """What the regressor reads of heard frames; their controls; how far these must not be told."""
        active = batch.latent_active
        plain = batch.plain[:, STRIDE - 1 :: STRIDE][active]
        return with_average(latents)[active], *objective.told_controls(batch.controls[active], plain)

    def _vocoder_step(self, moment: Moment) -> dict[str, Tensor]:
        batch = self._draw(self.segments, self.settings.batch_size, moment.random, moment.generator)
        losses = objective.vocoder_losses(self.model, batch.mel, batch)
        self.update(moment.phase.total(losses), "vocoder_adam", moment)
        # One that was taken over has heard more than these recordings, and keeps it.
        if not self.settings.start_from:
            losses["pitch"], losses["voicing"] = self._reader_losses(batch, moment)
            self.update(losses["pitch"] + VOICING * losses["voicing"], "reader_adam", moment)
        return losses

    def _reader_losses(self, batch: AnalyzedBatch, moment: Moment) -> tuple[Tensor, Tensor]:
        config = self.model.config
        with torch.no_grad():
            audio, f0, active = disguise(batch.audio, batch.f0, batch.active, config.sample_rate, moment.random)
            mel, _ = self.model.analysis(audio)
        return pitch_losses(*self.model.reader.logits(mel), f0, active)

    def _vae_step(self, moment: Moment) -> dict[str, Tensor]:
        model, settings, generator = self.model, self.settings, moment.generator
        batch = self._draw(self.segments, settings.vae_batch_size, moment.random, generator)
        mean, log_variance = objective.encode_batch(model, batch)
        noise = torch.randn(mean.shape, generator=generator).to(mean)
        latents = mean + torch.exp(0.5 * log_variance) * noise
        mel = objective.decode_batch(model, latents, batch)
        active = batch.latent_active
        # Half sampled, half means: neither may tell.
        pick = torch.rand(mean.shape[:2], generator=generator).to(mean)[..., None] < 0.5
        told, controls, known = self._told(torch.where(pick, mean, latents), batch)
        # What is taken out at once is never learned: first what there is, then what is left without the controls.
        rise = 1.0 if settings.start_from else min(1.0, 2 * moment.done)
        control, predicted = self.regressor(told, controls, known, rise * settings.control_weight)
        pitch, voicing = pitch_losses(*model.reader.logits(mel), batch.f0, batch.active)
        losses = {
            "mel": objective.gaussian_likelihood(mel, batch.mel, batch.active),
            "kl": objective.divergence(mean, log_variance, active, settings.memory),
            "stretched": self._stretched_loss(mean, batch, moment.random),
            "contrast": objective.contrast_loss(mel, batch),
            "salience": objective.salience_loss(model, mel, batch),
            "pitch": pitch,
            "voicing": voicing,
            "r2": torch.tensor(predicted[0]),
            "pitch_r2": torch.tensor(predicted[1]),
        }
        if settings.dependence_weight and int(self.regressor.count):
            # The few notes of a batch always correlate with something: of pitch only the regressor's memory can tell.
            measured = known.clone()
            measured[:, 1] = 0
            losses["dependence"] = self.regressor.dependence(told, controls, measured, generator)
        warm = min(1.0, moment.done / settings.kl_warmup) if settings.kl_warmup else 1.0
        total = moment.phase.total(losses, {"kl": warm, "dependence": rise})
        self.update(total + control, "vae_adam", moment)
        self.regressor.add_to_memory(told.detach(), controls, known)
        for _ in range(REGRESSOR_STEPS):
            self.update(self.regressor.regression_loss(REGRESSOR_FRAMES, generator), "regressor_adam", moment)
        return losses

    def _stretched_loss(self, latents: Tensor, batch: AnalyzedBatch, random: np.random.Generator) -> Tensor:
        factor, start = float(random.uniform(2.0, LONGEST)), float(random.random())
        return objective.stretched_loss(self.model, latents, batch, factor, start)

    def _joint_step(self, moment: Moment) -> dict[str, Tensor]:
        model = self.model
        batch = self._draw(self.segments, self.settings.joint_batch_size, moment.random, moment.generator)
        with torch.no_grad():
            latents, _ = objective.encode_batch(model, batch)
        mel = objective.decode_batch(model, latents, batch)
        wrong = discriminator_loss(self.critic(batch.mel), self.critic(mel.detach()))
        self.update(wrong, "critic_adam", moment)
        losses = objective.vocoder_losses(model, mel, batch)
        losses["mel"] = objective.gaussian_likelihood(mel, batch.mel, batch.active)
        losses["stretched"] = self._stretched_loss(latents, batch, moment.random)
        with torch.no_grad():
            features = self.critic(batch.mel)
        losses["adversarial"], losses["matching"] = generator_losses(features, self.critic(mel))
        self.update(moment.phase.total(losses), "joint_adam", moment)
        losses["critic"] = wrong
        return losses

    def validation_batch(self, random: np.random.Generator, generator: torch.Generator) -> tuple[Tensor, Preview]:
        """Through the VAE once it learns."""
        batch, model = self._draw(self.unheard, self.settings.batch_size, random), self.model
        mel = batch.mel
        if self.phase.usable:
            mel = objective.decode_batch(model, objective.encode_batch(model, batch)[0], batch)
        stream = model.stream().to(self.device)
        stream.reset(len(mel))
        sound = stream.sound(mel, batch.curves)
        half, late = model.config.n_fft // 2, stream.synthesizer.latency
        end = (mel.shape[1] - 1) * model.config.hop_length
        output, target = sound[:, late:], batch.audio[:, half : half + end]
        length = min(output.shape[1], target.shape[1])
        output, target = output[:, :length], target[:, :length]
        return multi_resolution_stft(output, target), (target, output)
