"""Candidates for every frame of a curve: the nearest rows by squared difference, weighted as the frame says.

One index serves all frames of one weight vector. A target that is not asked for in part of a render changes the
weights, so a render has few of them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from vqsynth.units.index import UnitIndex

MOST_INDEXES = 4
"""Weight vectors whose indexes are kept at a time; of a million rows each takes some 20 MB."""
_ROUNDING = 1e-5


@dataclasses.dataclass(frozen=True)
class Candidates:
    """What was found for some frames.

    Attributes:
        ids: rows, nearest first, -1 where an inverted file found fewer; int64 [frames, k].
        square: weighted squared distances, infinite where there is no row; float64 [frames, k].
        least: a squared distance that no complete row beyond these is below, given rounding; minus infinity where the
            search was not exact; float64 [frames].
        complete: whether every row has all values.
    """

    ids: np.ndarray
    square: np.ndarray
    least: np.ndarray
    complete: bool


class Finder:
    """Finds rows near to targets.

    Args:
        columns: float [rows, d], each column in units of its tolerance, NaN where a row has no value.
        kind: ``exact``, ``ivf``, ``hnsw``, or ``auto``: exact up to 50,000 rows.
    """

    def __init__(self, columns: np.ndarray, kind: str = "auto") -> None:
        self.columns, self.kind = columns, kind
        known = np.isfinite(columns)
        # Distances between values far from zero would lose digits.
        sums = np.where(known, columns, 0.0).sum(0, dtype=np.float64)
        self.centre = sums / np.maximum(known.sum(0), 1)
        self._indexes: dict[bytes, tuple[UnitIndex, float, bool]] = {}

    def find(self, targets: np.ndarray, k: int, weights: np.ndarray | None = None) -> np.ndarray:
        """Rows nearest to each frame's targets.

        Args:
            targets: float [frames, d], in the columns' units.
            k: how many; fewer where there are not as many rows.
            weights: of each frame and column, float [frames, d]; 0 leaves a column out. None weighs all alike.

        Returns:
            int64 [frames, k], nearest first, -1 where fewer were found.

        Raises:
            VqsynthError: no row has all values that some frame asks for.
        """
        weights = np.ones_like(targets) if weights is None else weights
        ids = np.full((len(targets), min(k, len(self.columns))), -1, np.int64)
        for row, frames in grouped(weights):
            found = self.search(targets[frames], row, k).ids
            ids[frames, : found.shape[1]] = found
        return ids

    def search(self, targets: np.ndarray, weights: np.ndarray, k: int) -> Candidates:
        """Rows nearest to targets of one weight vector.

        Args:
            targets: float [frames, d].
            weights: float [d].
            k: how many.

        Raises:
            VqsynthError: no row has all values.
        """
        index, longest, complete = self._index(weights)
        used = weights > 0
        queries = ((targets - self.centre) * np.sqrt(weights))[:, used] if used.any() else np.zeros((len(targets), 1))
        distance, ids = index.search(queries, k)
        square = distance.astype(np.float64) ** 2
        if index.kind != "exact":
            least = np.full(len(targets), -np.inf)
        elif ids.shape[1] == len(index):
            least = np.full(len(targets), np.inf)
        else:
            # Single precision: sums of squares are known to some millionths of what they are made of.
            least = np.maximum(square[:, -1] - _ROUNDING * ((queries**2).sum(1) + longest), 0.0)
        return Candidates(ids, square, least, complete)

    def _index(self, weights: np.ndarray) -> tuple[UnitIndex, float, bool]:
        """Index of the rows under these weights, the longest of them squared, and whether all rows are in it."""
        key = np.asarray(weights, np.float64).tobytes()
        if key in self._indexes:
            self._indexes[key] = self._indexes.pop(key)
        else:
            while len(self._indexes) >= MOST_INDEXES:
                self._indexes.pop(next(iter(self._indexes)))
            used = weights > 0
            matrix = np.empty((len(self.columns), max(1, int(used.sum()))), np.float32)
            matrix[:] = 0.0
            for number, column in enumerate(np.flatnonzero(used)):
                values = np.asarray(self.columns[:, column], np.float64) - self.centre[column]
                matrix[:, number] = values * np.sqrt(float(weights[column]))
            index = UnitIndex.build(matrix, self.kind)
            longest = float(np.nanmax((matrix * matrix).sum(1)))
            self._indexes[key] = index, longest, len(index) == len(matrix)
        return self._indexes[key]


def grouped(weights: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Distinct weight vectors and the frames that have them. Shape: [frames, d] -> [d], [n] int64."""
    kinds, kind = np.unique(weights, axis=0, return_inverse=True)
    for number, row in enumerate(kinds):
        yield row, np.flatnonzero(kind.reshape(-1) == number)
