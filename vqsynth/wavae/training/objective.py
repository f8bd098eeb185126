"""The losses: what the vocoder says of frames against what they are made of, and those of the VAE."""

from __future__ import annotations

import dataclasses
import math

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, max_pool1d

from vqsynth.dsp.losses import weighted_mean
from vqsynth.dsp.loudness import gain_of_loudness
from vqsynth.dsp.mel import mel_filters
from vqsynth.dsp.pitch import encode_f0
from vqsynth.training.segments import fill_f0
from vqsynth.wavae.network.analysis import between_latents, scale_controls
from vqsynth.wavae.network.config import STRIDE
from vqsynth.wavae.network.model import Wavae
from vqsynth.wavae.training.tonal import find_partials, harmonic_distance, noise_between

FREE, FAINT = 0.2, 0.1
"""Shares of the segments whose pitch is left to the latents, and whose pitch is told in part."""
SALIENCE_SIGMA = 0.8
"""Half semitones that a pitch is blurred by in the map of salience."""
QUIETEST = -6.5
"""Natural logarithm of the faintest magnitude, relative to the frame's loudness, that the map of partials tells."""


@dataclasses.dataclass
class AnalyzedBatch:
    """Segments with the model's own analysis of them.

    Shape:
        audio: [batch, (frames - 1) * hop_length + n_fft]
        mel: [batch, frames, n_mels]
        loudness: [batch, frames] dB
        f0: [batch, frames] Hz, 0 where there is no single pitch
        pitches: [batch, frames, voices] Hz of all voices, 0 where there is none
        voicing: [batch, frames] 0..1, what the model is told
        controls: [batch, frames // 2, n_controls]
        curves: [batch, frames, 3] as the decoder reads them
        active: [batch, frames] bool
    """

    audio: Tensor
    mel: Tensor
    loudness: Tensor
    f0: Tensor
    pitches: Tensor
    voicing: Tensor
    controls: Tensor
    curves: Tensor
    active: Tensor

    @property
    def latent_active(self) -> Tensor:
        """Shape: [batch, frames // 2] bool."""
        return self.active[:, STRIDE - 1 :: STRIDE]


@torch.no_grad()
def analyze_batch(model: Wavae, raw: dict[str, Tensor], generator: torch.Generator | None = None) -> AnalyzedBatch:
    """Bring drawn segments (with a margin of half a frame) to what the losses read.

    Args:
        model: whose analysis it is.
        raw: of :class:`~vqsynth.wavae.training.mixtures.Mixtures`.
        generator: chooses the segments whose pitch is not told, or in part; None tells all.
    """
    mel, descriptors = model.analysis(raw["audio"])
    f0 = raw["f0"]
    told = torch.ones(len(f0), 1)
    if generator is not None:
        draw, part = torch.rand(2, len(f0), 1, generator=generator)
        told = torch.where(draw < FREE, 0.0, torch.where(draw < FREE + FAINT, part, 1.0))
    voicing = (f0 > 0) * told.to(f0)
    pitch = fill_f0(f0.cpu()).to(f0)
    parts = [descriptors[..., :1], pitch[..., None], voicing[..., None], descriptors[..., 1:]]
    controls = torch.cat(parts, -1)[:, STRIDE - 1 :: STRIDE]
    known = model.known(controls)
    loudness = descriptors[..., 0]
    active = raw["active"] & (loudness > loudness.amax(1, keepdim=True) - 55)
    curves = between_latents(known, known[:, :1], STRIDE)
    return AnalyzedBatch(raw["audio"], mel, loudness, f0, raw["pitches"], voicing, controls, curves, active)


def vocoder_losses(model: Wavae, mel: Tensor, batch: AnalyzedBatch) -> dict[str, Tensor]:
    """What the vocoder says of ``mel`` [batch, frames, n_mels], against the recording's own frames.

    The fine spectrum learns magnitude and tonality of every cell, the salience all pitches; the two filters the levels
    of the harmonics and of the noise between them, where either can be told from the other.
    """
    config = model.config
    with torch.no_grad():
        partials = find_partials(batch.audio, config.sample_rate, config.n_fft, config.cells)
        bands, long_bands = (
            mel_filters(config.sample_rate, size, config.n_noise_bands, fmax=config.sample_rate / 2).to(mel)
            for size in (config.n_fft, 2 * config.n_fft)
        )
        noise, known = noise_between(batch.audio, partials, batch.f0, long_bands, config.sample_rate)
        level = torch.log(gain_of_loudness(batch.loudness).clamp_min(1e-5))[..., None]
        spectrum = torch.log(partials.magnitude) - level
        total = partials.magnitude.square() @ bands
        noise = torch.log(torch.where(known, noise, total) + 1e-10) - 2 * level
    outputs, features = model.vocoder(mel, model.features(batch.curves))
    filters = model.vocoder.filters
    harmonic, noise_filter = filters.harmonic_log(outputs), filters.noise_log(outputs) @ bands
    strength, tonality = model.vocoder.spectrum(mel, features)
    active = batch.active[..., None]
    losses = {}
    target = spectrum[..., : config.cells].clamp_min(QUIETEST)
    loud = ((target + 5) / 6).clamp(0.1, 1.5) * active
    tonal = max_pool1d(partials.present.float(), 3, 1, 1)
    wrong = binary_cross_entropy_with_logits(tonality, tonal, reduction="none")
    losses["tonality"] = weighted_mean(wrong, loud)
    losses["spectrum"] = weighted_mean((strength - target).abs(), (0.15 + tonal) * loud)
    losses["salience"] = _salience_loss(model.vocoder.salience(features), batch)
    heard = noise_filter + 0.5 * math.log(model.synthesizer.law.noise_power)
    error = heard - 0.5 * noise
    losses["noise"] = weighted_mean(torch.where(known, error.abs(), error.clamp_min(0.0)), active.expand_as(error))
    losses["harmonics"] = _harmonic_loss(model, harmonic, batch, spectrum, noise, known, bands)
    return losses


