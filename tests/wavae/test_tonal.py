import numpy as np
import pytest
import torch

from vqsynth.dsp.mel import mel_filters
from vqsynth.wavae.training.material.tonal import find_partials, harmonic_distance, noise_between

RATE, N_FFT, CELLS = 44_100, 2048, 512
TIME = np.arange(63 * 512 + N_FFT) / RATE


def noise(level=0.1, seed=0):
    return level * torch.randn(1, len(TIME), generator=torch.Generator().manual_seed(seed))


def tones(*hz, level=0.1):
    return torch.from_numpy(sum(level * np.cos(2 * np.pi * f * TIME + f) for f in hz)).float()[None]


def test_partials_of_a_chord_are_found_where_they_are():
    played = (220.0, 331.5, 498.0, 1003.7, 5012.3)
    found = find_partials(tones(*played) + noise(1e-4), RATE, N_FFT, CELLS)
    middle = found.frequency[0, 32][found.present[0, 32]]
    for hz in played:
        assert float((middle - hz).abs().min()) < 0.2
    loud = found.magnitude[0, 32, :CELLS][found.present[0, 32]] > 0.02 * N_FFT / 4
    # Below 1,500 Hz the longer frame may choose the cell beside.
    assert len(played) <= int(loud.sum()) <= len(played) + 3


def test_noise_is_not_tonal():
    found = find_partials(noise(), RATE, N_FFT, CELLS)
    lobes = torch.nn.functional.max_pool1d(found.present.float(), 3, 1, 1)
    power = found.magnitude[..., :CELLS].square()
    assert float((power * lobes).sum() / power.sum()) < 0.2


def test_a_glide_is_tonal():
    sweep = 600 * TIME + 400 * TIME**2  # a sixth in a second
    found = find_partials(torch.from_numpy(0.1 * np.cos(2 * np.pi * sweep)).float()[None], RATE, N_FFT, CELLS)
    here = found.frequency[0].gather(1, found.magnitude[0, :, :CELLS].argmax(1, keepdim=True))[4:60, 0]
    expected = 600 + 800 * (torch.arange(4, 60) * 512 + N_FFT / 2) / RATE
    assert float((here - expected).abs().max()) < 2
    assert found.present[0, 4:60].any(1).float().mean() > 0.95


def test_noise_between_the_harmonics_of_a_chord_is_measured():
    """Also where no partial is found: every voice's harmonics are known."""
    level, hz = 0.02, (196.0, 293.7)
    audio = sum(tones(*(f0 * n for n in range(1, int(9000 / f0))), level=0.05) for f0 in hz) + noise(level)
    bands = mel_filters(RATE, 2 * N_FFT, 32, fmax=RATE / 2)
    partials = find_partials(audio, RATE, N_FFT, CELLS)
    partials.present.zero_()
    expected = level**2 * float(torch.hann_window(N_FFT).square().sum())
    errors = []
    for pitches in (hz, hz[:1]):
        frames = torch.tensor(pitches).expand(1, 64, -1)
        measured, known = noise_between(audio, partials, frames, bands, RATE)
        inner = known[0, 8:-8] & (torch.arange(32) < 24)
        errors.append(float((10 * torch.log10(measured[0, 8:-8] / expected))[inner].abs().median()))
    assert errors[0] < 1.5 and errors[1] > 6


@pytest.mark.parametrize("hz", [90.0, 250.0])
def test_noise_between_harmonics_is_measured(hz):
    level = 0.02
    audio = tones(*(hz * n for n in range(1, int(9000 / hz))), level=0.05) + noise(level)
    f0 = torch.full((1, 64), hz)
    bands = mel_filters(RATE, 2 * N_FFT, 32, fmax=RATE / 2)
    measured, known = noise_between(audio, find_partials(audio, RATE, N_FFT, CELLS), f0[..., None], bands, RATE)
    expected = level**2 * float(torch.hann_window(N_FFT).square().sum())
    inside = slice(4, 24)
    off = 10 * torch.log10(measured[0, 8:56].mean(0) / expected)[inside]
    assert known[0, 32, inside].float().mean() > 0.9
    assert float(off.abs().max()) < 2.0


def test_distance_from_harmonics():
    distance, number = harmonic_distance(torch.tensor([100.0, 212.0, 330.0]), torch.tensor([100.0, 0.0]))
    assert distance[0].tolist() == pytest.approx([0, 12, 30], abs=1e-3)
    assert number.tolist() == [[1, 2, 3], [0, 0, 0]]


def test_low_partials_are_told_apart():
    """65 Hz: partials three bins apart, which a frame of 46 ms shows as one ridge."""
    found = find_partials(tones(*(65.4 * n for n in range(2, 12))) + noise(1e-3), RATE, N_FFT, CELLS)
    cells = [round(65.4 * n * N_FFT / RATE) for n in range(2, 12)]
    near = torch.nn.functional.max_pool1d(found.present[:, 16:48].float(), 3, 1, 1)[0]
    assert float(near[:, cells].mean()) > 0.9
