import numpy as np
import pytest
import torch

from vqsynth.dsp.excitation import dispersion_phase, f0_per_sample, pulse_train

RATE = 44_100


@pytest.mark.parametrize("f0", [55.0, 440.0, 2093.0])
def test_a_pulse_train_has_equal_harmonics_and_nothing_between(f0):
    pulses, _ = pulse_train(torch.full((RATE,), f0), torch.zeros(()), RATE)
    spectrum = np.abs(np.fft.rfft(pulses.numpy() * np.hanning(RATE)))
    harmonics = np.round(f0 * np.arange(1, int(20_000 / f0))).astype(int)
    levels = 20 * np.log10(spectrum[harmonics])
    between = 20 * np.log10(spectrum[np.round(harmonics + f0 / 2).astype(int)] + 1e-9)
    assert np.ptp(levels) < 1.5
    assert between.max() < levels.min() - 70


@pytest.mark.parametrize("f0", [55.0, 440.0, 2093.0])
def test_a_pulse_train_has_unit_power(f0):
    pulses, _ = pulse_train(torch.full((RATE,), f0), torch.zeros(()), RATE)
    assert float(pulses.square().mean()) == pytest.approx(1, rel=0.05)


def test_a_glide_does_not_click():
    f0 = torch.linspace(430, 450, RATE)  # harmonics pass Nyquist on the way
    pulses, _ = pulse_train(f0, torch.zeros(()), RATE)
    spectrum = np.abs(np.fft.rfft(pulses.numpy().reshape(-1, 2100) * np.hanning(2100)))
    valley = spectrum[:, 30]  # 630 Hz lies between the first two harmonics
    assert valley.max() < 0.02 * spectrum[:, 18:24].max()


def test_phase_carries_over():
    f0 = 100 + 50 * torch.rand(4096, generator=torch.Generator().manual_seed(0))
    whole, end = pulse_train(f0, torch.zeros(()), RATE)
    first, phase = pulse_train(f0[:1000], torch.zeros(()), RATE)
    second, phase = pulse_train(f0[1000:], phase, RATE)
    assert torch.allclose(torch.cat([first, second]), whole, atol=1e-5)
    assert float(phase) == pytest.approx(float(end), abs=1e-8)


def test_f0_is_linear_between_frames():
    f0 = f0_per_sample(torch.tensor([100.0, 200.0, 200.0]), 4)
    assert f0.tolist() == [100, 125, 150, 175, 200, 200, 200, 200]


def test_dispersion_flattens_the_pulses():
    # The peak of a low pulse train falls, its power does not change.
    n = 2048
    spectrum = torch.ones(n // 2 + 1)
    pulse = torch.fft.irfft(spectrum.to(torch.complex64), n)
    spread = torch.fft.irfft(torch.polar(spectrum, dispersion_phase(RATE, n)), n)
    assert spread.abs().max() < 0.35 * pulse.abs().max()
    assert float(spread.square().sum()) == pytest.approx(float(pulse.square().sum()), rel=0.01)
