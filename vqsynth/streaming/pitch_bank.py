"""Several voices at once: pitches found in a map of salience, each with its harmonics, their phases carried on.

What a network can say of a frame of a chord is which pitches it has and how strong every band of it is; not the
phases, which depend on all that came before. So phase is integrated here: a pitch goes on from the pitch of the frame
before that lay nearest (McAulay & Quatieri 1986, Speech analysis/synthesis based on a sinusoidal representation).
Harmonics are exact multiples, so a chord is in tune as far as its pitches are; a pitch found an octave too low does no
harm, because what it adds is as weak there as the spectrum.
"""

import math

import torch
from torch import Tensor, nn

from vqsynth.dsp.excitation import dispersion_phase
from vqsynth.dsp.partials import write_partials
from vqsynth.dsp.pitch import f0_of_bins

FARTHEST = 1.6
"""Half semitones that a pitch moves in a hop of a 2048-point frame."""
VOICES = 5
"""Most pitches of a frame."""
HARMONICS = 96
PARTIALS = 128
"""Most partials of a frame: the strongest of all voices' harmonics."""
TONAL_SLOPE, TONAL_MIDDLE = 2.0, -1.1
"""How fast a harmonic fades with the logit of its cell's being tonal, and where it is half as loud. A network that
knows the pitch but not the cell says about a quarter where high harmonics are, and a tenth in noise."""
LEAST, STILL = -1.0, -2.5
"""Logits from which a pitch is heard, and from which one that was heard goes on, or it would flicker: one too many is
weaker than noise in place of one that was missed."""


