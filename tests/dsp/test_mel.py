import librosa
import numpy as np
import pytest
import torch

from vqsynth.dsp.mel import absolute_mel, band_interpolation, hz_to_mel, mel_filters, mel_to_hz, relative_mel
from vqsynth.dsp.stft import power_spectrogram


def test_mel_and_back():
    frequencies = np.array([20.0, 440.0, 1000.0, 20_000.0])
    assert mel_to_hz(hz_to_mel(frequencies)) == pytest.approx(frequencies)
    assert hz_to_mel(1000.0) == pytest.approx(1000, abs=0.1)


def test_the_scale_is_that_of_htk():
    frequencies = np.array([0.0, 30.0, 440.0, 1000.0, 5000.0, 22_050.0])
    assert hz_to_mel(frequencies) == pytest.approx(librosa.hz_to_mel(frequencies, htk=True), rel=1e-9)


@pytest.mark.parametrize("rate, n_fft, bands, top", [(44_100, 2048, 96, 16_000), (16_000, 1024, 40, 8_000)])
def test_mel_filters_are_those_of_librosa(rate, n_fft, bands, top):
    filters = mel_filters(rate, n_fft, bands).numpy()
    expected = librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=bands, fmin=30, fmax=top, htk=True, norm=None).T
    edges = librosa.mel_frequencies(bands + 2, fmin=30, fmax=top, htk=True)
    bins = librosa.fft_frequencies(sr=rate, n_fft=n_fft)
    wide = np.diff(edges)[:-1] > bins[1]
    assert wide.sum() > bands / 2
    assert np.allclose(filters[:, wide], (expected / np.maximum(expected.sum(0), 1e-9))[:, wide], atol=1e-6)
    # Narrow ones keep their centre and read their two nearest bins.
    narrow = np.maximum(np.diff(edges)[:-1], np.diff(edges)[1:]) < bins[1]
    assert (bins @ filters)[narrow] == pytest.approx(edges[1:-1][narrow], abs=0.01)
    assert np.all((filters[:, ~wide] > 0).sum(0) <= 3)
    assert np.all(np.abs(bins[filters.argmax(0)] - edges[1:-1]) < bins[1])


def test_every_mel_filter_reads_something_and_sums_to_one():
    filters = mel_filters(44_100, 2048, 96)
    assert torch.allclose(filters.sum(0), torch.ones(96), atol=1e-5)
    peaks = filters.argmax(0)
    assert (peaks[1:] >= peaks[:-1]).all()


def test_a_flat_filter_stays_flat():
    matrix = band_interpolation(44_100, 2048, 112)
    assert torch.allclose(matrix.sum(0), torch.ones(1025), atol=1e-5)


def test_a_knot_raises_its_own_frequency():
    knots = librosa.mel_frequencies(64, fmin=30, fmax=22_050, htk=True)
    bins = librosa.fft_frequencies(sr=44_100, n_fft=2048)
    matrix = band_interpolation(44_100, 2048, 64).numpy()
    heard = knots > 200  # knots below lie closer than bins
    assert np.all(np.abs(bins[matrix.argmax(1)] - knots)[heard] <= bins[1])
    values = np.random.default_rng(0).standard_normal(64)
    mels = librosa.hz_to_mel(knots, htk=True)
    expected = np.interp(librosa.hz_to_mel(bins, htk=True), mels, values)
    assert values @ matrix == pytest.approx(expected, abs=1e-4)


def test_a_full_scale_sine_is_0_db_and_levels_are_read_back():
    sine = torch.sin(2 * torch.pi * 100 * torch.arange(8192) / 1024)
    power = power_spectrogram(sine, 1024, 256)[4:-4]
    loudness = torch.full((len(power),), -3.0)
    relative = relative_mel(power, torch.eye(513), loudness, 1024)
    absolute = absolute_mel(relative, loudness)
    assert absolute[:, 100].numpy() == pytest.approx(0, abs=0.01)
    assert absolute[:, 99].numpy() == pytest.approx(-6.02, abs=0.01)
    # 80 dB below the loudness nothing is told apart.
    assert absolute[:, 300].numpy() == pytest.approx(-83, abs=1e-3)
    assert relative.min() == -1.25


def test_a_relative_mel_does_not_know_the_level():
    noise = torch.randn(1, 16_384, generator=torch.Generator().manual_seed(0))
    power, filters = power_spectrogram(noise, 1024, 256), mel_filters(44_100, 1024, 40)
    loudness = torch.zeros(power.shape[:-1])
    loud = relative_mel(power, filters, loudness, 1024)
    quiet = relative_mel(power / 100, filters, loudness - 20, 1024)
    assert torch.allclose(loud, quiet, atol=1e-5)
    # A tenth of the amplitude alone is half a unit down; nothing reads more than 1.25.
    assert torch.allclose(loud - relative_mel(power / 100, filters, loudness, 1024), torch.tensor(0.5), atol=1e-4)
    assert torch.all(relative_mel(power * 1e9, filters, loudness, 1024) == 1.25)
