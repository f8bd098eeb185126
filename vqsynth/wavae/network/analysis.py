"""What the continuous model reads of a sound: relative log-mel frames and the controlled descriptors."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from vqsynth.dsp.loudness import loudness_of_power
from vqsynth.dsp.mel import mel_filters
from vqsynth.dsp.stft import hann
from vqsynth.wavae.network.config import WavaeConfig

FMAX = 20_000.0


class MelAnalysis(nn.Module):
    """Log-mel spectrum of every frame relative to its loudness, and the frame's descriptors.

    A frame ends at the newest sample it reads; it belongs to the time of its centre.
    """

    def __init__(self, config: WavaeConfig) -> None:
        super().__init__()
        self.sample_rate, self.n_fft, self.hop_length = config.sample_rate, config.n_fft, config.hop_length
        self.centroid = "centroid" in config.controls
        self.level = 20 * math.log10(config.n_fft / 4)
        self.register_buffer("window", hann(config.n_fft).clone(), persistent=False)
        self.register_buffer(
            "filters", mel_filters(config.sample_rate, config.n_fft, config.n_mels, fmax=FMAX), persistent=False
        )
        frequencies = np.fft.rfftfreq(config.n_fft, 1 / config.sample_rate).astype(np.float32)
        self.register_buffer("frequencies", torch.from_numpy(frequencies), persistent=False)

    def forward(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Analyze the frames that lie wholly inside ``audio``.

        Shape:
            audio: [batch, samples] -> mel [batch, frames, n_mels] about -1..1,
            controls [batch, frames, n_controls] (loudness in dB; centroid in Hz)
        """
        spectrum = torch.fft.rfft(audio.unfold(1, self.n_fft, self.hop_length) * self.window)
        power = spectrum.real.square() + spectrum.imag.square()
        loudness = loudness_of_power(power, self.sample_rate, self.n_fft)
        # Relative to a full-scale sine, as loudness is; 80 dB below the frame's level is floor.
        mel = 10 * (power @ self.filters + 1e-10).log10() - self.level
        mel = ((mel - loudness[..., None]).clamp(-80, 20) + 30) / 40
        if not self.centroid:
            return mel, loudness[..., None]
        magnitude = power.sqrt()
        centroid = (magnitude @ self.frequencies) / magnitude.sum(-1).clamp_min(1e-9)
        return mel, torch.stack([loudness, centroid.clamp_min(20.0)], -1)


def scale_controls(controls: Tensor) -> Tensor:
    """Bring descriptors to about -1..1 for the networks.

    Shape: [..., n_controls]: loudness in dB, then centroid in Hz if there is one -> the same
    """
    loudness = (controls[..., :1].clamp(-80.0, 0.0) + 35) / 20
    if controls.shape[-1] == 1:
        return loudness
    return torch.cat([loudness, torch.log2(controls[..., 1:] / 1500) / 1.5], -1)
