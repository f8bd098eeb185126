"""The loss of pitch and voicing: least for the truth, counted only where there is one."""

import math

import pytest
import torch

from vqsynth.dsp.losses import pitch_losses, weighted_mean
from vqsynth.dsp.pitch import encode_f0

BINS = 144


def test_the_truth_costs_least_and_a_semitone_costs():
    f0 = torch.tensor([[220.0, 331.0, 0.0]])
    active = torch.tensor([[True, True, True]])
    voicing = torch.tensor([[9.0, 9.0, -9.0]])
    costs = {}
    for semitones in (0, 1, -1, 12):
        pitch = torch.log(encode_f0(f0 * 2 ** (semitones / 12), BINS) + 1e-4)
        costs[semitones], agreement = pitch_losses(pitch, voicing, f0, active)
        assert float(agreement) < 1e-3
    assert costs[0] < min(costs[1], costs[-1]) - 0.5
    assert costs[12] > costs[1]


def test_wrong_voicing_costs_its_logit_and_stays_finite():
    f0 = torch.tensor([[220.0, 0.0]])
    active = torch.ones(1, 2, dtype=torch.bool)
    _, unsure = pitch_losses(torch.zeros(1, 2, BINS), torch.zeros(1, 2), f0, active)
    assert float(unsure) == pytest.approx(math.log(2))
    _, wrong = pitch_losses(torch.zeros(1, 2, BINS), torch.tensor([[-200.0, 200.0]]), f0, active)
    assert float(wrong) == pytest.approx(200)


def test_silence_and_unvoiced_frames_do_not_count():
    f0 = torch.tensor([[220.0, 0.0, 220.0]])
    active = torch.tensor([[True, True, False]])
    pitch = torch.randn(1, 3, BINS, generator=torch.Generator().manual_seed(0))
    first = pitch_losses(pitch, torch.zeros(1, 3), f0, active)
    pitch[:, 1:] += torch.randn(1, 2, BINS, generator=torch.Generator().manual_seed(1))
    second = pitch_losses(pitch, torch.tensor([[0.0, 0.0, 50.0]]), f0, active)
    assert first == second
    nothing = pitch_losses(pitch, torch.zeros(1, 3), f0, torch.zeros(1, 3, dtype=torch.bool))
    assert [float(loss) for loss in nothing] == [0.0, 0.0]


def test_weighted_mean():
    assert float(weighted_mean(torch.tensor([1.0, 3.0, 99.0]), torch.tensor([True, True, False]))) == 2.0


@pytest.mark.parametrize("f0", [110.0, 331.0])
def test_a_pitch_that_says_nothing_costs_the_logarithm_of_the_bins(f0):
    active = torch.ones(1, 1, dtype=torch.bool)
    entropy, _ = pitch_losses(torch.zeros(1, 1, BINS), torch.zeros(1, 1), torch.tensor([[f0]]), active)
    assert float(entropy) == pytest.approx(math.log(BINS), rel=1e-5)
