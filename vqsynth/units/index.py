"""Nearest points in descriptor space, with FAISS (Johnson et al., 2019): codes, and frames as they were played.

Up to :data:`EXACT_LIMIT` units the search is exact. Above, an inverted file finds the same units in a hundredth of
the time and is built in a second a million; a navigable small-world graph (HNSW) is as quick to search but takes
a hundred times longer to build, so it is only used when asked for (figures: ``benchmarks/index.py``).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

from vqsynth.errors import UsageError, VqsynthError
from vqsynth.storage.atomic import atomic_path
from vqsynth.storage.reading import read_bytes

EXACT_LIMIT = 50_000
KINDS = ("auto", "exact", "ivf", "hnsw")
LARGEST = 1 << 30
"""Bytes of an index on disk."""
_FLAT = (b"IxF2", b"IxFl", b"IxFI")
_PROBES = 16  # cells of the inverted file that are searched
_BREADTH = 64  # candidates the graph keeps while searching


class UnitIndex:
    """An index of points, each with an integer id. Make one with :meth:`build` or :meth:`load`."""

    def __init__(self, index: Any, kind: str) -> None:
        self.kind = kind
        self._index = index

    def __len__(self) -> int:
        return self._index.ntotal

    @property
    def dimension(self) -> int:
        """Coordinates of a point."""
        return self._index.d

    @property
    def ids(self) -> np.ndarray:
        """The ids of all points in the order in which they were added: int64 ``[N]``."""
        import faiss

        return faiss.vector_to_array(self._index.id_map)

    @classmethod
    def build(cls, matrix: np.ndarray, kind: str = "auto", seed: int = 0) -> UnitIndex:
        """Index the rows of ``matrix [N, d]``; a row with a NaN is left out, the others keep their row as id.

        Args:
            matrix: float ``[N, d]``, a unit a row.
            kind: ``exact``, ``ivf``, ``hnsw``, or ``auto``: by size.
            seed: of the k-means of ``ivf``.

        Raises:
            UsageError: unknown kind.
            VqsynthError: no row is complete.
        """
        import faiss

        if kind not in KINDS:
            raise UsageError(f"unknown index kind '{kind}'; choose one of {', '.join(KINDS)}")
        matrix = np.ascontiguousarray(matrix, dtype=np.float32)
        ids = np.flatnonzero(np.isfinite(matrix).all(1))
        rows = matrix[ids]
        if not len(rows):
            raise VqsynthError("no unit has all of the descriptors asked for, so nothing can be matched; ask for fewer")
        if kind == "auto":
            kind = "exact" if len(rows) <= EXACT_LIMIT else "ivf"
        with _threads():
            if kind == "hnsw":
                inner: Any = faiss.IndexHNSWFlat(rows.shape[1], 16)
                inner.hnsw.efConstruction = 40
                inner.hnsw.efSearch = _BREADTH
            elif kind == "ivf":
                cells = max(1, min(int(2 * np.sqrt(len(rows))), len(rows) // 39))
                inner = faiss.index_factory(rows.shape[1], f"IVF{cells},Flat")
                inner.cp.seed = seed
                inner.cp.max_points_per_centroid = 64
                inner.train(rows)
                inner.nprobe = _PROBES
            else:
                inner = faiss.IndexFlatL2(rows.shape[1])
            index = faiss.IndexIDMap(inner)
            index.add_with_ids(rows, ids.astype(np.int64))
        return cls(index, kind)

    def search(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Find the ``k`` nearest units of each query, nearest first.

        Args:
            queries: float ``[T, d]``.
            k: how many.

        Returns:
            ``(distances [T, k] Euclidean, ids int64 [T, k])`` with ``k`` no more than the index holds. Where an
            inverted file finds fewer, the id is -1 and the distance infinite.
        """
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        if queries.ndim != 2 or queries.shape[1] != self.dimension:
            raise ValueError(f"queries must be [T, {self.dimension}], not {queries.shape}")
        with _threads():
            squared, ids = self._index.search(queries, min(k, len(self)))
        return np.where(ids < 0, np.inf, np.sqrt(np.maximum(squared, 0.0))), ids

    def save(self, path: str | Path) -> None:
        """Write the index, whole or not at all."""
        import faiss

        with atomic_path(path) as temporary:
            try:
                faiss.write_index(self._index, str(temporary))
            except RuntimeError as error:
                raise VqsynthError(f"{path}: could not be written; is the disk full?") from error

    @classmethod
    def load(cls, path: str | Path) -> UnitIndex:
        """Read an index. Check the file against a checksum first: the format has none of its own.

        Raises:
            VqsynthError: missing, or not an index of this suite.
        """
        import faiss

        data = read_bytes(path, "an index", LARGEST)
        if data[37:41] in _FLAT and not _is_flat(data):
            raise VqsynthError(f"{path}: cannot be read as an index; run `vqsynth analyze` to make it anew")
        try:
            index: Any = faiss.deserialize_index(np.frombuffer(data, np.uint8))
            inner = faiss.downcast_index(index.index)
            whole = index.ntotal == inner.ntotal == index.id_map.size() and index.d == inner.d
        except (RuntimeError, MemoryError, AttributeError, ValueError, TypeError) as error:
            raise VqsynthError(f"{path}: cannot be read as an index; run `vqsynth analyze` to make it anew") from error
        kinds = {"IndexFlatL2": "exact", "IndexFlat": "exact", "IndexIVFFlat": "ivf", "IndexHNSWFlat": "hnsw"}
        if not whole or type(inner).__name__ not in kinds:
            raise VqsynthError(f"{path}: an index of a foreign kind; run `vqsynth analyze` to make it anew")
        return cls(index, kinds[type(inner).__name__])


def _is_flat(data: bytes) -> bool:
    """Whether the bytes of an exact index have the sizes that they declare; FAISS would ask for any memory.

    Two headers of 37 bytes (kind, dimension, number of points ...), the coordinates behind their number, the ids behind
    theirs.
    """
    dimension, count = struct.unpack_from("<iq", data, 4)
    middle = 82 + 4 * dimension * count
    if dimension < 1 or count < 0 or len(data) != middle + 8 + 8 * count:
        return False
    sizes = struct.unpack_from("<q", data, 74) + struct.unpack_from("<q", data, middle)
    return sizes == (dimension * count, count) and struct.unpack_from("<iq", data, 41) == (dimension, count)


class _threads:
    """FAISS on one thread within the block.

    A frame is matched in microseconds; waking a thread pool for it costs more, and a second OpenMP pool that spins
    would take the cores from torch's.
    """

    def __enter__(self) -> None:
        import faiss

        self.before = faiss.omp_get_max_threads()
        faiss.omp_set_num_threads(1)

    def __exit__(self, *_: object) -> None:
        import faiss

        faiss.omp_set_num_threads(self.before)
