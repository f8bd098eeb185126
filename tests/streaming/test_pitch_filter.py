"""One pitch through a stream: the octave stays, leaps and glides are followed."""

import pytest
import torch

from vqsynth.dsp.pitch import decode_f0, encode_f0
from vqsynth.streaming.module import twin
from vqsynth.streaming.pitch_filter import PitchFilter


def follow(logits: torch.Tensor) -> torch.Tensor:
    """A new stream's answer. Shape: [frames, bins] -> [frames] Hz."""
    return twin(PitchFilter(144))(logits[None])[0]


def distribution(hz: torch.Tensor) -> torch.Tensor:
    return torch.log(encode_f0(hz, 144) + 1e-4)


def test_the_pitch_filter_keeps_the_octave_that_single_frames_confuse():
    hz = torch.full((60,), 220.0)
    clear, octave = distribution(hz), distribution(2 * hz)
    confused = clear.clone()
    confused[30:32] = torch.logaddexp(clear, octave + 0.4)[30:32]
    assert decode_f0(confused)[30] == pytest.approx(440, rel=0.02)
    assert follow(confused).tolist() == pytest.approx([220.0] * 60, rel=0.003)


def test_the_pitch_filter_follows_leaps_and_glides():
    leap = torch.cat([torch.full((30,), 220.0), torch.full((30,), 330.0)])
    followed = follow(distribution(leap))
    assert followed[:30].tolist() == pytest.approx([220.0] * 30, rel=0.003)
    assert followed[32:].tolist() == pytest.approx([330.0] * 28, rel=0.003)
    glide = 220 * torch.exp2(torch.arange(60) / 43)  # an octave in half a second
    assert follow(distribution(glide)).tolist() == pytest.approx(glide.tolist(), rel=0.003)
