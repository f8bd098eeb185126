"""Trims reach what is asked of them on the expected spectrum, within their limits."""

import numpy as np
import pytest
import torch

from vqsynth.dsp.source_filter import Frames
from vqsynth.render.trim import TILT_LIMIT, Moments, Trim, bend_towards, octaves_of, octaves_of_bins
from vqsynth.streaming.synthesizer import Synthesizer


def frames(count: int = 6) -> Frames:
    """Dull to bright tones of 220 Hz with some noise."""
    frequencies = torch.linspace(0, 22_050, 1025)
    slope = torch.linspace(900, 2500, count)[:, None]
    return Frames(
        torch.full((count,), 220.0),
        torch.ones(count),
        torch.exp(-frequencies / slope),
        0.02 * torch.exp(-frequencies / 4000).expand(count, -1),
    )


@pytest.fixture(scope="module")
def moments():
    synth, shaped = Synthesizer(), frames()
    total = synth.magnitudes(shaped).square()
    noise = synth.law.noise_power_of(shaped.noise)
    share = (noise / noise.amax(1, keepdim=True) * total.amax(1, keepdim=True) * 1e-4).clamp_max(total)
    return synth, total - share, share, Moments(44_100, 2048, total - share, share)


def values(synth, harmonic, noise, trim: Trim):
    """Centroid and bandwidth of the trimmed spectrum, all bins, by definition."""
    magnitudes = (harmonic + np.pi / 4 * noise).sqrt() * trim.gain(octaves_of_bins(44_100, 2048))
    frequencies = torch.linspace(0, 22_050, 1025)
    weights = magnitudes / magnitudes.sum(1, keepdim=True)
    centroid = weights @ frequencies
    return centroid, (weights * (frequencies - centroid[:, None]).square()).sum(1).sqrt()


def test_a_tilt_brings_the_centroid_to_its_target(moments):
    synth, harmonic, noise, solver = moments
    before, _ = values(synth, harmonic, noise, Trim.zeros(6))
    target = before * torch.tensor([0.8, 0.9, 1.0, 1.1, 1.2, 1.25])
    trim = solver.solve(target, None)
    assert torch.allclose(values(synth, harmonic, noise, trim)[0], target, rtol=0.01)
    assert abs(float(trim.tilt[2])) < 0.05 and float(trim.tilt[0]) < 0 < float(trim.tilt[4])


def test_tilt_and_curvature_reach_both(moments):
    synth, harmonic, noise, solver = moments
    centroid, bandwidth = values(synth, harmonic, noise, Trim.zeros(6))
    trim = solver.solve(1.08 * centroid, 0.97 * bandwidth)
    got = values(synth, harmonic, noise, trim)
    assert torch.allclose(got[0], 1.08 * centroid, rtol=0.01) and torch.allclose(got[1], 0.97 * bandwidth, rtol=0.01)
    assert bool(trim.curve.abs().min() > 0)


def test_a_tilt_alone_brings_the_bandwidth_to_its_target(moments):
    synth, harmonic, noise, solver = moments
    bandwidth = values(synth, harmonic, noise, Trim.zeros(6))[1]
    trim = solver.solve(None, 1.1 * bandwidth)
    assert torch.allclose(values(synth, harmonic, noise, trim)[1], 1.1 * bandwidth, rtol=0.01)


def test_the_tilt_stops_at_its_limit(moments):
    assert float(moments[3].solve(torch.full((6,), 15_000.0), None).tilt.max()) == TILT_LIMIT


def test_the_bend_reaches_the_pitch_within_its_limit():
    shaped = frames(20)
    assert torch.allclose(
        shaped.bend(bend_towards(shaped, torch.full((20,), 225.0), 100.0)).f0, torch.full((20,), 225.0)
    )
    assert torch.equal(bend_towards(shaped, torch.full((20,), 440.0), 100.0), torch.full((20,), 100.0))


def test_a_leap_of_a_single_frame_is_bent_back_whole():
    shaped = frames(20)
    shaped.f0[10] = 330.0
    cents = bend_towards(shaped, torch.full((20,), 220.0), 100.0)
    assert torch.allclose(shaped.bend(cents).f0, torch.full((20,), 220.0)) and float(cents[10]) < -600


def test_the_moments_in_bands_are_those_of_all_bins(moments):
    synth, harmonic, noise, solver = moments
    trims = [Trim.zeros(6), Trim(torch.linspace(-4, 4, 6), torch.linspace(1, -1, 6), torch.linspace(0, 1, 6))]
    for trim in trims:
        expected = values(synth, harmonic, noise, trim)
        for got, wanted in zip(solver.values(trim), expected):
            assert torch.allclose(got.float(), wanted, rtol=0.02)


def test_tilts_are_flat_below_sixty_hertz():
    octaves = octaves_of(torch.tensor([20.0, 60.0, 120.0, 1000.0, 8000.0]))
    assert octaves.tolist() == pytest.approx([np.log2(0.06), np.log2(0.06), np.log2(0.12), 0.0, 3.0], abs=1e-6)
