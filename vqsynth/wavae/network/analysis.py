"""What the continuous model reads of a sound: relative log-mel frames and the controlled descriptors."""

import numpy as np
import torch
from torch import Tensor, nn

from vqsynth.dsp.loudness import power_weights, weighted_loudness
from vqsynth.dsp.mel import mel_filters, relative_mel
from vqsynth.dsp.pitch import encode_f0
from vqsynth.dsp.stft import hann
from vqsynth.wavae.network.config import WavaeConfig

FMAX = 20_000.0


class MelAnalysis(nn.Module):
    """Log-mel spectrum of every frame relative to its loudness, and the frame's descriptors.

    A frame ends at the newest sample it reads; it belongs to the time of its centre.
    """

    window: Tensor
    filters: Tensor
    weights: Tensor
    frequencies: Tensor

    def __init__(self, config: WavaeConfig) -> None:
        super().__init__()
        self.n_fft, self.hop_length = config.n_fft, config.hop_length
        self.centroid = "centroid" in config.controls
        filters = mel_filters(config.sample_rate, config.n_fft, config.n_mels, fmax=FMAX)
        frequencies = np.fft.rfftfreq(config.n_fft, 1 / config.sample_rate).astype(np.float32)
        self.register_buffer("window", hann(config.n_fft).clone(), persistent=False)
        self.register_buffer("filters", filters, persistent=False)
        self.register_buffer("weights", power_weights(config.sample_rate, config.n_fft).clone(), persistent=False)
        self.register_buffer("frequencies", torch.from_numpy(frequencies), persistent=False)

    def forward(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Analyze the frames that lie wholly inside ``audio``.

        Shape:
            audio: [batch, samples] -> mel [batch, frames, n_mels] about -1..1,
            descriptors [batch, frames, 1 or 2] (loudness in dB; centroid in Hz where it is a control)
        """
        spectrum = torch.fft.rfft(audio.unfold(1, self.n_fft, self.hop_length) * self.window)
        power = spectrum.real.square() + spectrum.imag.square()
        loudness = weighted_loudness(power, self.weights)
        mel = relative_mel(power, self.filters, loudness, self.n_fft)
        if not self.centroid:
            return mel, loudness[..., None]
        magnitude = power.sqrt()
        centroid = (magnitude @ self.frequencies) / magnitude.sum(-1).clamp_min(1e-9)
        return mel, torch.stack([loudness, centroid.clamp_min(20.0)], -1)


def scale_controls(controls: Tensor) -> Tensor:
    """Bring the descriptors that are plain numbers to about -1..1 for the networks.

    Shape:
        [..., n_controls]: loudness in dB, pitch, voicing, then centroid in Hz if there is one -> [..., 1 or 2]
    """
    loudness = (controls[..., :1].clamp(-80.0, 0.0) + 35) / 20
    if controls.shape[-1] == 3:
        return loudness
    return torch.cat([loudness, torch.log2(controls[..., 3:] / 1500) / 1.5], -1)


def pitch_features(pitch: Tensor, voicing: Tensor, bins: int) -> Tensor:
    """Pitch as the networks read it: blurred over half-semitone bins as far as there is one, and how far.

    Shape:
        pitch: [..., frames] Hz; voicing: [..., frames] 0..1 -> [..., frames, bins + 1]
    """
    voicing = voicing[..., None]
    return torch.cat([encode_f0(pitch, bins) * voicing, voicing], -1)


def between_latents(known: Tensor, before: Tensor, stride: int) -> Tensor:
    """Curves of mel frames from those of latent frames, each that of its newest mel frame; those between on the line.

    Shape:
        known: [batch, frames, 3] loudness, octaves, voicing; before: [batch, 1, 3] of the frame before the first
        -> [batch, stride * frames, 3]
    """
    before = torch.cat([before, known[:, :-1]], 1)
    # A pitch does not glide in from where there was none.
    octaves = torch.where(before[..., 2:] <= 0, known[..., 1:2], before[..., 1:2])
    start = torch.cat([before[..., :1], octaves, before[..., 2:]], -1)
    steps = torch.arange(1, stride + 1, device=known.device, dtype=known.dtype) / stride
    return (start[:, :, None] + (known - start)[:, :, None] * steps[:, None]).flatten(1, 2)


def contrast(mel: Tensor) -> Tensor:
    """Mel frames with what sets a band apart from its neighbours, which tells where a partial lies.

    Shape:
        [batch, frames, n_mels] -> [batch, frames, 3 * n_mels]: the frames, their difference from the mean of seven
        bands, and from the next band, both enlarged
    """
    around = nn.functional.pad(mel, [3, 3], "replicate")
    around = nn.functional.avg_pool1d(around, 7, 1)
    following = torch.cat([mel[..., 1:], mel[..., -1:]], -1)
    return torch.cat([mel, 8 * (mel - around), 8 * (following - mel)], -1)
