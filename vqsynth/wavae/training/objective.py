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
from vqsynth.wavae.network.analysis import between_latents, contrast, scale_controls
from vqsynth.wavae.network.config import STRIDE
from vqsynth.wavae.network.model import Wavae
from vqsynth.wavae.training.material.tonal import find_partials, harmonic_distance, noise_between

FREE, FAINT = 0.2, 0.1
"""Shares of the segments whose pitch is left to the latents, and whose pitch is told in part."""
PLAIN_DB = 40.0
"""Below the loudest frame of a segment: quieter ones are tails, whose loudness may be told."""
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
        plain: [batch, frames] bool, as recorded and no quiet tail: there the loudness must not be told
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
    plain: Tensor

    @property
    def latent_active(self) -> Tensor:
        """Shape: [batch, frames // 2] bool."""
        return self.active[:, STRIDE - 1 :: STRIDE]


@torch.no_grad()
def analyze_batch(model: Wavae, raw: dict[str, Tensor], generator: torch.Generator | None = None) -> AnalyzedBatch:
    """Bring drawn segments (with a margin of half a frame) to what the losses read.

    Args:
        model: whose analysis it is.
        raw: of :class:`~vqsynth.wavae.training.material.mixtures.Mixtures`.
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
    plain = raw["alone"] & (loudness > loudness.amax(1, keepdim=True) - PLAIN_DB)
    curves = between_latents(known, known[:, :1], STRIDE)
    return AnalyzedBatch(
        raw["audio"], mel, loudness, f0, raw["pitches"], voicing, controls, curves, active, plain & active
    )


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
        noise, known = noise_between(batch.audio, partials, batch.pitches, long_bands, config.sample_rate)
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


def told_controls(controls: Tensor, plain: Tensor) -> tuple[Tensor, Tensor]:
    """Controls as the adversary reads them, and how far each is told and so must not be in the latent.

    The loudness of a chord is that of how it was mixed: it says nothing of a sound, and would hide what does.

    Shape:
        [frames, n_controls], plain [frames] bool -> scaled loudness, pitch (and centroid), weights 0..1:
        2 x [frames, n_controls - 1]
    """
    scaled = scale_controls(controls)
    pitch = torch.log2(controls[:, 1:2] / 440) / 1.5
    # Told in part, a pitch may be in the latent in part.
    known = [plain[:, None].to(pitch), (controls[:, 2:3] > 0.99).to(pitch), torch.ones_like(controls[:, 3:])]
    return torch.cat([scaled[:, :1], pitch, scaled[:, 1:]], 1), torch.cat(known, 1)


def gaussian_likelihood(mel: Tensor, target: Tensor, active: Tensor) -> Tensor:
    """Negative log-likelihood a band under a Gaussian whose variance is the best one for this batch.

    Rybkin, Daniilidis & Levine (2021), Simple and effective VAE training with calibrated decoders, eq. 8.
    Shape: [batch, frames, n_mels] -> []
    """
    error = (mel - target).square().mean(-1)
    return 0.5 * torch.log(weighted_mean(error, active) + 1e-5)


def stretched_loss(model: Wavae, latents: Tensor, batch: AnalyzedBatch, factor: float, start: float) -> Tensor:
    """Likelihood of a part of the batch drawn out in time: latents on lines between frames must sound so, too.

    Otherwise nothing keeps a code from jumping from frame to frame, and a path that is held or drawn out flutters.

    Args:
        model: that decodes.
        latents: of the batch, [batch, frames // 2, latent_dim].
        batch: what they were encoded from.
        factor: how much longer it becomes, above 1.
        start: share of what is not heard that lies before the part, 0..1.
    """
    count = latents.shape[1]
    start *= (count - 1) * (1 - 1 / factor)
    position = torch.arange(count, device=latents.device) / factor + start
    fine = (torch.arange(STRIDE * count, device=latents.device) - (STRIDE - 1)) / factor + STRIDE - 1
    fine = (fine + STRIDE * start).clamp_min(0)
    controls = batch.controls.clone()
    controls[..., 1] = torch.log2(controls[..., 1])
    controls = between(controls, position)
    controls[..., 1] = torch.exp2(controls[..., 1])
    known = model.known(controls)
    curves = between_latents(known, known[:, :1], STRIDE)
    mel = model.decoder(between(latents, position), scale_controls(controls), model.features(curves))
    return gaussian_likelihood(mel, between(batch.mel, fine), batch.active[:, fine.long()])


def between(values: Tensor, position: Tensor) -> Tensor:
    """Values on the lines between frames. Shape: [batch, frames, n], [count] -> [batch, count, n]."""
    before = position.long()
    share = (position - before)[:, None]
    after = (before + 1).clamp_max(values.shape[1] - 1)
    return values[:, before] * (1 - share) + values[:, after] * share


def contrast_loss(mel: Tensor, batch: AnalyzedBatch) -> Tensor:
    """Likelihood of what sets each band apart from its neighbours, as :func:`gaussian_likelihood`."""
    n_mels = mel.shape[-1]
    error = (contrast(mel) - contrast(batch.mel))[..., n_mels:].square()
    # Low bands hold the partials that pitches are told by.
    error = error[..., : n_mels // 2].mean(-1) + error[..., n_mels : n_mels + n_mels // 2].mean(-1)
    return 0.5 * torch.log(weighted_mean(error, batch.active) + 1e-5)


def salience_loss(model: Wavae, mel: Tensor, batch: AnalyzedBatch) -> Tensor:
    """Cross-entropy of the pitches that the vocoder reads from ``mel`` [batch, frames, n_mels] with those mixed."""
    _, features = model.vocoder(mel, model.features(batch.curves))
    return _salience_loss(model.vocoder.salience(features), batch)


def divergence(mean: Tensor, log_variance: Tensor, active: Tensor, memory: float = 0.0) -> Tensor:
    """KL divergence from a stationary Gaussian process of unit variance, nats a latent frame.

    Each frame is expected at ``memory`` times the one before, with a variance of 1 - memory^2: a latent that jumps
    costs more than one that moves slowly (an autoregressive prior of first order; Kingma & Welling 2014, appendix B,
    where ``memory`` is 0).

    Shape: 2 x [batch, frames, latent_dim], [batch, frames] bool -> []
    """
    variance = log_variance.exp()
    before = torch.cat([mean[:, :1] * 0, mean[:, :-1]], 1)
    spread = torch.cat([variance[:, :1] * 0, variance[:, :-1]], 1)
    kept = torch.full_like(mean[:, :, :1], memory)
    kept[:, 0] = 0.0
    kept[:, 1:] *= active[:, :-1, None]
    left = 1 - kept.square()
    squares = (mean - kept * before).square() + variance + kept.square() * spread
    return weighted_mean(0.5 * (squares / left - 1 - log_variance + torch.log(left)).sum(-1), active)


def encode_batch(model: Wavae, batch: AnalyzedBatch) -> tuple[Tensor, Tensor]:
    """Posterior of the batch: mean and log-variance, 2 x [batch, frames // 2, latent_dim]."""
    return model.encoder(batch.mel, model.features(batch.curves))


def decode_batch(model: Wavae, latents: Tensor, batch: AnalyzedBatch) -> Tensor:
    """Mel frames of latents under the batch's own controls."""
    return model.decoder(latents, scale_controls(batch.controls), model.features(batch.curves))
