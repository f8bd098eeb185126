"""The index of a codebook: its codes as points in the space of some descriptors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vqsynth.errors import UsageError
from vqsynth.units.index import UnitIndex

if TYPE_CHECKING:
    from vqsynth.library.table import Table


@dataclass(frozen=True)
class Space:
    """Standardised coordinates of some descriptors: logarithm where the scale is one, then z-score, then weight.

    Attributes:
        names: the descriptors.
        mean: of each descriptor, float64 ``[d]``.
        std: of each descriptor, float64 ``[d]``.
        weight: of each descriptor, float64 ``[d]``.
        logarithmic: bool ``[d]``.
    """

    names: tuple[str, ...]
    mean: np.ndarray
    std: np.ndarray
    weight: np.ndarray
    logarithmic: np.ndarray

    @classmethod
    def of(cls, table: Table, names: Sequence[str] | None = None, weights: Mapping[str, float] | None = None) -> Space:
        """The space of ``names`` (default: all of the table) with a weight each (default 1).

        Raises:
            UsageError: a descriptor is not in the table, or a weight is negative or not finite.
        """
        from vqsynth import descriptors

        names = tuple(table.names if names is None else names)
        weight = np.array([float((weights or {}).get(name, 1.0)) for name in names])
        if not (np.isfinite(weight) & (weight >= 0)).all():
            raise UsageError(f"weights of descriptors must be 0 or more, not {', '.join(f'{w:g}' for w in weight)}")
        known = descriptors.names()
        logarithmic = np.array([name in known and descriptors.get(name).scale == "log" for name in names])
        columns = _raw([table.column(name) for name in names], logarithmic)
        with np.errstate(invalid="ignore"):
            finite = np.isfinite(columns)
            count = np.maximum(finite.sum(0), 1)
            mean = np.where(finite, columns, 0.0).sum(0) / count
            std = np.sqrt((np.where(finite, columns - mean, 0.0) ** 2).sum(0) / count)
        return cls(names, mean, np.maximum(std, 1e-6), weight, logarithmic)

    def project(self, values: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
        """Values in the descriptors' units, one array ``[T]`` a descriptor -> float32 ``[T, d]``."""
        return ((_raw(values, self.logarithmic) - self.mean) / self.std * self.weight).astype(np.float32)

    def matrix(self, table: Table) -> np.ndarray:
        """All codes in this space: float32 ``[K, d]``, NaN where a code has no value."""
        return self.project([table.column(name) for name in self.names])

    def index(self, table: Table, among: np.ndarray | None = None, kind: str = "auto") -> UnitIndex:
        """Index the codes (those in the mask ``among [K]``) by these descriptors.

        Raises:
            VqsynthError: no code has them all.
        """
        matrix = self.matrix(table)
        if among is not None:
            matrix[~among] = np.nan
        return UnitIndex.build(matrix, kind)


def table_index(table: Table) -> UnitIndex:
    """The index that is stored with a timbre: all descriptors of the table that any code has, equally weighted."""
    return _table_space(table).index(table)


def is_table_index(index: UnitIndex, table: Table) -> bool:
    """Whether an index holds exactly the points that :func:`table_index` would put in it, by number and dimension."""
    matrix = _table_space(table).matrix(table)
    return index.dimension == matrix.shape[1] and np.array_equal(index.ids, np.flatnonzero(np.isfinite(matrix).all(1)))


def _table_space(table: Table) -> Space:
    return Space.of(table, [name for name in table.names if np.isfinite(table.column(name)).any()])


def _raw(columns: Sequence[np.ndarray] | np.ndarray, logarithmic: np.ndarray) -> np.ndarray:
    """Stack ``d`` columns ``[T]`` into ``[T, d]``, in octaves where logarithmic."""
    stacked = np.stack([np.asarray(column, np.float64) for column in columns], axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        octaves = np.log2(np.maximum(stacked, 1e-9))
    return np.where(logarithmic, np.where(np.isnan(stacked), np.nan, octaves), stacked)
