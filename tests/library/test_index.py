"""The space of a codebook's descriptors, with the weights asked for."""

import numpy as np
import pytest

from vqsynth.errors import UsageError
from vqsynth.library.index import Space, table_index
from vqsynth.library.table import Table


@pytest.fixture
def table():
    rng = np.random.default_rng(5)
    f0 = 220 * 2 ** rng.uniform(0, 2, 300)
    f0[:40] = np.nan
    return Table({"centroid": 2 ** rng.uniform(9, 12, 300), "f0": f0, "loudness": rng.normal(-20, 0.5, 300)})


def test_space_is_standardised_in_octaves(table):
    space = Space.of(table)
    matrix = space.matrix(table)
    finite = np.isfinite(matrix).all(1)
    assert finite.sum() == 260
    np.testing.assert_allclose(np.nanmean(matrix, 0), 0, atol=1e-5)
    np.testing.assert_allclose(np.nanstd(matrix, 0), 1, atol=1e-5)
    one, two, four = space.project([[500, 1000, 2000], [220, 440, 880], [-20, -20, -20]])[:, 0]
    assert two - one == pytest.approx(four - two, rel=1e-4)


def test_nearest_by_one_descriptor_is_the_argmin(table):
    space = Space.of(table, ["centroid"])
    targets = np.geomspace(600, 3500, 40)
    _, codes = space.index(table).search(space.project([targets]), 1)
    expected = np.abs(np.log2(table.column("centroid")[None] / targets[:, None])).argmin(1)
    np.testing.assert_array_equal(codes[:, 0], expected)


def test_weight_decides_between_descriptors(table):
    asked = [np.full(1, 1500.0), np.full(1, 440.0)]
    error = {}
    for weight in (0.05, 20.0):
        space = Space.of(table, ["centroid", "f0"], {"f0": weight})
        code = space.index(table).search(space.project(asked), 1)[1][0, 0]
        error[weight] = abs(np.log2(table.column("f0")[code] / 440))
    assert error[20.0] < error[0.05]
    with pytest.raises(UsageError, match="weights"):
        Space.of(table, ["f0"], {"f0": -1.0})


def test_mask_limits_the_codes(table):
    among = table.column("centroid") > 2000
    space = Space.of(table, ["centroid"])
    _, codes = space.index(table, among).search(space.project([[600.0]]), 5)
    assert among[codes].all()


def test_stored_index_knows_every_voiced_code(table):
    index = table_index(table)
    assert index.dimension == 3 and len(index) == 260
    matrix = Space.of(table).matrix(table)
    distance, codes = index.search(matrix[40:], 1)
    np.testing.assert_array_equal(codes[:, 0], np.arange(40, 300))
    assert distance.max() < 1e-3
