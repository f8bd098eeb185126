"""What a decoded frame lacks against the recording: a correction of both filters, frame by frame.

A codebook keeps the mean of what sounded alike. The rest (single partials that rise and fall against each other, the
noise of a bow, the spectrum of an attack) is measured once, on the recording and on its reconstruction with the
recording's own pitch and loudness, and stored beside the code. Harmonics are counted, so the correction goes along
when the unit is played at another pitch; the noise has fixed bands.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import torch
from torch import Tensor

from vqsynth.dsp.loudness import gain_of_loudness
from vqsynth.dsp.mel import band_interpolation
from vqsynth.dsp.source_filter import Frames, SourceFilter
from vqsynth.dsp.stft import power_spectrogram
from vqsynth.training.segments import fill_f0
from vqsynth.vqvae.model import VQVAE

SINGLE, GROUPS, HIGHEST = 24, 16, 250.0
"""Harmonics with a correction of their own, groups of the ones above, and the number at which the last group lies."""
NOISE_BANDS = 20
STEP_DB = 0.5
"""Size of a step of the stored corrections."""
LIMIT_DB, LOUDEST_NOISE_DB = 30.0, 15.0
SILENT_DB = -60.0
"""Gain of the pulses where the recording has no pitch."""
_ROUNDS = 2
_FLOOR_DB = 75.0
_SMOOTH = 5
_STEEP_DB = 10.0


@functools.lru_cache(maxsize=1)
def harmonic_centres() -> Tensor:
    """Harmonic number of every correction: 1 to 24, then groups evenly apart in octaves. Shape: [40]."""
    edges = np.geomspace(SINGLE + 0.5, HIGHEST, GROUPS + 1)
    return torch.tensor([*range(1, SINGLE + 1), *np.sqrt(edges[:-1] * edges[1:])], dtype=torch.float32)


def corrected(frames: Frames, harmonic_db: Tensor, noise_db: Tensor, law: SourceFilter) -> Frames:
    """Apply corrections to the filters of frames, at the frames' present pitch.

    Args:
        frames: [frames].
        harmonic_db: [frames, 40] dB.
        noise_db: [frames, 20] dB.
        law: gives the frequencies of the bins.

    Returns:
        Frames with other filters.
    """
    harmonic = frames.harmonic * _gain(_along_harmonics(harmonic_db, frames.f0, law))
    matrix = band_interpolation(law.sample_rate, law.n_fft, NOISE_BANDS)
    return dataclasses.replace(frames, harmonic=harmonic, noise=frames.noise * _gain(noise_db @ matrix))


def _gain(decibels: Tensor) -> Tensor:
    return torch.exp(decibels * float(np.log(10) / 20))


def _along_harmonics(decibels: Tensor, f0: Tensor, law: SourceFilter) -> Tensor:
    """Corrections at every bin, straight lines between harmonics. Shape: [frames, 40], [frames] -> [frames, bins]."""
    number = torch.linspace(0, law.sample_rate / 2, law.n_fft // 2 + 1) / f0[:, None].clamp_min(1.0)
    octaves = torch.log2(number.clamp_min(SINGLE + 0.5) / (SINGLE + 0.5))
    width = float(np.log2(HIGHEST / (SINGLE + 0.5))) / GROUPS
    position = torch.where(number <= SINGLE, number - 1, SINGLE - 0.5 + octaves / width)
    position = torch.maximum(position, torch.zeros(())).clamp_max(SINGLE + GROUPS - 1.001)
    left = position.long()
    return torch.lerp(decibels.gather(1, left), decibels.gather(1, left + 1), position - left)


@torch.no_grad()
def analyze_detail(
    model: VQVAE, audio: np.ndarray, codes: np.ndarray, f0: np.ndarray, loudness: np.ndarray
) -> dict[str, np.ndarray]:
    """Measure the corrections that bring a reconstruction to its recording.

    Args:
        model: of the timbre.
        audio: the recording at the working level, [samples].
        codes: that it is encoded to, [frames].
        f0: tracked pitch in Hz, 0 where unvoiced, [frames].
        loudness: in dB, [frames].

    Returns:
        ``harmonic_detail`` int8 [frames, 40] and ``noise_detail`` int8 [frames, 20], in steps of half a decibel.
    """
    synthesizer = model.synthesizer()
    law = synthesizer.law
    voiced = torch.from_numpy(f0 > 0)
    sung = fill_f0(torch.from_numpy(f0.astype(np.float32))[None])[0]
    base = dataclasses.replace(model.decode(codes), f0=sung)
    gain = gain_of_loudness(torch.from_numpy(loudness.astype(np.float32)))
    harmonic = torch.where(voiced[:, None], torch.zeros(()), SILENT_DB).repeat(1, SINGLE + GROUPS)
    noise = torch.zeros(len(codes), NOISE_BANDS)
    bands = _Bands(law, sung)
    target = _power(audio, len(codes), law)
    wanted_lines, wanted_noise = bands.lines(target), bands.noise(target, voiced)
    # In an attack the loud frames must not speak for the soft ones before them.
    total = target.mean(1, keepdim=True) + 1e-9
    for _ in range(_ROUNDS):
        made = _power(synthesizer.render(corrected(base, harmonic, noise, law), gain), len(codes), law)
        lines = _decibels(wanted_lines, bands.lines(made))
        harmonic = torch.where(voiced[:, None], (harmonic + lines).clamp(-LIMIT_DB, LIMIT_DB), SILENT_DB)
        rest = _decibels(_smooth(wanted_noise / total), _smooth(bands.noise(made, voiced) / total))
        noise = (noise + rest).clamp(-LIMIT_DB, LOUDEST_NOISE_DB)
    # The skirts of a sound that comes or goes within a window are no noise.
    level = torch.nn.functional.pad(torch.from_numpy(loudness.astype(np.float32))[None], (2, 2), mode="replicate")[0]
    steep = (level[4:] - level[:-4]).abs() > _STEEP_DB
    noise = torch.where((steep & voiced)[:, None], noise.clamp_max(0.0), noise)
    # Rumble of a room, below the lowest partial, is not to be made louder than the codebook has it.
    below = voiced[:, None] & (bands.centres < 0.7 * sung[:, None])
    noise = torch.where(below, noise.clamp_max(0.0), noise)
    return {
        name: (values / STEP_DB).round().clamp(-127, 127).to(torch.int8).numpy()
        for name, values in (("harmonic_detail", harmonic), ("noise_detail", noise))
    }


class _Bands:
    """Sums of power around harmonics, and between them. Shape: f0 [frames] Hz."""

    def __init__(self, law: SourceFilter, f0: Tensor) -> None:
        self.law, self.f0 = law, f0
        self.bins = law.n_fft // 2 + 1
        self.width = law.sample_rate / law.n_fft
        self.number = torch.arange(self.bins) * self.width / f0[:, None]
        off = (self.number - self.number.round()).abs() * f0[:, None] / self.width
        reach = torch.clamp(0.3 * f0[:, None] / self.width, 1.0, 3.0)
        near = (off <= reach) & (self.number >= 0.5)
        octaves = torch.log2(self.number.clamp_min(SINGLE + 0.5) / (SINGLE + 0.5))
        group = (octaves / (float(np.log2(HIGHEST / (SINGLE + 0.5))) / GROUPS)).long().clamp_max(GROUPS - 1)
        nearest = self.number.round().long()
        index = torch.where(nearest <= SINGLE, nearest - 1, SINGLE + group)
        self.index = torch.where(near & (self.number < HIGHEST), index, SINGLE + GROUPS)
        # Where harmonics lie close, nothing between them is free of their skirts.
        self.between = off >= torch.clamp(0.35 * f0[:, None] / self.width, min=3.0)
        self.open = self.between.sum(1) > 0.1 * self.bins
        self.matrix = band_interpolation(law.sample_rate, law.n_fft, NOISE_BANDS)
        self.centres = (self.matrix @ (torch.arange(self.bins) * self.width)) / self.matrix.sum(1)

    def lines(self, power: Tensor) -> Tensor:
        """Power around each harmonic or group. Shape: [frames, bins] -> [frames, 40]."""
        sums = torch.zeros(len(power), SINGLE + GROUPS + 1)
        return sums.scatter_add_(1, self.index, power)[:, :-1]

    def noise(self, power: Tensor, voiced: Tensor) -> Tensor:
        """Power between harmonics, or all of it where there are none. Shape: [frames, bins] -> [frames, 20]."""
        use = torch.where((voiced & self.open)[:, None], self.between, torch.ones((), dtype=torch.bool))
        weights = use.float()
        sums, counts = (power * weights) @ self.matrix.T, weights @ self.matrix.T
        return torch.where(counts > 0.5, sums / counts.clamp_min(1e-6), 0.0)


def _power(audio: np.ndarray, frames: int, law: SourceFilter) -> Tensor:
    signal = torch.from_numpy(np.ascontiguousarray(audio, np.float32))
    power = power_spectrogram(signal, law.n_fft, law.n_fft // 4)[:frames]
    return torch.nn.functional.pad(power, (0, 0, 0, frames - len(power)))


def _decibels(wanted: Tensor, made: Tensor) -> Tensor:
    """Difference in dB, 0 where either is far under the frame's strongest or nothing. Shape: 3 x [frames, n]."""
    floor = wanted.amax(1, keepdim=True) * 10 ** (-_FLOOR_DB / 10) + 1e-9
    return 10 * torch.log10((wanted + floor) / (made + floor))


def _smooth(power: Tensor) -> Tensor:
    """Mean over a few frames: a single frame of noise says little of its level. Shape: 2 x [frames, n]."""
    padded = torch.nn.functional.pad(power.T[None], (_SMOOTH // 2, _SMOOTH // 2), mode="replicate")
    return torch.nn.functional.avg_pool1d(padded, _SMOOTH, 1)[0].T
