import math

import numpy as np
import pytest
import scipy.signal
import torch

from vqsynth.dsp.loudness import gain_of_loudness, k_weighting, k_weighting_of, loudness, power_weights


def sine(frequency, amplitude, sample_rate=48_000):
    return (amplitude * np.sin(2 * np.pi * frequency * np.arange(sample_rate) / sample_rate)).astype(np.float32)


def test_reference_tone_of_the_standard():
    # BS.1770-4: a full-scale 997 Hz sine reads -3.01 LKFS.
    assert np.median(loudness(sine(997, 1.0), 48_000)) == pytest.approx(-3.01, abs=0.05)


@pytest.mark.parametrize("sample_rate", [16_000, 44_100, 96_000])
def test_the_rate_does_not_matter(sample_rate):
    assert np.median(loudness(sine(997, 0.1, sample_rate), sample_rate)) == pytest.approx(-23.01, abs=0.1)


def test_twice_the_amplitude_is_six_decibels():
    quiet, loud = (np.median(loudness(sine(440, a), 48_000)) for a in (0.1, 0.2))
    assert loud - quiet == pytest.approx(6.02, abs=0.01)


def test_silence_is_the_floor():
    assert np.all(loudness(np.zeros(4096, np.float32), 44_100) < -115)


def decibels(frequencies):
    return 10 * np.log10(k_weighting(np.asarray(frequencies, float)))


def test_the_weighting_is_the_curve_of_the_standard():
    # Shelf and high-pass by their frequencies, qualities and gain (De Man, 2014), run by scipy.
    frequencies = np.geomspace(20, 20_000, 60)
    k, q = math.tan(math.pi * 1681.974450955533 / 48_000), 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    shelf = [high + band * k / q + k * k, 2 * (k * k - high), high - band * k / q + k * k]
    _, one = scipy.signal.freqz(shelf, [1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k], frequencies, fs=48_000)
    k, q = math.tan(math.pi * 38.13547087602444 / 48_000), 0.5003270373238773
    scale = 1 + k / q + k * k
    pole = [1, 2 * (k * k - 1) / scale, (1 - k / q + k * k) / scale]
    _, two = scipy.signal.freqz([1, -2, 1], pole, frequencies, fs=48_000)
    assert decibels(frequencies) == pytest.approx(20 * np.log10(np.abs(one * two)), abs=0.01)


def test_known_points_of_the_weighting():
    # At 997 Hz it is what the constant of the standard takes away again; treble is lifted by 4 dB.
    assert decibels([997, 100, 10_000]) == pytest.approx([0.691, -1.1, 4.0], abs=0.1)
    assert decibels([1e-3])[0] < -60


def test_the_weighting_of_a_tensor_is_the_same_and_is_held_above_24_khz():
    frequencies = np.geomspace(10, 96_000, 200)
    of_tensor = k_weighting_of(torch.from_numpy(frequencies)).numpy()
    assert of_tensor == pytest.approx(k_weighting(frequencies), rel=1e-3)
    assert k_weighting(np.array([96_000.0])) == pytest.approx(k_weighting(np.array([23_900.0])))


def test_every_bin_counts_for_its_two_sides():
    bins = np.fft.rfftfreq(1024, 1 / 44_100)
    flat = power_weights(44_100, 1024).numpy()[1:] / k_weighting(bins)[1:]
    assert flat[:-1] == pytest.approx(flat[0], rel=1e-4)
    assert flat[-1] == pytest.approx(flat[0] / 2, rel=1e-4)
    assert not power_weights(44_100, 1024).requires_grad


def test_a_frame_is_measured_where_it_stands():
    sound = np.concatenate([np.zeros(24_576, np.float32), sine(997, 0.1)[:24_576]])
    levels = loudness(sound, 48_000)
    assert len(levels) == 1 + len(sound) // 512
    assert np.all(levels[:46] < -100)
    assert levels[48] == pytest.approx(-23.01 - 3.01, abs=0.3)  # half the frame
    assert levels[51:-3] == pytest.approx(-23.01, abs=0.05)


def test_gain_of_a_loudness():
    gains = gain_of_loudness(torch.tensor([-20.0, -40.0, -14.0]))
    assert gains.tolist() == pytest.approx([1, 0.1, 1.99526], rel=1e-5)
    assert float(gain_of_loudness(torch.tensor(-20.0), -40.0)) == pytest.approx(10)


def test_silence_reads_the_floor():
    assert loudness(np.zeros(4096, np.float32), 44_100) == pytest.approx(-120.691, abs=0.01)
