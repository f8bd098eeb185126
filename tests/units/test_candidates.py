"""Candidates of every frame are the nearest rows, weighted as the frame says."""

import numpy as np
import pytest

from vqsynth.errors import VqsynthError
from vqsynth.units import candidates
from vqsynth.units.candidates import Finder


def rows(count, d=3, seed=0):
    random = np.random.default_rng(seed)
    # Far from zero, as octaves in units of a tolerance are.
    return 500 + random.standard_normal((20, d))[random.integers(0, 20, count)] * 5 + random.standard_normal((count, d))


def ranked(columns, targets, weights, k):
    square = (weights[:, None] * (targets[:, None] - columns) ** 2).sum(-1)
    return np.argsort(np.where(np.isfinite(square), square, np.inf), axis=1, kind="stable")[:, :k]


def overlap(found, expected):
    return np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(found.tolist(), expected.tolist())])


def test_nearest_rows_under_each_frames_weights():
    columns, targets = rows(3000), rows(60, seed=1)
    weights = np.ones((60, 3))
    weights[20:40, 1], weights[30:50, 2] = 0.01, 4.0
    found = Finder(columns).find(targets, 25, weights)
    assert found.shape == (60, 25) and overlap(found, ranked(columns, targets, weights, 25)) > 0.999
    unweighted = Finder(columns).find(targets, 25)
    assert overlap(unweighted[30:50], ranked(columns, targets, weights, 25)[30:50]) < 0.8


def test_a_weight_of_zero_leaves_a_column_and_its_gaps_out():
    columns, targets = rows(400), rows(10, seed=1)
    columns[::2, 1] = np.nan
    assert (Finder(columns).find(targets, 30) % 2 == 1).all()
    weights = np.tile([1.0, 0.0, 1.0], (10, 1))
    found = Finder(columns).find(targets, 30, weights)
    assert (found % 2 == 0).any()
    np.testing.assert_array_equal(
        np.sort(found, 1), np.sort(ranked(columns[:, [0, 2]], targets[:, [0, 2]], weights[:, [0, 2]], 30), 1)
    )
    assert Finder(columns).find(targets, 5, np.zeros((10, 3))).shape == (10, 5)
    with pytest.raises(VqsynthError, match="no unit has all"):
        Finder(np.full((9, 3), np.nan)).find(targets, 5)


@pytest.mark.parametrize("kind, least", [("auto", 0.98), ("hnsw", 0.94), ("exact", 0.9999)])
def test_many_rows_by_other_indexes(kind, least):
    columns, targets = rows(60_000), rows(40, seed=1)
    finder = Finder(columns, kind)
    assert overlap(finder.find(targets, 40), ranked(columns, targets, np.ones((40, 3)), 40)) > least
    bound = finder.search(targets, np.ones(3), 40).least
    assert np.isfinite(bound).all() if kind == "exact" else (bound == -np.inf).all()


def test_no_row_beyond_the_found_ones_is_below_the_bound():
    columns, targets = rows(2000), rows(50, seed=1)
    weights = np.array([1.0, 0.01, 3.0])
    found = Finder(columns).search(targets, weights, 20)
    square = (weights * (targets[:, None] - columns) ** 2).sum(-1)
    np.put_along_axis(square, found.ids, np.inf, 1)
    assert (square.min(1) >= found.least).all()
    assert (found.least > 0.99 * found.square[:, -1]).mean() > 0.9
    everything = Finder(columns[:15]).search(targets, weights, 20)
    assert everything.ids.shape == (50, 15) and (everything.least == np.inf).all()


def test_few_indexes_are_kept(monkeypatch):
    built = []
    plain = candidates.UnitIndex.build
    monkeypatch.setattr(candidates.UnitIndex, "build", lambda *a: built.append(1) or plain(*a))
    finder, targets = Finder(rows(300)), rows(12, seed=1)
    weights = np.tile([1.0, 1.0, 1.0], (12, 1))
    weights[6:, 0] = 0.01
    for _ in range(5):
        finder.find(targets, 3, weights)
    assert len(built) == 2
    for weight in range(1, 20):
        finder.find(targets[:1], 3, np.full((1, 3), float(weight)))
    assert len(finder._indexes) <= candidates.MOST_INDEXES
