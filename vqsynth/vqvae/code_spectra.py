"""What every code sounds like while it lasts: mel spectra at any pitch, as the encoder would see them."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from vqsynth.dsp.excitation import f0_per_sample, pulse_train
from vqsynth.dsp.loudness import weighted_loudness
from vqsynth.dsp.mel import hz_to_mel, mel_filters
from vqsynth.dsp.stft import frame_spectra
from vqsynth.vqvae.model import VQVAE

_FLOOR_DB = -60.0  # relative to a frame's loudness; below, bands are not compared
_SETTLED = 32  # frames that a repeated code is decoded for
_LOWEST, _PER_OCTAVE, _OCTAVES = 40.0, 96, 7
_FRAMES = 32  # compared with all codes at a time


MOST_COLOUR = 15.0
"""What a colour can be, dB."""


class CodeSpectra:
    """Mel spectra of all codes, relative to their loudness in dB.

    Filters are envelopes: a code is heard at the pitch it is asked to sing. Where none is asked for it is heard at
    its own, its pulses lowered by how unvoiced the decoder takes it for.

    Args:
        model: of the timbre.
    """

    @torch.no_grad()
    def __init__(self, model: VQVAE) -> None:
        config, law = model.config, model.synthesizer().law
        self.n_fft = config.n_fft
        filters = mel_filters(config.sample_rate, config.n_fft, config.n_mels)
        codes = torch.arange(config.n_codes)[:, None].expand(-1, _SETTLED)
        parts = [model.decode_batch(block)[_SETTLED - config.lookahead - 1 :][:1] for block in codes.split(64)]
        harmonic, noise, f0, voicing = (
            torch.cat([getattr(part, name)[:, 0] for part in parts]) for name in ("harmonic", "noise", "f0", "voicing")
        )
        # Filters are smooth: within a band they are as good as level.
        self.harmonic, self.noise = harmonic.square() @ filters, law.noise_power_of(noise) @ filters
        self.weights = law.weights @ (filters / filters.sum(1, keepdim=True).clamp_min(1e-9))
        grid = _LOWEST * 2 ** (np.arange(_PER_OCTAVE * _OCTAVES) / _PER_OCTAVE)
        self.lines = torch.stack([self._pulses(hz, config.sample_rate, config.hop_length) @ filters for hz in grid])
        power = self.lines[self._row(f0)] * self.harmonic * voicing.square()[:, None] + self.noise
        self.unvoiced = self._relative(power)

    def _pulses(self, hz: float, sample_rate: int, hop_length: int) -> Tensor:
        """Power of windowed pulses. Shape: -> [n_fft // 2 + 1]."""
        f0 = torch.full((1 + 2 * self.n_fft // hop_length,), hz)
        pulses, _ = pulse_train(f0_per_sample(f0, hop_length), torch.zeros(()), sample_rate)
        return frame_spectra(pulses, self.n_fft, hop_length).abs().square().mean(0)

    def _row(self, f0: Tensor) -> Tensor:
        row = torch.log2(f0.clamp_min(1.0) / _LOWEST) * _PER_OCTAVE
        return row.round().long().clamp(0, len(self.lines) - 1)

    def _relative(self, power: Tensor) -> Tensor:
        """Shape: power in mel bands [..., n_mels] -> [..., n_mels] dB."""
        decibels = 10 * torch.log10(power.clamp_min(1e-20)) - 20 * math.log10(self.n_fft / 4)
        return (decibels - weighted_loudness(power, self.weights)[..., None]).clamp_min(_FLOOR_DB)

    def of(self, codes: np.ndarray, f0: np.ndarray) -> np.ndarray:
        """Spectra of a sequence of codes [frames] at f0 [frames] Hz, 0 where unvoiced: [frames, n_mels] dB."""
        chosen, pitch = torch.from_numpy(codes), torch.from_numpy(f0.astype(np.float32))
        sung = self._relative(self.lines[self._row(pitch)] * self.harmonic[chosen] + self.noise[chosen])
        return torch.where((pitch > 0)[:, None], sung, self.unvoiced[chosen]).numpy()

    def distances(self, spectra: np.ndarray, f0: np.ndarray) -> np.ndarray:
        """How far every code is from every frame: root mean square over bands.

        Shape:
            spectra: [frames, n_mels] dB relative to loudness; f0: [frames] Hz, 0 where unvoiced
            -> [frames, n_codes] dB
        """
        found = []
        for wanted, pitch in zip(*(torch.from_numpy(a.astype(np.float32)).split(_FRAMES) for a in (spectra, f0))):
            sung = self._relative(self.lines[self._row(pitch)][:, None] * self.harmonic + self.noise)
            heard = torch.where((pitch > 0)[:, None, None], sung, self.unvoiced)
            found.append((heard - wanted.clamp_min(_FLOOR_DB)[:, None]).square().mean(-1).sqrt())
        return torch.cat(found).numpy()


def lacking(wanted: np.ndarray, made: np.ndarray, loudness: np.ndarray) -> np.ndarray:
    """What a recording has in every band that its reconstruction lacks, throughout: a colour.

    The median over frames within 40 dB of the loudest, at most 15 dB.

    Shape:
        wanted, made: [frames, n_mels] dB relative to loudness; loudness: [frames] dB -> [n_mels] dB
    """
    loud = np.flatnonzero(loudness > loudness.max() - 40)
    loud = loud[:: max(1, len(loud) // 20_000)]
    wanted, made = (np.maximum(spectra[loud].astype(np.float32), _FLOOR_DB) for spectra in (wanted, made))
    return np.clip(np.median(wanted - made, 0), -MOST_COLOUR, MOST_COLOUR).astype(np.float32)


def colour_gains(colour: np.ndarray, sample_rate: int, n_fft: int) -> Tensor:
    """A colour in dB on mel bands as a linear filter. Shape: [n_mels] -> [n_fft // 2 + 1]."""
    low, high = hz_to_mel(30.0), hz_to_mel(min(16_000.0, sample_rate / 2))
    centres = np.linspace(low, high, len(colour) + 2)[1:-1]
    bins = hz_to_mel(np.fft.rfftfreq(n_fft, 1 / sample_rate))
    return torch.from_numpy(10 ** (np.interp(bins, centres, colour) / 20)).float()
