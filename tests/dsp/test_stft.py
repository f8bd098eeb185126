"""Frames on the project's grid: centred, of known power, and summed back to the sound."""

import pytest
import torch

from vqsynth.dsp.stft import frame_spectra, hann, overlap_add, power_spectrogram


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_a_frame_has_the_energy_of_its_windowed_samples():
    sound = noise(4096)
    power = power_spectrogram(sound, 512, 128)
    sides = torch.full((257,), 2.0)
    sides[[0, -1]] = 1.0
    for frame in (4, 10, 20):
        piece = sound[frame * 128 - 256 : frame * 128 + 256] * hann(512)
        assert float(power[frame] @ sides / 512) == pytest.approx(float(piece.square().sum()), rel=1e-4)


def test_a_frame_is_centred_on_its_sample():
    click = torch.zeros(2048)
    click[5 * 128] = 1.0
    power = power_spectrogram(click, 512, 128)
    # A click in the middle of a Hann window is whole and flat; a hop away it has a quarter of its power.
    assert torch.allclose(power[5], torch.ones(257), atol=1e-5)
    assert torch.allclose(power[[4, 6]], torch.tensor(0.25), atol=1e-5)
    assert float(power[[3, 7]].max()) < 1e-6


@pytest.mark.parametrize("samples", [1, 127, 128, 1000])
def test_frames_are_one_and_a_hop_each_with_silence_around(samples):
    power = power_spectrogram(noise(2, 3, samples), 512, 128)
    assert power.shape == (2, 3, 1 + samples // 128, 257)
    one = power_spectrogram(noise(2, 3, samples)[1, 2], 512, 128)
    assert torch.allclose(power[1, 2], one, atol=1e-4)


def test_spectra_are_those_of_whole_frames():
    sound = noise(1000)
    spectra = frame_spectra(sound, 256, 64)
    assert spectra.shape == (12, 129)
    assert torch.allclose(torch.fft.irfft(spectra[3]), sound[192:448] * hann(256), atol=1e-5)


def test_overlapping_frames_sum_to_twice_the_sound():
    sound = noise(1, 4096)
    back = overlap_add(torch.fft.irfft(frame_spectra(sound, 512, 128)), 128)
    assert back.shape == (1, 4096)
    assert torch.allclose(back[:, 384:-384], 2 * sound[:, 384:-384], atol=1e-5)


def test_frames_are_summed_where_they_belong():
    frames = torch.tensor([[[1.0, 2, 3, 4], [10, 20, 30, 40], [100, 200, 300, 400]]])
    assert overlap_add(frames, 2).tolist() == [[1, 2, 13, 24, 130, 240, 300, 400]]


def test_the_window_is_a_periodic_hann():
    window = hann(256)
    assert window[0] == 0 and window[128] == 1
    assert torch.allclose(window[1:], window[1:].flip(0), atol=1e-6)
    assert torch.allclose(window[:128] + window[128:], torch.ones(128), atol=1e-6)
