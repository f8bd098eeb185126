import pytest
import torch

from vqsynth.dsp.pitch import decode_f0, encode_f0


@pytest.mark.parametrize("f0", [45.0, 65.4, 440.0, 445.0, 2093.0])
def test_a_blurred_pitch_is_read_back_within_a_cent(f0):
    blurred = encode_f0(torch.tensor([f0]), 144)
    cents = 1200 * torch.log2(decode_f0((blurred + 1e-9).log()) / f0)
    assert abs(float(cents)) < 1


def test_unvoiced_frames_are_empty():
    assert not encode_f0(torch.tensor([0.0]), 144).any()
