import numpy as np
import pytest

from vqsynth.dsp.loudness import loudness


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
