"""The matchers: nearest is nearest, the path is the cheapest of all and smoother."""

import itertools

import numpy as np
import pytest

from vqsynth.control.resolve import ResolvedTarget
from vqsynth.errors import UsageError
from vqsynth.library.table import Table
from vqsynth.render import match as matching
from vqsynth.render.match import Costs, PathSettings, jump_costs, match, nearest, path


def goal(name, values, weight=1.0):
    values = np.asarray(values, float)
    ends = values.min(), values.max()
    return ResolvedTarget(name, "Hz", True, "test", values, np.ones(len(values), bool), weight, *ends, ends, "test")


def table(codes=200, seed=0):
    random = np.random.default_rng(seed)
    columns = {"centroid": random.uniform(500, 4000, codes), "f0": random.uniform(200, 800, codes)}
    return Table(columns, std={"f0": np.zeros(codes)}, usage=random.integers(1, 50, codes), voicing=np.ones(codes))


def test_nearest_takes_the_code_whose_value_is_nearest():
    codes, wanted = table(), np.linspace(600, 3900, 50)
    chosen = nearest(Costs([goal("centroid", wanted)], codes, prior=False), 50)
    log = np.log2(codes.column("centroid"))
    assert np.array_equal(chosen, np.abs(np.log2(wanted)[:, None] - log).argmin(1))


def test_path_is_the_cheapest_of_all_sequences():
    codes = table(5)
    costs = Costs([goal("centroid", [900, 2000, 3500, 1500, 1400])], codes)
    jumps = jump_costs(np.random.default_rng(1).standard_normal((5, 3)).astype(np.float32), 1.0, None, PathSettings())
    local = costs(0, 5)

    def total(sequence):
        return sum(local[t, c] for t, c in enumerate(sequence)) + sum(
            jumps[a, b] for a, b in itertools.pairwise(sequence)
        )

    found = path(costs, 5, jumps, PathSettings(candidates=5))
    assert total(found) == pytest.approx(min(total(s) for s in itertools.product(range(5), repeat=5)), rel=1e-5)


def test_path_jumps_less_than_nearest_and_stays_near_the_target():
    codes, codebook = table(400), np.random.default_rng(2).standard_normal((400, 8)).astype(np.float32)
    wanted = 1500 * 2 ** np.sin(np.linspace(0, 6, 600))
    log = np.log2(codes.column("centroid"))

    def jump(c):
        return np.linalg.norm(np.diff(codebook[c], axis=0), axis=1).mean()

    by_path = match("path", [goal("centroid", wanted)], codes, codebook, 600)
    by_nearest = match("nearest", [goal("centroid", wanted)], codes, codebook, 600)
    assert jump(by_path) < 0.6 * jump(by_nearest)
    assert np.median(np.abs(log[by_path] - np.log2(wanted))) < 0.1


def test_transitions_of_the_corpus_are_cheaper():
    codebook = np.eye(3, dtype=np.float32)
    jumps = jump_costs(codebook, 1.0, np.array([[0, 1, 30]]), PathSettings())
    assert jumps[0, 1] < jumps[0, 2] == pytest.approx(jumps[1, 0])
    assert np.all(np.diag(jumps) == 0)


def test_blocks_of_a_long_path_join_without_a_seam(monkeypatch):
    codes, codebook = table(300, 3), np.random.default_rng(3).standard_normal((300, 8)).astype(np.float32)
    costs = Costs([goal("centroid", 1500 * 2 ** np.sin(np.linspace(0, 20, 1000)))], codes)
    jumps = jump_costs(codebook, None, None, PathSettings())
    whole = path(costs, 1000, jumps)
    monkeypatch.setattr(matching, "_BLOCK", 150)
    monkeypatch.setattr(matching, "_OVERLAP", 60)
    assert np.mean(path(costs, 1000, jumps) == whole) > 0.99


def test_a_code_without_pitch_is_never_taken_for_one():
    codes = table(50, 4)
    codes.values["f0"][:10] = np.nan
    codes.voicing[10:20] = 0.2
    for matcher in ("nearest", "path"):
        chosen = match(matcher, [goal("f0", np.geomspace(210, 790, 200))], codes, np.eye(50, dtype=np.float32), 200)
        assert chosen.min() >= 20


def test_a_far_pitch_is_worse_than_a_far_brightness():
    columns = {"centroid": np.array([1000.0, 4000.0]), "f0": np.array([440.0, 550.0])}
    two = Table(columns, std={"f0": np.zeros(2)}, usage=np.ones(2, int), voicing=np.ones(2))
    resolved = [goal("centroid", [4000.0] * 9), goal("f0", [440.0] * 9)]
    assert (match("path", resolved, two, np.eye(2, dtype=np.float32), 9) == 0).all()


def test_unknown_matcher():
    with pytest.raises(UsageError, match="choose one of nearest, path"):
        match("best", [], table(), np.eye(200, dtype=np.float32), 10)
