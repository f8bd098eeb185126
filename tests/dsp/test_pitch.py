import pytest
import torch

from vqsynth.dsp.pitch import bins_of_f0, decode_f0, encode_f0, f0_of_bins


@pytest.mark.parametrize("f0", [45.0, 65.4, 440.0, 445.0, 2093.0])
def test_a_blurred_pitch_is_read_back_within_a_cent(f0):
    blurred = encode_f0(torch.tensor([f0]), 144)
    cents = 1200 * torch.log2(decode_f0((blurred + 1e-9).log()) / f0)
    assert abs(float(cents)) < 1


def test_unvoiced_frames_are_empty():
    assert not encode_f0(torch.tensor([0.0]), 144).any()


def test_bins_are_quarter_tones_from_40_hz():
    assert bins_of_f0(torch.tensor([40.0, 80.0, 320.0])).tolist() == pytest.approx([0, 24, 72], abs=1e-4)
    assert float(bins_of_f0(torch.tensor(0.0))) < -100
    assert f0_of_bins(torch.tensor([0.0, 24.0, 12.0])).tolist() == pytest.approx([40, 80, 56.5685])


def test_the_blur_is_four_fifths_of_a_bin():
    near = encode_f0(torch.tensor(80.0), 144)[22:27].tolist()
    assert near == pytest.approx([0.04394, 0.45783, 1, 0.45783, 0.04394], abs=1e-3)


@pytest.mark.parametrize(
    "peak, other, mean", [(50, 53, 51.2), (50, 47, 48.8), (50, 54, 50), (0, 1, 0.4), (143, 142, 142.6)]
)
def test_a_pitch_is_the_mean_within_three_bins_of_the_peak(peak, other, mean):
    share = torch.zeros(144)
    share[peak], share[other] = 0.6, 0.4
    assert float(bins_of_f0(decode_f0((share + 1e-12).log()))) == pytest.approx(mean, abs=0.01)
