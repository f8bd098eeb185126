"""Phases of a run: when they begin, how their rates go, and where older checkpoints stand."""

import numpy as np
import pytest
import torch

from vqsynth.training.checkpoint import phase_of
from vqsynth.training.phases import Moment, Phase, cosine, cosine_over_run, phase_at, warm_up


def phases(*begins):
    return [Phase(name, begin, lambda moment: {}, {}, {"a": 2.0, "b": 0.5}) for name, begin in zip("xyz", begins)]


def moment(number=0, phase_number=0, share=0.0, done=0.0):
    random, generator = np.random.default_rng(0), torch.Generator()
    return Moment(phases(0.0)[0], number, phase_number, share, done, random, generator)


@pytest.mark.parametrize(
    ("share", "name", "done"),
    [(0.0, "x", 0.0), (0.15, "x", 0.5), (0.3, "y", 0.0), (0.75, "z", 0.0), (0.875, "z", 0.5), (1.0, "z", 1.0)],
)
def test_a_phase_ends_where_the_next_one_begins(share, name, done):
    phase, part = phase_at(phases(0.0, 0.3, 0.75), share)
    assert phase.name == name and part == pytest.approx(done)


def test_a_phase_without_length_is_passed_over():
    assert phase_at(phases(0.0, 0.0, 0.75), 0.0)[0].name == "y"
    assert phase_at(phases(0.0, 0.5, 1.0), 0.99)[0].name == "y"


def test_losses_are_weighted_and_others_only_shown():
    phase = phases(0.0)[0]
    losses = {"a": torch.tensor(1.0), "b": torch.tensor(4.0), "shown": torch.tensor(100.0)}
    assert float(phase.total(losses)) == 4.0
    assert float(phase.total(losses, {"b": 0.5})) == 3.0
    assert float(phase.total({"a": torch.tensor(1.0)})) == 2.0


def test_rates_rise_and_fall():
    assert warm_up(10)(1.0, moment(phase_number=4)) == 0.5
    assert warm_up(10)(1.0, moment(phase_number=500, done=0.9)) == 1.0
    fall = cosine(10, 0.03)
    assert fall(2.0, moment(phase_number=4)) == 1.0  # half risen
    assert fall(2.0, moment(phase_number=99, done=0.5)) == pytest.approx(2 * 0.515)
    assert fall(2.0, moment(phase_number=99, done=1.0)) == pytest.approx(2 * 0.03)
    run = cosine_over_run(10, 0.02)
    assert run(1.0, moment(number=99, phase_number=0, share=0.0)) == 1.0  # a new phase does not begin anew
    assert run(1.0, moment(number=99, share=1.0)) == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("progress", "name"),
    [({"phase": "y"}, "y"), ({"phase_before": "x"}, "x"), ({"started": False}, "x"), ({"started": True}, "z")],
)
def test_checkpoints_of_all_versions_know_their_phase(progress, name):
    assert phase_of(progress, phases(0.0, 0.3, 0.75)).name == name
    assert not progress
