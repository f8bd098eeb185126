"""What the encoder sees of a sound: its mel spectrum freed of loudness, and its pitch."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor

from vqsynth.dsp.loudness import loudness_of_power
from vqsynth.dsp.mel import mel_filters, relative_mel
from vqsynth.dsp.pitch import encode_f0
from vqsynth.dsp.stft import power_spectrogram
from vqsynth.vqvae.config import ModelConfig

SILENCE_DB = 60.0
"""A frame this far under the loudest of its recording is silence."""


@dataclasses.dataclass
class Features:
    """Analysis of one sound.

    Shape:
        mel: [frames, n_mels] about -1..1; f0: [frames] Hz, 0 where unvoiced;
        loudness: [frames] dB; active: [frames] bool, false in silence
    """

    mel: Tensor
    f0: Tensor
    loudness: Tensor
    active: Tensor

    def inputs(self, config: ModelConfig) -> Tensor:
        """The encoder's input. Shape: [..., frames, n_features]."""
        return encoder_view(self.mel, self.f0, config)


def encoder_view(mel: Tensor, f0: Tensor, config: ModelConfig) -> Tensor:
    """Mel bands and, unless the configuration leaves it out, the pitch over its bins.

    Shape: mel [..., frames, n_mels], f0 [..., frames] Hz -> [..., frames, n_features]
    """
    return torch.cat([mel, encode_f0(f0, config.pitch_bins)], -1) if config.pitch_view else mel


def extract(audio: np.ndarray, config: ModelConfig, f0: np.ndarray | None = None) -> Features:
    """Analyze ``audio`` [samples] at the model's rate; ``f0`` [frames] may be given if already tracked."""
    if f0 is None:
        from vqsynth.descriptors import f0 as tracker

        f0, _, voiced = tracker.track(audio, config.sample_rate, config.n_fft, config.hop_length)
        f0 = np.where(voiced, f0, 0.0)
    signal = torch.from_numpy(np.ascontiguousarray(audio, np.float32))
    power = power_spectrogram(signal, config.n_fft, config.hop_length)
    loudness = loudness_of_power(power, config.sample_rate, config.n_fft)
    filters = mel_filters(config.sample_rate, config.n_fft, config.n_mels)
    active = loudness > max(float(loudness.max()) - SILENCE_DB, -90.0)
    return Features(
        mel=relative_mel(power, filters, loudness, config.n_fft),
        f0=torch.from_numpy(np.nan_to_num(np.asarray(f0, np.float32))),
        loudness=loudness,
        active=active,
    )


def feature_arrays(audio: np.ndarray, config: ModelConfig) -> dict[str, np.ndarray]:
    """:func:`extract` as the arrays that a prepared corpus stores."""
    return {name: tensor.numpy() for name, tensor in vars(extract(audio, config)).items()}
