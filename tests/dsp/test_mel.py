import numpy as np
import pytest
import torch

from vqsynth.dsp.mel import band_interpolation, hz_to_mel, mel_filters, mel_to_hz


def test_mel_and_back():
    frequencies = np.array([20.0, 440.0, 1000.0, 20_000.0])
    assert mel_to_hz(hz_to_mel(frequencies)) == pytest.approx(frequencies)
    assert hz_to_mel(1000.0) == pytest.approx(1000, abs=0.1)


def test_every_mel_filter_reads_something_and_sums_to_one():
    filters = mel_filters(44_100, 2048, 96)
    assert torch.allclose(filters.sum(0), torch.ones(96), atol=1e-5)
    peaks = filters.argmax(0)
    assert (peaks[1:] >= peaks[:-1]).all()


def test_a_flat_filter_stays_flat():
    matrix = band_interpolation(44_100, 2048, 112)
    assert torch.allclose(matrix.sum(0), torch.ones(1025), atol=1e-5)
