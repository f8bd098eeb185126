import numpy as np
import pytest
import torch

from vqsynth.dsp.excitation import dispersion_phase, f0_per_sample, pulse_train, pulses_of_phase

RATE = 44_100
PHASES = [-2.1254, -9.3536, -2.6897, -0.2026]


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
def test_a_pulse_train_has_unit_power_less_what_fades(f0):
    pulses, _ = pulse_train(torch.full((RATE,), f0), torch.zeros(()), RATE)
    harmonics = RATE / 2 / f0
    power = np.floor(harmonics) - 1 + (harmonics % 1) ** 2
    assert float(pulses.square().mean()) == pytest.approx(power / harmonics, rel=0.01)


def test_a_glide_does_not_click():
    f0 = torch.linspace(430, 450, RATE)  # harmonics pass Nyquist on the way
    pulses, _ = pulse_train(f0, torch.zeros(()), RATE)
    spectrum = np.abs(np.fft.rfft(pulses.numpy().reshape(-1, 2100) * np.hanning(2100)))
    valley = spectrum[:, 30]  # 630 Hz lies between the first two harmonics
    assert valley.max() < 0.02 * spectrum[:, 18:24].max()


def test_nothing_lies_above_nyquist_to_come_back():
    """Between the harmonics, nothing: one above Nyquist would be mirrored there."""
    f0 = 4200.0  # Nyquist is at 5.25 of it
    pulses, _ = pulse_train(torch.full((RATE,), f0), torch.zeros(()), RATE)
    spectrum = np.abs(np.fft.rfft(pulses.numpy() * np.hanning(RATE)))
    harmonics = [int(f0 * number) for number in range(1, 6)]
    for peak in harmonics:
        spectrum[peak - 4 : peak + 5] *= 1e-9
    assert spectrum.max() < 1e-4 * RATE / 4


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


def test_pulses_are_a_sum_of_cosines():
    generator = torch.Generator().manual_seed(0)
    phase = torch.cat([2 * torch.pi * torch.rand(500, generator=generator, dtype=torch.float64), torch.zeros(20)])
    harmonics = 1 + 60 * torch.rand(520, generator=generator, dtype=torch.float64)
    number = torch.arange(1, 70, dtype=torch.float64)
    amplitude = (harmonics[:, None] - number).clamp(0, 1)
    expected = (amplitude * torch.cos(number * phase[:, None])).sum(1) * torch.sqrt(2 / harmonics)
    assert torch.allclose(pulses_of_phase(phase, harmonics), expected, atol=1e-6)


def test_pulses_stand_where_the_phase_is_a_whole_turn():
    pulses, end = pulse_train(torch.full((441,), 100.0), torch.zeros(()), RATE)
    assert int(pulses.argmax()) == 440
    assert float(pulses.max()) == pytest.approx(219.5 * (2 / 220.5) ** 0.5, rel=1e-3)
    assert float(torch.cos(end)) == pytest.approx(1)
    # A quarter of a turn ahead, the first comes after three quarters of a period.
    shifted, _ = pulse_train(torch.full((441,), 100.0), torch.tensor(np.pi / 2), RATE)
    assert abs(int(shifted.argmax()) - 330) <= 1


def test_a_harmonic_enters_without_a_step():
    phase = torch.linspace(0, 6, 100, dtype=torch.float64)
    for whole in (2.0, 10.0):
        below, above = (pulses_of_phase(phase, torch.full((100,), whole + step)) for step in (-1e-7, 1e-7))
        assert torch.allclose(below, above, atol=1e-5)


def test_the_dispersion_is_fixed_and_delays_by_milliseconds():
    phase = dispersion_phase(RATE, 2048).double()
    assert torch.equal(dispersion_phase(RATE, 2048).double(), phase)
    delays = -torch.diff(phase) / (2 * np.pi * RATE / 2048) * 1000
    assert 0.75 < float(delays[:300].std()) < 3
    # It wanders: neighbouring bins are delayed alike.
    assert float(torch.diff(delays).abs().max()) < 1.5
    # Every model that ships was trained with this one.
    assert phase[[10, 100, 500, 1000]].tolist() == pytest.approx(PHASES, abs=0.01)
    assert torch.allclose(dispersion_phase(RATE, 2048, 3.0).double(), 2 * phase, rtol=1e-4, atol=1e-3)