def _salience_loss(salience: Tensor, batch: AnalyzedBatch) -> Tensor:
    """Cross-entropy a pitch of the map of salience with the pitches of all voices that were mixed."""
    with torch.no_grad():
        target = encode_f0(batch.pitches, salience.shape[-1], SALIENCE_SIGMA).amax(2)
    wrong = binary_cross_entropy_with_logits(salience, target, reduction="none").sum(-1)
    return weighted_mean(wrong, batch.active) / 4


def _harmonic_loss(
    model: Wavae,
    harmonic: Tensor,
    batch: AnalyzedBatch,
    spectrum: Tensor,
    noise: Tensor,
    known: Tensor,
    bands: Tensor,
) -> Tensor:
    """Distance of the pulses' level at the harmonics from the recording's, without the noise that is in it."""
    config = model.config
    sung = (batch.voicing > 0) & batch.active
    if not sung.any():
        return harmonic.sum() * 0
    with torch.no_grad():
        pitch = fill_f0(batch.f0.cpu()).to(batch.f0)
        pulses = torch.log(model.synthesizer.spectra_of_pulses(pitch).abs() + 1e-6)
        frequency = torch.arange(spectrum.shape[-1]).to(spectrum) * config.sample_rate / config.n_fft
        distance, number = harmonic_distance(frequency, batch.f0)
        near = (number > 0) & (distance < 0.6 * config.sample_rate / config.n_fft) & sung[..., None]
        spread = (bands / bands.sum(1, keepdim=True).clamp_min(1e-9)).T
        certain = known.float() @ spread > 0.5
        floor = torch.exp(noise) @ spread * certain
        power = torch.exp(2 * spectrum)
        target = 0.5 * torch.log(torch.maximum(power - floor, 0.05 * torch.where(certain, floor, power)))
        told = certain | (frequency < 4000)
        loud = ((target + 5) / 8).clamp(0.1, 1.5) * near
    error = harmonic + pulses - target
    # Where harmonics and noise cannot be told apart, neither is louder than both.
    return weighted_mean(torch.where(told, error.abs(), error.clamp_min(0.0)), loud)


def told_controls(controls: Tensor) -> tuple[Tensor, Tensor]:
    """Controls as the adversary reads them, and how far each is told and so must not be in the latent.

    Shape:
        [frames, n_controls] -> scaled loudness, pitch (and centroid), weights 0..1: 2 x [frames, n_controls - 1]
    """
    plain = scale_controls(controls)
    pitch = torch.log2(controls[:, 1:2] / 440) / 1.5
    # Told in part, a pitch may be in the latent in part.
    known = [torch.ones_like(pitch), (controls[:, 2:3] > 0.99).to(pitch), torch.ones_like(controls[:, 3:])]
    return torch.cat([plain[:, :1], pitch, plain[:, 1:]], 1), torch.cat(known, 1)


def gaussian_likelihood(mel: Tensor, target: Tensor, active: Tensor) -> Tensor:
    """Negative log-likelihood a band under a Gaussian whose variance is the best one for this batch.

    Rybkin, Daniilidis & Levine (2021), Simple and effective VAE training with calibrated decoders, eq. 8.
    Shape: [batch, frames, n_mels] -> []
    """
    error = (mel - target).square().mean(-1)
    return 0.5 * torch.log(weighted_mean(error, active) + 1e-5)


def divergence(mean: Tensor, log_variance: Tensor, active: Tensor) -> Tensor:
    """KL divergence from the standard Gaussian, nats a latent frame (Kingma & Welling 2014, appendix B)."""
    return weighted_mean(0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1), active)


def encode_batch(model: Wavae, batch: AnalyzedBatch) -> tuple[Tensor, Tensor]:
    """Posterior of the batch: mean and log-variance, 2 x [batch, frames // 2, latent_dim]."""
    return model.encoder(batch.mel, model.features(batch.curves))


def decode_batch(model: Wavae, latents: Tensor, batch: AnalyzedBatch) -> Tensor:
    """Mel frames of latents under the batch's own controls."""
    return model.decoder(latents, scale_controls(batch.controls), model.features(batch.curves))
