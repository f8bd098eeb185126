"""The index finds what a full search finds."""

import numpy as np
import pytest

from vqsynth.errors import UsageError, VqsynthError
from vqsynth.units.index import EXACT_LIMIT, UnitIndex


def points(n, d, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((20, d))
    return (centres[rng.integers(0, 20, n)] + 0.3 * rng.standard_normal((n, d))).astype(np.float32)


def full_search(matrix, queries, k):
    distance = np.linalg.norm(matrix[None] - queries[:, None], axis=-1)
    order = np.argsort(distance, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(distance, order, 1), order


@pytest.mark.parametrize("kind, recall", [("exact", 1.0), ("ivf", 0.99), ("hnsw", 0.99)])
def test_finds_the_nearest(kind, recall):
    matrix, queries = points(6000, 3), points(50, 3, seed=1)
    index = UnitIndex.build(matrix, kind)
    distance, ids = index.search(queries, 10)
    expected_distance, expected = full_search(matrix, queries, 10)
    found = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(ids, expected)])
    assert found >= recall
    assert (np.diff(distance, axis=1) >= 0).all()
    np.testing.assert_allclose(distance[:, 0], expected_distance[:, 0], atol=1e-3)


def test_auto_is_exact_for_a_codebook_and_an_inverted_file_for_a_corpus():
    assert UnitIndex.build(points(1024, 2)).kind == "exact"
    assert UnitIndex.build(points(EXACT_LIMIT + 1, 2)).kind == "ivf"
    with pytest.raises(UsageError, match="hnsw"):
        UnitIndex.build(points(10, 2), "lsh")


def test_rows_without_value_are_never_found():
    matrix = points(200, 2)
    matrix[::2, 1] = np.nan
    index = UnitIndex.build(matrix)
    _, ids = index.search(points(30, 2, seed=2), 300)
    assert len(index) == 100 and ids.shape == (30, 100)
    assert (ids % 2 == 1).all()
    with pytest.raises(VqsynthError, match="no unit has all"):
        UnitIndex.build(np.full((5, 2), np.nan))


@pytest.mark.parametrize("kind", ["exact", "ivf", "hnsw"])
def test_disk_keeps_the_answers(kind, tmp_path):
    index = UnitIndex.build(points(3000, 4), kind)
    index.save(tmp_path / "index.faiss")
    back = UnitIndex.load(tmp_path / "index.faiss")
    assert back.kind == kind and len(back) == 3000
    queries = points(20, 4, seed=1)
    np.testing.assert_array_equal(back.search(queries, 5)[1], index.search(queries, 5)[1])


@pytest.mark.parametrize("content", [b"", b"not an index", b"IxMp" + b"\0" * 20])
def test_foreign_file_is_refused(content, tmp_path):
    path = tmp_path / "index.faiss"
    path.write_bytes(content)
    with pytest.raises(VqsynthError, match="index.faiss"):
        UnitIndex.load(path)
