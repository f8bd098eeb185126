"""The losses of the three phases: vocoder, VAE, and both against discriminators."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from vqsynth.dsp.losses import multi_resolution_stft, pitch_losses, weighted_mean
from vqsynth.dsp.loudness import gain_of_loudness
from vqsynth.training.segments import fill_f0
from vqsynth.wavae.network.analysis import scale_controls
from vqsynth.wavae.network.config import STRIDE
from vqsynth.wavae.network.model import Wavae


@dataclasses.dataclass
class AnalyzedBatch:
    """Segments with the model's own analysis of them.

    Shape:
        audio: [batch, (frames - 1) * hop_length]
        mel: [batch, frames, n_mels]
        f0: [batch, frames] Hz, 0 where unvoiced
        gain: [batch, frames] linear
        controls: [batch, frames // 2, n_controls]
        active: [batch, frames] bool
    """

    audio: Tensor
    mel: Tensor
    f0: Tensor
    gain: Tensor
    controls: Tensor
    active: Tensor

    @property
    def latent_active(self) -> Tensor:
        """Shape: [batch, frames // 2] bool."""
        return self.active[:, STRIDE - 1 :: STRIDE]


def analyze_batch(model: Wavae, raw: dict[str, Tensor]) -> AnalyzedBatch:
    """Bring drawn segments (with a margin of half a frame) to what the losses read."""
    half = model.config.n_fft // 2
    with torch.no_grad():
        mel, controls = model.analysis(raw["audio"])
        loudness = controls[..., 0]
        # As in a stream: the level between two latent frames is on the line.
        between = (loudness[:, 1::2] + torch.cat([loudness[:, :1], loudness[:, 1:-1:2]], 1)) / 2
        loudness = torch.stack([between, loudness[:, 1::2]], -1).flatten(1)
    return AnalyzedBatch(
        raw["audio"][:, half:-half],
        mel,
        raw["f0"],
        gain_of_loudness(loudness),
        controls[:, STRIDE - 1 :: STRIDE],
        raw["active"],
    )


def synthesise(model: Wavae, outputs: Tensor, batch: AnalyzedBatch, generator: torch.Generator | None) -> Tensor:
    """Sound of the vocoder's outputs, sung at the tracked pitch. Shape: [batch, frames, n] -> [batch, samples]."""
    harmonic, noise = model.vocoder.filters(outputs)
    f0 = fill_f0(batch.f0.cpu()).to(batch.f0)
    return model.synthesizer.synthesise_batch(f0, harmonic, noise, batch.gain, generator)


def vocoder_losses(
    model: Wavae, mel: Tensor, batch: AnalyzedBatch, generator: torch.Generator | None
) -> tuple[dict[str, Tensor], Tensor]:
    """Spectral, pitch and voicing losses of ``mel`` [batch, frames, n_mels] made sound; and the sound."""
    outputs = model.vocoder(mel)
    audio = synthesise(model, outputs, batch, generator)
    pitch, voicing = pitch_losses(*model.vocoder.filters.pitch(outputs), batch.f0, batch.active)
    return {"spectral": multi_resolution_stft(audio, batch.audio), "pitch": pitch, "voicing": voicing}, audio


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


def decode_batch(model: Wavae, latents: Tensor, batch: AnalyzedBatch) -> Tensor:
    """Mel frames of latents under the batch's own controls."""
    return model.decoder(latents, scale_controls(batch.controls))
