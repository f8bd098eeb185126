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
from vqsynth.dsp.source_filter import Frames
from vqsynth.render.trim import Moments, Trim, octaves_of_bins
from vqsynth.storage.spool import rounded
from vqsynth.streaming.module import twin
from vqsynth.streaming.synthesizer import Synthesizer

LOOKAHEAD = 16
"""Frames after a block that are shaped with it and again with the next."""
_SMOOTH = 1
_GAIN = 0.9
_LIMIT = float(np.log(1.5))


@dataclasses.dataclass
class Wanted:
    """What the spectra of some frames should be like.

    Attributes:
        values: centroid and bandwidth, or one, or neither: name -> [frames] Hz.
        mask: bool [frames], where it counts.
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

    def __init__(self, synthesizer: Synthesizer, seed: int = 0, rounds: int = 1, bits: str | None = None) -> None:
        self.rounds, self.bits = rounds, bits
        stream = twin(synthesizer)
        self.law, self.excitation, self.output = stream.law, stream.excitation, stream.output
        self.excitation.noise.seed = seed
        self.hop_length = stream.hop_length
        # Of spectra that belong to no frame, and of samples before the first frame's centre.
        self.early_frames, self.early_samples = self.excitation.latency, self.output.latency
        self.octaves = octaves_of_bins(self.law.sample_rate, self.law.n_fft)
        self.frames: Frames | None = None
        self.gain = torch.zeros(0)
        self.wanted: Wanted | None = None
        bins = self.law.n_fft // 2 + 1
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
        harmonic = self.law.harmonic_power(self.pulses, shaped.harmonic)
        noise = self.law.noise_power_of(shaped.noise)
        base = self.law.filtered(self.pulses, self.noise, shaped.harmonic, shaped.noise)
        power = harmonic + noise
        trim = Trim.zeros(known)
        if not wanted.values:
            spectra = self.law.level(base, power, gain, trim.gain(self.octaves))
        else:
            moments = Moments(self.law.sample_rate, self.law.n_fft, harmonic, noise)
            correction = {name: self._carried(name, known) for name in wanted.values}
            start = None
            for turn in range(self.rounds + 1):
                asked = {name: x * torch.exp(correction[name]) for name, x in wanted.values.items()}
                trim = moments.solve(asked.get("centroid"), asked.get("bandwidth"), start, 8 if start is None else 3)
                spectra = self.law.level(base, power, gain, trim.gain(self.octaves))
                if turn < self.rounds:
                    self._correct(correction, self.output.peek(spectra[None])[0].numpy(), wanted, last)
                start = trim
            self.corrections = {name: values[ready:] for name, values in correction.items()}
        audio = self._join(spectra[:ready], last)
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
        f0 = frames.f0
        if last:
            f0 = torch.cat([f0, self.frames.f0[-1:].expand(self.excitation.latency)])
        pulses, noise = (spectra[0, self.early_frames :] for spectra in self.excitation(f0[None]))
        self.early_frames = max(0, self.early_frames - len(f0))
        self.pulses, self.noise = torch.cat([self.pulses, pulses]), torch.cat([self.noise, noise])

    def _join(self, spectra: Tensor, last: bool) -> np.ndarray:
        """Samples that are finished, from the first frame's centre; with ``last`` to a hop after the last one's."""
        audio = self.output(spectra[None])[0]
        if last:
            audio = torch.cat([audio, self.output.state[0, : self.output.latency]])
        dropped = min(self.early_samples, len(audio))
        self.early_samples -= dropped
        return audio[dropped:].numpy()

    def _carried(self, name: str, frames: int) -> Tensor:
        """Log corrections so far; new frames begin with that of the last one."""
        held = self.corrections.get(name, torch.zeros(1))[:frames]
        return torch.cat([held, held[-1:].expand(frames - len(held))])

    def _correct(self, correction: dict[str, Tensor], audio: np.ndarray, wanted: Wanted, last: bool) -> None:
        """Add the smoothed log error of the sound to the corrections, in place."""
        law, frames = self.law, len(wanted.mask)
        audio[: self.early_samples] = 0.0
        # The sound begins half a window before frame 0; frames whose window is not complete yet are not judged.
        lead = law.n_fft // 2 // self.hop_length
        heard = np.arange(frames if last else max(0, frames - 2 * lead)) + lead
        found = descriptors.measure(correction, rounded(audio, self.bits), law.sample_rate, law.n_fft, self.hop_length)
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