class PitchBank(nn.Module):
    """Maps of salience, magnitude and tonality to spectra of harmonic sinusoids.

    Args:
        sample_rate: in Hz.
        n_fft: frame length in samples; frames are a quarter of it apart.
        cells: cells of the maps over frequency, one bin wide, from 0 Hz.
        pitch_bins: half-semitone bins of the salience.
    """

    numbers: Tensor
    dispersion: Tensor
    state_phase: Tensor
    state_place: Tensor

    def __init__(self, sample_rate: int, n_fft: int, cells: int, pitch_bins: int) -> None:
        super().__init__()
        self.bins, self.cells, self.pitch_bins = n_fft // 2 + 1, cells, pitch_bins
        self.width = sample_rate / n_fft
        self.advance = math.pi * (n_fft // 4) / sample_rate
        self.farthest, self.voices, self.slope, self.middle = FARTHEST, VOICES, TONAL_SLOPE, TONAL_MIDDLE
        self.least, self.still, self.partials = LEAST, STILL, PARTIALS
        self.register_buffer("numbers", torch.arange(1, HARMONICS + 1, dtype=torch.float32), persistent=False)
        phases = dispersion_phase(sample_rate, n_fft)[:cells].clone()
        self.register_buffer("dispersion", phases, persistent=False)
        self.register_buffer("state_phase", torch.zeros(1, VOICES, dtype=torch.float64), persistent=False)
        self.register_buffer("state_place", torch.zeros(1, VOICES, dtype=torch.float64), persistent=False)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.state_phase = torch.zeros(batch, self.voices, dtype=torch.float64, device=self.numbers.device)
        self.state_place = torch.zeros_like(self.state_phase)

    @torch.jit.export
    def pitches(self, salience: Tensor) -> tuple[Tensor, Tensor]:
        """Pitches at the peaks of a salience map.

        Shape:
            logits [batch, frames, pitch_bins] -> bins that may hold a pitch, bool; it, in fractional bins, float64
        """
        highest = torch.nn.functional.max_pool1d(salience, 5, 1, 2)
        share = torch.sigmoid(salience.double())
        padded = torch.nn.functional.pad(share, [2, 2]).unfold(2, 5, 1)
        offsets = torch.arange(-2, 3, device=salience.device, dtype=torch.float64)
        moved = (padded * offsets).sum(-1) / padded.sum(-1).clamp_min(1e-9)
        place = torch.arange(salience.shape[2], device=salience.device, dtype=torch.float64)
        return (salience >= highest) & (salience > self.still), place + moved

    @torch.jit.export
    def follow(self, place: Tensor, strength: Tensor) -> tuple[Tensor, Tensor]:
        """Phases of the fundamentals at the frames' centres, and which of them are heard.

        Shape:
            bins float64, logits: [batch, frames, voices] -> radians float64, bool, the same
        """
        phases, sounding = torch.zeros_like(place), strength > self.least
        before, phase = self.state_place, self.state_phase
        for frame in range(place.shape[1]):
            here = place[:, frame]
            distance = torch.where(before[:, None] > 0, (before[:, None] - 1 - here[..., None]).abs(), 1e9)
            nearest, index = distance.min(2)
            hz = f0_of_bins(before.gather(1, index) - 1) + f0_of_bins(here)
            phase = phase.gather(1, index) + self.advance * hz
            phase = torch.remainder(torch.where(nearest < self.farthest, phase, torch.zeros_like(phase)), 2 * math.pi)
            phases[:, frame] = phase
            heard = sounding[:, frame] | ((strength[:, frame] > self.still) & (nearest < self.farthest))
            sounding[:, frame] = heard
            # One more than the bin: 0 is no pitch.
            before = torch.where(heard, here + 1, torch.zeros_like(here))
        self.state_place, self.state_phase = before, phase
        return phases, sounding

    def forward(
        self,
        salience: Tensor,
        level: Tensor,
        tonality: Tensor,
        voicing: Tensor | None = None,
    ) -> Tensor:
        """Take the maps of more frames, give as many spectra.

        Args:
            salience: logit of a pitch, [batch, frames, pitch_bins].
            level: natural logarithm of the magnitude, [batch, frames, cells].
            tonality: logit of a cell's being tonal, [batch, frames, cells].
            voicing: how far pulses sing a pitch, [batch, frames] 0..1. A single voice is left to them: of a note that
                is transposed the map may still find what it was, or a fifth of it.

        Shape:
            -> [batch, frames, n_fft // 2 + 1] complex, Hann-windowed
        """
        batch, frames = salience.shape[0], salience.shape[1]
        found, place = self.pitches(salience)
        strongest, voice = torch.where(found, salience, torch.full_like(salience, -1e9)).topk(self.voices, dim=2)
        place = place.gather(2, voice)
        phases, sounding = self.follow(place, strongest)
        count = self.numbers.shape[0]
        heard = sounding[..., None].expand(batch, frames, self.voices, count).flatten(2)
        frequency = (f0_of_bins(place).float()[..., None] * self.numbers).flatten(2)
        position = frequency / self.width
        heard = heard & (position < self.cells - 1)
        low = position.floor().clamp(0, self.cells - 2)
        share = (position - low).clamp(0.0, 1.0)
        cell = low.long()
        height = level.gather(2, cell) * (1 - share) + level.gather(2, cell + 1) * share
        tonal = tonality.gather(2, cell) * (1 - share) + tonality.gather(2, cell + 1) * share
        amplitude = torch.exp(height.clamp(-12.0, 9.0)) * torch.sigmoid(self.slope * (tonal - self.middle)) * heard
        # Where harmonics of several pitches meet, they share what is there.
        nearest = (cell + (share > 0.5).long()).clamp(0, self.cells - 1)
        met = torch.zeros_like(level).scatter_add(2, nearest, heard.to(level))
        met = met + torch.nn.functional.pad(met, [1, 0])[..., :-1] + torch.nn.functional.pad(met, [0, 1])[..., 1:]
        amplitude = amplitude / met.gather(2, nearest).clamp_min(1.0).sqrt()
        if voicing is not None:
            amplitude = amplitude * (1 - voicing.float().square()).clamp_min(0.0).sqrt()[..., None]
        amplitude, loud = amplitude.topk(self.partials, dim=2)
        position, cell, share = position.gather(2, loud), cell.gather(2, loud), share.gather(2, loud)
        angle = torch.remainder(phases.gather(2, loud // count) * (loud % count + 1), 2 * math.pi)
        # Harmonics apart in phase, as those of pulses are; smoothly, or a glide would click at every cell.
        angle = angle.float() + self.dispersion[cell] * (1 - share) + self.dispersion[cell + 1] * share
        return write_partials(position, amplitude, angle, self.bins)
