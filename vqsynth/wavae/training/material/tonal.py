"""What a recording's frames are made of: partials that go on from frame to frame, and the noise between them."""

from __future__ import annotations

import dataclasses
import math

import torch
from torch import Tensor
from torch.nn.functional import max_pool1d, pad

from vqsynth.dsp.stft import hann

SHORTEST_RUN = 8
"""Frames that a partial lasts: of white noise a seventh passes for partials then, of a chord's energy 93 % does."""
PHASE_ERROR = 0.7
"""Farthest that its phase is from the one its frequencies predict, radians."""
FLOOR_DB = 70.0
LOW_HZ = 1500.0
"""Below, partials may lie closer than a frame resolves: they are looked for in frames of twice the length, too."""


@dataclasses.dataclass
class Partials:
    """Partials of frames, in cells one bin wide.

    Shape:
        magnitude: [batch, frames, n_fft // 2 + 1] of the Hann-windowed spectrum
        present: [batch, frames, cells] bool
        frequency: [batch, frames, cells] Hz, where one is present
    """

    magnitude: Tensor
    present: Tensor
    frequency: Tensor


def find_partials(audio: Tensor, sample_rate: int, n_fft: int, cells: int) -> Partials:
    """Find partials in frames of ``n_fft``; below :data:`LOW_HZ` also those that only longer frames tell apart.

    Shape:
        audio: [batch, (frames - 1) * n_fft // 4 + n_fft]
    """
    hop = n_fft // 4
    found = find_lasting(audio, sample_rate, n_fft, cells, hop, SHORTEST_RUN)
    low = round(LOW_HZ * n_fft / sample_rate)
    longer = pad(audio, (n_fft // 2, n_fft // 2))
    fine = find_lasting(longer, sample_rate, 2 * n_fft, 2 * low, hop, 2 * SHORTEST_RUN)
    found.present[..., :low] |= fine.present.unflatten(2, (low, 2)).any(3)
    return found


def find_lasting(audio: Tensor, sample_rate: int, n_fft: int, cells: int, hop: int, shortest: int) -> Partials:
    """Find peaks whose phase goes on as their frequency predicts, for ``shortest`` frames or more.

    Frequency is reassigned (Auger & Flandrin 1995, Improving the readability of time-frequency and time-scale
    representations by the reassignment method, eq. 24); frames are ``hop`` apart.

    Shape:
        audio: [batch, (frames - 1) * hop + n_fft]
    """
    width = sample_rate / n_fft
    frames = audio.unfold(1, n_fft, hop)
    slope = math.pi / n_fft * torch.sin(2 * math.pi * torch.arange(n_fft) / n_fft).to(audio)
    sign = torch.ones(n_fft // 2 + 1).to(audio)
    sign[1::2] = -1  # phases count from the frame's centre
    spectrum = torch.fft.rfft(frames * hann(n_fft).to(audio)) * sign
    derivative = torch.fft.rfft(frames * slope)[..., :cells] * sign[:cells]
    magnitude = spectrum.abs() + 1e-9
    low = spectrum[..., :cells]
    bins = torch.arange(cells).to(audio)
    moved = -(derivative * low.conj()).imag / magnitude[..., :cells].square() * n_fft / (2 * math.pi)
    frequency = (bins + torch.where(moved.abs() < 1.2, moved, torch.zeros_like(moved))) * width
    level = torch.log(magnitude[..., :cells])
    loudest = level.amax(-1, keepdim=True)
    audible = level > torch.maximum(loudest - FLOOR_DB / 8.686, loudest.amax(1, keepdim=True) - (FLOOR_DB + 15) / 8.686)
    peaks = audible & (level >= max_pool1d(level, 5, 1, 2)) & (bins >= 2)
    lasting = _lasting(peaks, frequency, torch.angle(low), hop / sample_rate, shortest)
    return Partials(magnitude, peaks & lasting, frequency)


def _lasting(peaks: Tensor, frequency: Tensor, phase: Tensor, hop: float, shortest: int) -> Tensor:
    """Peaks that belong to a run of ``shortest`` frames. Shape: [batch, frames, cells]; hop in seconds."""
    count, cells = peaks.shape[1:]
    here, link = frequency[:, :-1], torch.zeros_like(frequency[:, :-1], dtype=torch.int64)
    limit = torch.minimum(0.02 * here, torch.full_like(here, 45.0)).clamp_min(20.0)
    best, error = torch.full_like(here, 1e9), torch.full_like(here, 1e9)
    numbers = torch.arange(cells, device=peaks.device)
    for step in range(-2, 3):
        there, is_peak, angle = (_shifted(x[:, 1:], step) for x in (frequency, peaks, phase))
        distance = (there - here).abs()
        missed = angle - phase[:, :-1] - math.pi * hop * (here + there)
        missed = (torch.remainder(missed + math.pi, 2 * math.pi) - math.pi).abs()
        nearer = peaks[:, :-1] & is_peak & (distance < best) & (distance < limit)
        link = torch.where(nearer, numbers + step, link)
        best, error = torch.where(nearer, distance, best), torch.where(nearer, missed, error)
    linked = (error < PHASE_ERROR).float()
    to_come, gone = torch.zeros_like(frequency), torch.zeros_like(frequency)
    for frame in range(count - 2, -1, -1):
        to_come[:, frame] = linked[:, frame] * (1 + to_come[:, frame + 1].gather(1, link[:, frame]))
    for frame in range(count - 1):
        passed = linked[:, frame] * (1 + gone[:, frame])
        gone[:, frame + 1] = torch.zeros_like(passed).scatter_reduce(1, link[:, frame], passed, "amax")
    return to_come + gone >= shortest


def _shifted(x: Tensor, step: int) -> Tensor:
    """Cell ``k`` of the result is cell ``k + step``; zeros come in."""
    cells = x.shape[-1]
    filled = pad(x.to(torch.float32) if x.dtype == torch.bool else x, (max(0, -step), max(0, step)))
    result = filled[..., max(0, step) : max(0, step) + cells]
    return result > 0 if x.dtype == torch.bool else result


def harmonic_distance(frequency: Tensor, f0: Tensor) -> tuple[Tensor, Tensor]:
    """Distance to the nearest harmonic in Hz, and its number (0 where there is no pitch).

    Shape:
        frequency: [..., frames, n] or [n] Hz; f0: [..., frames] Hz, 0 without pitch -> 2 x [..., frames, n]
    """
    pitch = f0.clamp_min(20.0)[..., None]
    number = (frequency / pitch).round()
    return (frequency - number * pitch).abs(), torch.where(f0[..., None] > 0, number, torch.zeros_like(number))


def noise_between(
    audio: Tensor, partials: Partials, pitches: Tensor, bands: Tensor, sample_rate: int
) -> tuple[Tensor, Tensor]:
    """Level of the noise between partials and all voices' harmonics, in frames of twice the length for low voices.

    Args:
        audio: as for :func:`find_partials`.
        partials: of it.
        pitches: [batch, frames, voices] Hz, 0 without.
        bands: weights [n_fft + 1, n_bands] of bins in frames of ``2 * n_fft``.
        sample_rate: in Hz.

    Shape:
        -> power of a bin in a Hann-windowed frame of ``n_fft``, [batch, frames, n_bands]; whether enough of a band
        was free, bool, the same
    """
    n_fft, cells = 2 * (partials.magnitude.shape[-1] - 1), partials.present.shape[-1]
    long = pad(audio, (n_fft // 2, n_fft // 2)).unfold(1, 2 * n_fft, n_fft // 4)
    power = torch.fft.rfft(long * hann(2 * n_fft).to(audio)).abs().square() / 2
    taken = torch.zeros_like(power, dtype=torch.bool)
    near = max_pool1d(partials.present.float(), 3, 1, 1) > 0
    taken[..., : 2 * cells] = near.repeat_interleave(2, -1)
    frequency = torch.arange(power.shape[-1]).to(audio) * sample_rate / (2 * n_fft)
    lobe = 1.4 * sample_rate / n_fft
    for f0 in pitches.unbind(2):
        # A pitch that moves widens its harmonics, the higher the more.
        moved = pad((f0[:, 1:] - f0[:, :-1]).abs(), (1, 1))
        moved = torch.maximum(moved[:, 1:], moved[:, :-1])
        moved = torch.where(moved < 0.06 * f0, moved, torch.zeros_like(moved))
        distance, number = harmonic_distance(frequency, f0)
        taken |= (number > 0) & (distance < lobe + 2 * number * moved[..., None])
    free = (~taken).float()
    weight = free @ bands
    return (power * free) @ bands / weight.clamp_min(1e-9), weight > 0.15 * bands.sum(0)
