"""What the continuous model reads of a sound: relative log-mel frames and the controlled descriptors."""

import numpy as np
import torch
from torch import Tensor, nn

from vqsynth.dsp.loudness import power_weights, weighted_loudness
from vqsynth.dsp.mel import mel_filters, relative_mel
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
            controls [batch, frames, n_controls] (loudness in dB; centroid in Hz)
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
    """Bring descriptors to about -1..1 for the networks.

    Shape:
        [..., n_controls]: loudness in dB, then centroid in Hz if there is one -> the same
    """
    loudness = (controls[..., :1].clamp(-80.0, 0.0) + 35) / 20
    if controls.shape[-1] == 1:
        return loudness
    return torch.cat([loudness, torch.log2(controls[..., 1:] / 1500) / 1.5], -1)
