"""Convolutional VAE between mel frames and latent frames; causal, half the mel rate.

The first latents are what every sound has. The others are details of what has no single pitch: chords, sections,
noise. Details are joined to the mel frames by linear maps as well, and are nothing where a voice sings alone.
"""

import torch
from torch import Tensor, nn

from vqsynth.streaming.convnext import Blocks
from vqsynth.streaming.convolution import CausalConv1d
from vqsynth.wavae.network.analysis import contrast
from vqsynth.wavae.network.config import STRIDE, WavaeConfig


class Encoder(nn.Module):
    """Mel frames and their pitch to the Gaussian posterior of each latent frame.

    Shape:
        [batch, frames, n_mels], pitch features [batch, frames, pitch_bins + 1]
        -> mean, log-variance: 2 x [batch, frames // 2, latent_dim]
    """

    def __init__(self, config: WavaeConfig) -> None:
        super().__init__()
        self.stride = STRIDE
        width, expansion, size = config.width, config.expansion, config.kernel_size
        self.embed = CausalConv1d(3 * config.n_mels, width, 3)
        self.tune = nn.Linear(config.pitch_bins + 1, width, bias=False)
        self.fine = Blocks(1, width, expansion, size)
        self.down = nn.Conv1d(width, width, STRIDE, stride=STRIDE)
        self.blocks = Blocks(config.encoder_blocks - 1, width, expansion, size)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 2 * config.latent_dim)
        self.details = config.details
        self.direct = nn.Linear(STRIDE * config.n_mels, config.details)
        nn.init.zeros_(self.direct.weight)
        # Nearly certain at first: a latent that is mostly noise teaches the decoder to do without.
        nn.init.constant_(self.head.bias[config.latent_dim :], -4.0)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.embed.reset(batch)
        self.fine.reset(batch)
        self.blocks.reset(batch)

    def forward(self, mel: Tensor, pitch: Tensor) -> tuple[Tensor, Tensor]:
        x = self.fine(self.embed(contrast(mel).transpose(1, 2)) + self.tune(pitch).transpose(1, 2))
        # A linear map of each pair of frames: for a few frames a convolution takes longer.
        pairs = x.unfold(2, self.stride, self.stride).transpose(1, 2).flatten(2)
        x = nn.functional.linear(pairs, self.down.weight.flatten(1), self.down.bias).transpose(1, 2)
        mean, log_variance = self.head(self.norm(self.blocks(x).transpose(1, 2))).chunk(2, -1)
        direct = self.direct(mel.reshape(mel.shape[0], -1, self.stride * mel.shape[2]))
        mean = mean + nn.functional.pad(direct, [mean.shape[2] - self.details, 0])
        mean = only_free(mean, pitch[:, self.stride - 1 :: self.stride, -1:], self.details)
        return mean, log_variance.clamp(-10.0, 4.0)


class Decoder(nn.Module):
    """Latent frames, scaled controls and the pitch of the mel frames to mel frames.

    Shape:
        [batch, frames, latent_dim], [batch, frames, 1 or 2], pitch features [batch, 2 * frames, pitch_bins + 1]
        -> [batch, 2 * frames, n_mels]
    """

    def __init__(self, config: WavaeConfig) -> None:
        super().__init__()
        self.stride = STRIDE
        width, expansion, size = config.width, config.expansion, config.kernel_size
        self.embed = CausalConv1d(config.latent_dim + len(config.controls) - 2, width, 3)
        self.tune = nn.Linear(STRIDE * (config.pitch_bins + 1), width, bias=False)
        self.tune_fine = nn.Linear(config.pitch_bins + 1, width, bias=False)
        self.blocks = Blocks(config.decoder_blocks - 1, width, expansion, size)
        self.up = nn.Conv1d(width, STRIDE * width, 1)
        self.fine = Blocks(1, width, expansion, size)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, config.n_mels)
        self.details = config.details
        self.direct = nn.Linear(config.details, STRIDE * config.n_mels, bias=False)
        nn.init.zeros_(self.direct.weight)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.embed.reset(batch)
        self.blocks.reset(batch)
        self.fine.reset(batch)

    def forward(self, latents: Tensor, controls: Tensor, pitch: Tensor) -> Tensor:
        latents = only_free(latents, pitch[:, self.stride - 1 :: self.stride, -1:], self.details)
        pairs = pitch.reshape(pitch.shape[0], -1, self.stride * pitch.shape[2])
        x = self.embed(torch.cat([latents, controls], -1).transpose(1, 2)) + self.tune(pairs).transpose(1, 2)
        x = self.blocks(x)
        x = nn.functional.linear(x.transpose(1, 2), self.up.weight.flatten(1), self.up.bias)
        # Channels become neighbouring frames.
        x = x.unflatten(2, (-1, self.stride)).transpose(2, 3).flatten(1, 2) + self.tune_fine(pitch)
        x = x.transpose(1, 2)
        mel = self.head(self.norm(self.fine(x).transpose(1, 2)))
        return mel + self.direct(latents[..., latents.shape[2] - self.details :]).view(mel.shape)


def only_free(latents: Tensor, voicing: Tensor, details: int) -> Tensor:
    """Latents whose details are kept as far as there is no single pitch.

    Shape:
        latents: [batch, frames, latent_dim]; voicing: [batch, frames, 1] 0..1 -> [batch, frames, latent_dim]
    """
    first = latents.shape[2] - details
    return torch.cat([latents[..., :first], latents[..., first:] * (1 - voicing)], 2)


@torch.no_grad()
def start_details(encoder: Encoder, decoder: Decoder, mel: Tensor, missing: Tensor) -> None:
    """Set the linear maps of the details to what best tells what is missing.

    Reduced-rank regression (Izenman 1975, Reduced-rank regression for the multivariate linear model, eq. 2.11),
    whitened. Networks that have to find it by descent take hours to come as near.

    Args:
        encoder: that is to be trained.
        decoder: beside it.
        mel: pairs of mel frames without a single pitch, [n, 2 * n_mels].
        missing: what the decoder makes of them lacks, the same.
    """
    mean, count = mel.mean(0), encoder.details
    centred = mel - mean
    covariance = centred.T @ centred / len(mel)
    ridge = 1e-3 * covariance.diagonal().mean() * torch.eye(len(covariance))
    best = torch.linalg.solve(covariance + ridge, centred.T @ missing / len(mel))
    _, spread, axes = torch.linalg.svd(centred @ best, full_matrices=False)
    axes, spread = axes[:count], (spread[:count] / len(mel) ** 0.5).clamp_min(1e-4)
    weight = best @ axes.T / spread
    # No more axes than the frames have bands: the other details are left to the networks.
    found = len(axes)
    encoder.direct.weight[:found] = weight.T
    encoder.direct.bias[:found] = -mean @ weight
    decoder.direct.weight[:, :found] = (axes * spread[:, None]).T
