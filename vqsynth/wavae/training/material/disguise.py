"""Sounds in other colours, with noise beside them: a pitch is a pitch through any microphone, instrument or room.

A reader of pitch that hears a few recordings learns their colours by heart. Filters and noise are drawn anew for every
segment, as for f0 trackers that are to hold up outside of their training (Kim, Salamon, Li & Bello 2018, CREPE,
section 3.2 measures the noise; the filters are ours).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

PLAIN = 0.25
"""Share of the segments whose colour stays."""
NOISE_ALONE, NOISY = 0.06, 0.3
"""Shares of the segments that noise takes the place of, and up to which it is added."""
NOISE_DB = (6.0, 35.0)
"""Level of added noise below the sound."""
LEVEL_DB = (-12.0, 6.0)
FARTHEST_DB = (-48.0, 36.0)


def disguise(
    audio: Tensor, f0: Tensor, active: Tensor, sample_rate: int, random: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Segments through random filters, at random levels, some with noise or replaced by it.

    Shape:
        audio [batch, samples]; f0 [batch, frames] Hz, 0 without a pitch; active [batch, frames] bool -> the same
    """
    batch, samples = audio.shape
    gain = torch.from_numpy(np.stack([_filter_db(samples, sample_rate, random) for _ in range(batch)])).to(audio)
    audio = torch.fft.irfft(torch.fft.rfft(audio) * 10 ** (gain / 20), samples)
    f0, active = f0.clone(), active.clone()
    for row in range(batch):
        draw, level = random.random(), audio[row].std() + 1e-6
        if draw < NOISY:
            noise = torch.from_numpy(coloured_noise(samples, sample_rate, random)).to(audio) * level
            if draw < NOISE_ALONE:
                bends = np.interp(np.arange(samples), np.linspace(0, samples, 7), 10 ** random.uniform(-1.2, 0, 7))
                audio[row] = noise * torch.from_numpy(bends).to(audio)
                f0[row], active[row] = 0.0, True
            else:
                audio[row] += noise * 10 ** (-random.uniform(*NOISE_DB) / 20)
    levels = 10 ** (random.uniform(*LEVEL_DB, (batch, 1)) / 20)
    return audio * torch.from_numpy(levels).to(audio), f0, active


def _filter_db(samples: int, sample_rate: int, random: np.random.Generator) -> np.ndarray:
    """Gain in dB of the bins of a whole segment: a tilt, some bells, at times an edge."""
    octaves = np.log2(np.maximum(np.fft.rfftfreq(samples, 1 / sample_rate), 20) / 1000)
    gain = np.zeros(len(octaves))
    if random.random() < PLAIN:
        return gain
    gain += random.normal(0, 2.5) * octaves
    for _ in range(random.integers(1, 5)):
        middle, width = random.uniform(-3.5, 3.5), random.uniform(0.3, 1.5)
        gain += random.normal(0, 6) * np.exp(-0.5 * ((octaves - middle) / width) ** 2)
    if random.random() < 0.15:
        gain -= 12 * np.maximum(octaves - random.uniform(0, 3), 0)
    if random.random() < 0.1:
        gain -= 12 * np.maximum(-octaves - random.uniform(0, 2.2), 0)
    return np.clip(gain, *FARTHEST_DB)


def coloured_noise(samples: int, sample_rate: int, random: np.random.Generator) -> np.ndarray:
    """Noise of a random tilt and up to three bands. Shape: -> [samples] float32, variance 1."""
    hz = np.maximum(np.fft.rfftfreq(samples, 1 / sample_rate), 20)
    shape = (hz / 1000) ** random.uniform(-1.2, 0.5)
    for _ in range(random.integers(0, 4)):
        middle, width = np.exp(random.uniform(np.log(150), np.log(9000))), random.uniform(0.08, 0.8)
        shape *= 1 + random.uniform(0, 8) * np.exp(-0.5 * (np.log2(hz / middle) / width) ** 2)
    noise = np.fft.irfft(np.fft.rfft(random.standard_normal(samples)) * shape, samples)
    return (noise / max(noise.std(), 1e-9)).astype(np.float32)
