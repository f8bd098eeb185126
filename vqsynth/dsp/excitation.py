"""Excitations of the subtractive synthesis: a band-limited pulse train and white noise."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def f0_per_sample(f0: Tensor, hop_length: int) -> Tensor:
    """Interpolate f0 linearly between frames.

    Shape:
        f0: [..., frames] Hz -> [..., (frames - 1) * hop_length] Hz
    """
    ramp = torch.arange(hop_length, dtype=torch.float64, device=f0.device) / hop_length
    f0 = f0.double()
    start, step = f0[..., :-1, None], (f0[..., 1:] - f0[..., :-1])[..., None]
    return (start + step * ramp).flatten(-2)


def pulse_train(f0: Tensor, phase: Tensor, sample_rate: int) -> tuple[Tensor, Tensor]:
    """Band-limited pulse train: all harmonics below Nyquist, equal and in phase.

    Closed form of a sum of cosines (discrete summation formula, Moorer 1976). The topmost
    harmonic fades in and out over the last f0 below Nyquist, so that a glide does not click. A harmonic's
    power is its share of the band, f0 over Nyquist: together about 1, less by the one that fades.

    Args:
        f0: fundamental per sample in Hz, above 0.
        phase: phase before the first sample in radians.
        sample_rate: in Hz.

    Shape:
        f0: [..., samples]; phase: [...] -> ([..., samples] float32, [...] float64 phase after the last sample)
    """
    f0 = f0.double()
    phases = phase.double()[..., None] + torch.cumsum(2 * math.pi / sample_rate * f0, -1)
    wrapped = torch.remainder(phases, 2 * math.pi)
    return pulses_of_phase(wrapped, sample_rate / 2 / f0).float(), wrapped[..., -1]


def pulses_of_phase(wrapped: Tensor, harmonics: Tensor) -> Tensor:
    """The pulse train of :func:`pulse_train` at given phases.

    Shape:
        wrapped: [...] phase in radians, within a turn; harmonics: [...] Nyquist frequency over f0, 1 or more -> [...]
    """
    fading = torch.floor(harmonics)
    whole = fading - 1
    half = wrapped / 2
    sine = torch.sin(half)
    singular = sine.abs() < 1e-6
    cosines = torch.sin(whole * half) * torch.cos(fading * half) / torch.where(singular, 1.0, sine)
    cosines = torch.where(singular, whole, cosines)
    cosines = cosines + (harmonics - fading) * torch.cos(fading * wrapped)
    return cosines * torch.sqrt(2 / harmonics)


def dispersion_phase(sample_rate: int, n_fft: int, spread_ms: float = 1.5, seed: int = 7) -> Tensor:
    """Phase of a fixed all-pass filter whose group delay wanders smoothly by about ``spread_ms``.

    Harmonics that all peak together buzz; a body or a room never lets them. Shape: [n_fft // 2 + 1].
    """
    generator = torch.Generator().manual_seed(seed)
    frequencies = torch.linspace(0, sample_rate / 2, n_fft // 2 + 1, dtype=torch.float64)
    knots = 48
    delays = torch.randn(knots, generator=generator, dtype=torch.float64) * spread_ms / 1000
    # Knots lie about an equal number of critical bands apart.
    position = torch.log1p(frequencies / 700) / math.log1p(sample_rate / 2 / 700) * (knots - 1)
    left = position.floor().clamp(0, knots - 2).long()
    group_delay = torch.lerp(delays[left], delays[left + 1], position - left)
    phase = -2 * math.pi * torch.cumsum(group_delay, 0) * (frequencies[1] - frequencies[0])
    return phase.float()
