"""The source-filter law: gain 1 is -20 LUFS, the filters shape, the dispersion only turns phases."""

import numpy as np
import pytest
import torch

from vqsynth.dsp.excitation import pulse_train
from vqsynth.dsp.loudness import loudness, loudness_of_power
from vqsynth.dsp.source_filter import Frames, SourceFilter
from vqsynth.dsp.stft import frame_spectra, overlap_add

RATE, SIZE, BINS = 44_100, 1024, 513


@pytest.fixture
def law() -> SourceFilter:
    return SourceFilter(RATE, SIZE)


@pytest.fixture
def pulses() -> torch.Tensor:
    train, _ = pulse_train(torch.full((1, RATE), 220.0), torch.zeros(1), RATE)
    return frame_spectra(train, SIZE, SIZE // 4)


@pytest.fixture
def noise() -> torch.Tensor:
    return frame_spectra(torch.randn(1, RATE, generator=torch.Generator().manual_seed(0)), SIZE, SIZE // 4)


def level_of(spectra: torch.Tensor) -> torch.Tensor:
    return loudness_of_power(spectra.abs().square(), RATE, SIZE)


def filters(frames: int, seed: int = 0) -> torch.Tensor:
    return torch.exp(torch.randn(1, frames, BINS, generator=torch.Generator().manual_seed(seed)))


@pytest.mark.parametrize("gain, lufs", [(1.0, -20.0), (2.0, -13.98), (0.1, -40.0)])
@pytest.mark.parametrize("loud", [1e-3, 1.0, 100.0])
def test_pulses_are_as_loud_as_the_gain_says_whatever_their_filter(law, pulses, noise, gain, lufs, loud):
    gains = torch.full(pulses.shape[:2], gain)
    harmonic = loud * filters(pulses.shape[1])
    out = law(pulses, noise, harmonic, torch.zeros_like(harmonic), gains)
    assert level_of(out).numpy() == pytest.approx(lufs, abs=0.01)


def test_noise_is_as_loud_on_average(law, pulses, noise):
    filters_ = filters(1).expand(1, noise.shape[1], BINS)
    out = law(pulses, noise, torch.zeros_like(filters_), filters_, torch.ones(noise.shape[:2]))
    mean = loudness_of_power(out.abs().square().mean(1), RATE, SIZE)
    assert float(mean) == pytest.approx(-20, abs=0.25)


def test_both_together_are_as_loud(law, pulses, noise):
    # Filters under which pulses and noise are of like power.
    harmonic = torch.ones(1, noise.shape[1], BINS)
    out = law(pulses, noise, harmonic, 0.7 * harmonic, torch.ones(noise.shape[:2]))
    mean = loudness_of_power(out.abs().square().mean(1), RATE, SIZE)
    assert float(mean) == pytest.approx(-20, abs=0.25)


def test_the_sound_of_it_is_as_loud(law, pulses, noise):
    harmonic = torch.ones(1, pulses.shape[1], BINS)
    out = law(pulses, noise, harmonic, 0 * harmonic, torch.ones(pulses.shape[:2]))
    # Frames overlap four times; the sum of four Hann windows is 2.
    audio = overlap_add(torch.fft.irfft(out, SIZE), SIZE // 4)[0] / 2
    assert np.median(loudness(audio.numpy(), RATE)) == pytest.approx(-20, abs=0.3)


def test_the_expected_power_of_noise_is_the_measured_one(law, noise):
    measured = noise[0].abs().square().mean(0)[1:-1]
    assert float(measured.mean()) == pytest.approx(law.noise_power, rel=0.02)
    doubled = law.noise_power_of(torch.full((1, BINS), 2.0))
    assert torch.allclose(doubled, torch.tensor(4 * law.noise_power))


def test_the_power_of_pulses_is_that_of_the_filtered_ones(law, pulses, noise):
    harmonic = filters(pulses.shape[1])
    alone = law.filtered(pulses, noise, harmonic, torch.zeros_like(harmonic))
    assert torch.allclose(law.harmonic_power(pulses, harmonic), alone.abs().square(), rtol=1e-3)


def test_filters_shape_and_the_dispersion_only_turns(law, pulses, noise):
    harmonic, breath = filters(pulses.shape[1], 1), filters(pulses.shape[1], 2)
    voice = law.filtered(pulses, noise, harmonic, torch.zeros_like(breath))
    assert torch.allclose(voice.abs(), pulses.abs() * harmonic, rtol=1e-3, atol=1e-6)
    turned = voice / (pulses * harmonic)
    assert torch.allclose(turned, law.dispersion.expand_as(turned), atol=1e-2)
    assert torch.allclose(law.dispersion.abs(), torch.tensor(1.0))
    assert (law.dispersion.angle().abs() > 1).any()
    # Noise needs none.
    assert torch.allclose(law.filtered(pulses, noise, torch.zeros_like(breath), breath), noise * breath)


def test_a_further_filter_shapes_but_does_not_change_the_level(law, pulses, noise):
    harmonic = filters(pulses.shape[1])
    still = torch.zeros_like(harmonic)
    shape = torch.linspace(3, 0.2, BINS).expand_as(harmonic)
    spectra, power = law.filtered(pulses, noise, harmonic, still), law.harmonic_power(pulses, harmonic)
    gains = torch.full(pulses.shape[:2], 0.5)
    plain, shaped = law.level(spectra, power, gains), law.level(spectra, power, gains, shape)
    assert level_of(shaped).numpy() == pytest.approx(-26.02, abs=0.01)
    ratio = (shaped / plain).abs()
    assert torch.allclose(ratio / ratio[..., :1], shape / shape[..., :1], rtol=1e-2)


def test_gains_keep_the_sign_and_models_keep_none_of_it(law, noise):
    power = noise.abs().square()
    assert ((law.level(noise, power, torch.ones(noise.shape[:2])) / noise).real > 0).all()
    assert not law.state_dict()


def test_silence_stays_finite(law):
    nothing = torch.zeros(1, 1, BINS)
    out = law(nothing.to(torch.complex64), nothing.to(torch.complex64), nothing, nothing, torch.ones(1, 1))
    assert not out.abs().any()
    # Frames fainter than -120 dB are not raised to full level.
    faint = torch.full((1, 1, BINS), 1e-9)
    for shape in (None, torch.ones(1, 1, BINS)):
        raised = law.level(faint.to(torch.complex64), faint.square(), torch.ones(1, 1), shape)
        assert torch.allclose(raised.real, 1e6 * law.unit * faint, rtol=1e-3)


def test_frames_are_cut_joined_and_bent():
    frames = Frames(torch.tensor([100.0, 200.0, 400.0]), torch.tensor([0.0, 0.5, 1.0]), filters(3)[0], filters(3, 1)[0])
    assert len(frames) == 3
    joined = Frames.cat([frames[:1], frames[1:]])
    for name in ("f0", "voicing", "harmonic", "noise"):
        assert torch.equal(getattr(joined, name), getattr(frames, name))
    assert torch.equal(frames[1:].harmonic, frames.harmonic[1:])
    bent = frames.bend(torch.tensor([1200.0, 0.0, -100.0]))
    assert bent.f0.tolist() == pytest.approx([200, 200, 377.5510], rel=1e-5)
    assert torch.equal(bent.harmonic, frames.harmonic)
