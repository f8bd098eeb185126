import pytest
import torch

from vqsynth.dsp.pitch import PitchFilter, decode_f0, encode_f0


@pytest.mark.parametrize("f0", [45.0, 65.4, 440.0, 445.0, 2093.0])
def test_a_blurred_pitch_is_read_back_within_a_cent(f0):
    blurred = encode_f0(torch.tensor([f0]), 144)
    cents = 1200 * torch.log2(decode_f0((blurred + 1e-9).log()) / f0)
    assert abs(float(cents)) < 1


def test_unvoiced_frames_are_empty():
    assert not encode_f0(torch.tensor([0.0]), 144).any()


def distribution(hz: torch.Tensor) -> torch.Tensor:
    return torch.log(encode_f0(hz, 144) + 1e-4)


def test_the_pitch_filter_keeps_the_octave_that_single_frames_confuse():
    hz = torch.full((60,), 220.0)
    clear, octave = distribution(hz), distribution(2 * hz)
    confused = clear.clone()
    confused[30:32] = torch.logaddexp(clear, octave + 0.4)[30:32]
    assert decode_f0(confused)[30] == pytest.approx(440, rel=0.02)
    assert PitchFilter(144)(confused).tolist() == pytest.approx([220.0] * 60, rel=0.003)


def test_the_pitch_filter_follows_leaps_and_glides():
    leap = torch.cat([torch.full((30,), 220.0), torch.full((30,), 330.0)])
    followed = PitchFilter(144)(distribution(leap))
    assert followed[:30].tolist() == pytest.approx([220.0] * 30, rel=0.003)
    assert followed[32:].tolist() == pytest.approx([330.0] * 28, rel=0.003)
    glide = 220 * torch.exp2(torch.arange(60) / 43)  # an octave in half a second
    assert PitchFilter(144)(distribution(glide)).tolist() == pytest.approx(glide.tolist(), rel=0.003)


def test_the_pitch_filter_streams():
    hz = 220 * torch.exp2(torch.sin(torch.arange(50) / 5))
    logits = distribution(hz) + 0.5 * torch.randn(50, 144, generator=torch.Generator().manual_seed(0))
    whole = PitchFilter(144)(logits)
    filter = PitchFilter(144)
    assert torch.allclose(torch.cat([filter(part) for part in logits.split(7)]), whole, rtol=1e-5)
