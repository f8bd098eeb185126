"""Closing the loop: synthesise, measure, correct the trims by what is left, block by block.

Overlapping frames and noise leave an error that no closed form sees. Each round measures the sound and asks the
next for as much more or less as was missing, smoothed over a few frames.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor

from vqsynth import descriptors
from vqsynth.dsp.source_filter import Excitation, Frames, OverlapAdd, Synth
from vqsynth.render.trim import Moments, Trim, octaves_of_bins
from vqsynth.storage.spool import rounded

LOOKAHEAD = 16
"""Frames after a block that are shaped with it and again with the next."""
_SMOOTH = 1
_GAIN = 0.9
_LIMIT = float(np.log(1.5))


@dataclasses.dataclass
class Wanted:
    """What the spectra of some frames should be like.

    Attributes:
        values: centroid and bandwidth, or one, or neither: name -> [frames] Hz. mask: bool [frames], where it counts.
    """

    values: dict[str, Tensor]
    mask: np.ndarray

    def __getitem__(self, index: slice) -> Wanted:
        return Wanted({name: x[index] for name, x in self.values.items()}, self.mask[index])

    def cat(self, other: Wanted) -> Wanted:
        """Join along time."""
        values = {name: torch.cat([x, other.values[name]]) for name, x in self.values.items()}
        return Wanted(values, np.concatenate([self.mask, other.mask]))


class Shaper:
    """Synthesises frames as they come, each trimmed so that the sound has what is wanted.

    Args:
        rounds: how often the sound is measured and corrected; 0 trims once, by expectation.
        bits: of the file that it is for: rounding is noise, which widens a dull spectrum by a per cent.
    """

    def __init__(self, synth: Synth, seed: int = 0, rounds: int = 1, bits: str | None = None) -> None:
        self.synth, self.rounds, self.bits = synth, rounds, bits
        self.excitation, self.output = Excitation(synth, seed), OverlapAdd(synth)
        self.octaves = octaves_of_bins(synth)
        self.frames: Frames | None = None
        self.gain = torch.zeros(0)
        self.wanted: Wanted | None = None
        bins = synth.n_fft // 2 + 1
        self.pulses = self.noise = torch.zeros(0, bins, dtype=torch.complex64)
        self.corrections: dict[str, Tensor] = {}

    @torch.no_grad()
    def push(self, frames: Frames, gain: Tensor, wanted: Wanted, last: bool = False) -> tuple[np.ndarray, Trim]:
        """Take more frames, give the samples that are finished and the trims of the frames they end with.

        Shape: frames, gain (linear), wanted [n] -> [m * hop_length], [m]
        """
        self._take(frames, gain, wanted, last)
        ready = len(self.pulses) if last else max(0, len(self.pulses) - LOOKAHEAD)
        if ready == 0 or self.frames is None or self.wanted is None:
            return np.zeros(0, np.float32), Trim.zeros(0)
        known = len(self.pulses)
        shaped, gain, wanted = self.frames[:known], self.gain[:known], self.wanted[:known]
        harmonic = (self.pulses.real.square() + self.pulses.imag.square()) * shaped.harmonic.square()
        noise = self.synth.noise_power * shaped.noise.square()
        base = self.pulses * (shaped.harmonic * self.synth.dispersion) + self.noise * shaped.noise
        power = harmonic + noise
        trim = Trim.zeros(known)
        if not wanted.values:
            spectra = self._level(base, power, trim, gain)
        else:
            moments = Moments(self.synth, harmonic, noise)
            correction = {name: self._carried(name, known) for name in wanted.values}
            start = None
            for turn in range(self.rounds + 1):
                asked = {name: x * torch.exp(correction[name]) for name, x in wanted.values.items()}
                trim = moments.solve(asked.get("centroid"), asked.get("bandwidth"), start, 8 if start is None else 3)
                spectra = self._level(base, power, trim, gain)
                if turn < self.rounds:
                    self._correct(correction, self.output.peek(spectra).numpy(), wanted, last)
                start = trim
            self.corrections = {name: values[ready:] for name, values in correction.items()}
        audio = self.output.push(spectra[:ready], last)
        self.frames, self.gain, self.wanted = self.frames[ready:], self.gain[ready:], self.wanted[ready:]
        self.pulses, self.noise = self.pulses[ready:], self.noise[ready:]
        return audio, trim[:ready]

    def _take(self, frames: Frames, gain: Tensor, wanted: Wanted, last: bool) -> None:
        """Queue frames, and the spectra of the excitation that they complete."""
        if self.frames is None or self.wanted is None:
            self.frames, self.wanted = frames, wanted
        else:
            self.frames = Frames.cat([self.frames, frames])
            self.wanted = self.wanted.cat(wanted)
        self.gain = torch.cat([self.gain, torch.as_tensor(gain, dtype=torch.float32)])
        pulses, noise = self.excitation.push(frames.f0, last)
        self.pulses, self.noise = torch.cat([self.pulses, pulses]), torch.cat([self.noise, noise])

    def _level(self, base: Tensor, power: Tensor, trim: Trim, gain: Tensor) -> Tensor:
        """Output spectra: trimmed, and brought to their loudness as :meth:`Synth.spectra` does."""
        shape = trim.gain(self.octaves)
        level = ((power * shape.square()) @ self.synth.weights).clamp_min(1e-12).sqrt()
        return base * (shape * (gain * self.synth.unit / level)[:, None])

    def _carried(self, name: str, frames: int) -> Tensor:
        """Log corrections so far; new frames begin with that of the last one."""
        held = self.corrections.get(name, torch.zeros(1))[:frames]
        return torch.cat([held, held[-1:].expand(frames - len(held))])

    def _correct(self, correction: dict[str, Tensor], audio: np.ndarray, wanted: Wanted, last: bool) -> None:
        """Add the smoothed log error of the sound to the corrections, in place."""
        synth, frames = self.synth, len(wanted.mask)
        audio[: self.output.skip] = 0.0
        # The sound begins half a window before frame 0; frames whose window is not complete yet are not judged.
        lead = synth.n_fft // 2 // synth.hop_length
        heard = np.arange(frames if last else max(0, frames - 2 * lead)) + lead
        found = descriptors.measure(
            correction, rounded(audio, self.bits), synth.sample_rate, synth.n_fft, synth.hop_length
        )
        for name, measurement in found.items():
            measured = measurement.values[heard].astype(np.float64)
            counts = measurement.valid[heard] & wanted.mask[: len(heard)] & (measured > 0)
            target = wanted.values[name].numpy()[: len(heard)]
            error = np.where(counts, np.log(target / np.where(counts, measured, 1.0)), 0.0)
            error = _smooth(error, counts)
            error = np.concatenate([error, np.full(frames - len(error), error[-1] if len(error) else 0.0)])
            correction[name] = (correction[name] + torch.from_numpy(_GAIN * error).float()).clamp(-_LIMIT, _LIMIT)


def _smooth(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean under a Hann window of ``2 * _SMOOTH + 1`` frames, over those that count."""
    window = np.hanning(2 * _SMOOTH + 3)[1:-1]
    if len(values) < len(window):
        return np.where(counts, values, 0.0)
    weight = np.convolve(counts.astype(np.float64), window, "same")
    return np.convolve(values * counts, window, "same") / np.maximum(weight, 1e-9)
