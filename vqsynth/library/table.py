"""The descriptor table of a codebook: what every code sounds like.

On disk a CSV with a row per code: ``code,usage``, then for each descriptor its value and its spread
(``centroid,centroid_std``), and ``f0_voicing``, the share of voiced frames. An empty cell says that the code
has no such value: it has no pitch, or it is silent.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

import numpy as np

from vqsynth.errors import UsageError, VqsynthError, nearest_names
from vqsynth.storage.atomic import write_text
from vqsynth.storage.reading import read_text

STD, VOICING = "_std", "f0_voicing"
REMEDY = "run `vqsynth analyze` to make it anew"


@dataclass
class Table:
    """Descriptor values per code.

    Attributes:
        values: name -> float64 ``[K]`` in the descriptor's unit, NaN where the code has none.
        std: name -> float64 ``[K]``, standard deviation over the analyzed frames.
        usage: int64 ``[K]``, how often the training recordings use the code.
        voicing: float64 ``[K]``, share of voiced frames 0..1, or None if pitch was not analyzed.
    """

    values: dict[str, np.ndarray]
    std: dict[str, np.ndarray] = field(default_factory=dict)
    usage: np.ndarray | None = None
    voicing: np.ndarray | None = None

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("a table needs at least one descriptor")
        self.values = {name: np.asarray(column, np.float64) for name, column in self.values.items()}
        nan = np.full(self.K, np.nan)
        self.std = {name: np.asarray(self.std.get(name, nan), np.float64) for name in self.values}
        self.usage = np.zeros(self.K, np.int64) if self.usage is None else np.asarray(self.usage, np.int64)
        columns = [*self.values.values(), *self.std.values(), self.usage]
        if self.voicing is not None:
            self.voicing = np.asarray(self.voicing, np.float64)
            columns.append(self.voicing)
        if any(column.shape != (self.K,) for column in columns):
            raise ValueError("all columns of a table have one value per code")

    @property
    def K(self) -> int:
        """Number of codes."""
        return len(next(iter(self.values.values())))

    @property
    def codes(self) -> np.ndarray:
        """int64 ``[K]``: 0 to K - 1."""
        return np.arange(self.K)

    @property
    def names(self) -> tuple[str, ...]:
        """The descriptors of the table, in its order."""
        return tuple(self.values)

    def column(self, name: str) -> np.ndarray:
        """Values of one descriptor, NaN where a code has none: float64 ``[K]``.

        Raises:
            UsageError: the table has no such descriptor.
        """
        if name not in self.values:
            raise UsageError(f"descriptor '{name}' is not in this timbre's table; {nearest_names(name, self.names)}")
        return self.values[name]

    @overload
    def percentile(self, name: str, q: float, among: np.ndarray | None = None) -> float: ...

    @overload
    def percentile(self, name: str, q: Sequence[float] | np.ndarray, among: np.ndarray | None = None) -> np.ndarray: ...

    def percentile(
        self, name: str, q: float | Sequence[float] | np.ndarray, among: np.ndarray | None = None
    ) -> float | np.ndarray:
        """Value below which ``q`` percent of the codes lie, among those in the mask ``among [K]``.

        Raises:
            UsageError: unknown descriptor, or none of these codes has a value.
        """
        column = self.column(name)
        column = column[np.isfinite(column) if among is None else np.isfinite(column) & among]
        if not column.size:
            raise UsageError(f"descriptor '{name}': none of the codes asked for has a value, so it has no range")
        found = np.percentile(column, q)
        return float(found) if np.ndim(found) == 0 else found

    def save(self, path: str | Path) -> None:
        """Write the CSV, whole or not at all."""
        columns: dict[str, np.ndarray] = {"code": self.codes, "usage": np.asarray(self.usage)}
        for name in self.names:
            columns[name], columns[name + STD] = self.values[name], self.std[name]
            if name == "f0" and self.voicing is not None:
                columns[VOICING] = self.voicing
        if self.voicing is not None:
            columns.setdefault(VOICING, self.voicing)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        digits = {name: ".4g" if name.endswith(STD) or name == VOICING else ".7g" for name in columns}
        digits.update(code="d", usage="d")
        for row in zip(*columns.values()):
            writer.writerow(["" if v != v else format(v, digits[name]) for name, v in zip(columns, row)])
        write_text(path, text.getvalue())

    @classmethod
    def load(cls, path: str | Path) -> Table:
        """Read the CSV; the order of rows and columns does not matter.

        Raises:
            VqsynthError: the file cannot be read as a table; the message names the file, the line and the column.
        """
        path = Path(path)
        header, rows = _read(path)
        for required in ("code", "usage"):
            if required not in header:
                raise VqsynthError(f"{path}: has no column '{required}', so it is not a descriptor table; {REMEDY}")
        columns = {name: np.array([_number(path, i, name, row[j]) for i, row in rows]) for j, name in enumerate(header)}
        codes = columns.pop("code")
        order = np.argsort(codes)
        if not np.array_equal(codes[order], np.arange(len(codes))):
            raise VqsynthError(f"{path}: column 'code' must hold every code from 0 to {len(codes) - 1} once; {REMEDY}")
        usage = columns.pop("usage")[order]
        if not (np.isfinite(usage) & (usage >= 0) & (usage < 2**62)).all():
            raise VqsynthError(f"{path}: column 'usage' must hold counts, 0 or more; {REMEDY}")
        voicing = columns.pop(VOICING, None)
        if voicing is not None and not ((voicing >= 0) & (voicing <= 1)).all():
            raise VqsynthError(f"{path}: column '{VOICING}' must hold shares from 0 to 1; {REMEDY}")
        values = {name: column[order] for name, column in columns.items() if not name.endswith(STD)}
        if not values:
            raise VqsynthError(f"{path}: holds no descriptor; {REMEDY}")
        std = {name[: -len(STD)]: column[order] for name, column in columns.items() if name.endswith(STD)}
        _check_logarithmic(path, values)
        return cls(values, std, usage.astype(np.int64), None if voicing is None else voicing[order])


def _read(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header and numbered rows of a CSV file."""
    try:
        text = read_text(path, "a descriptor table")
    except VqsynthError as error:
        raise VqsynthError(f"{error}; {REMEDY}") from None
    try:
        lines = [(i, row) for i, row in enumerate(csv.reader(io.StringIO(text)), 1) if any(c.strip() for c in row)]
    except csv.Error as error:
        raise VqsynthError(f"{path}: is not a CSV file ({error}); {REMEDY}") from error
    if len(lines) < 2:
        raise VqsynthError(f"{path}: holds no codes; {REMEDY}")
    header = [cell.strip() for cell in lines[0][1]]
    if len(set(header)) < len(header) or "" in header:
        raise VqsynthError(f"{path}: has an unnamed column or two of one name; {REMEDY}")
    for number, row in lines[1:]:
        if len(row) != len(header):
            raise VqsynthError(f"{path}, line {number}: has {len(row)} cells, the header has {len(header)}; {REMEDY}")
    return header, lines[1:]


def _number(path: Path, line: int, column: str, cell: str) -> float:
    """A cell as a number; NaN where it is empty."""
    try:
        value = float(cell) if cell.strip() else math.nan
    except ValueError as error:
        raise VqsynthError(f"{path}, line {line}, column '{column}': '{cell}' is not a number; {REMEDY}") from error
    if math.isinf(value):
        raise VqsynthError(f"{path}, line {line}, column '{column}': the value is infinite; {REMEDY}")
    return value


def _check_logarithmic(path: Path, values: dict[str, np.ndarray]) -> None:
    """Frequencies and ratios are compared by their logarithm: they must be above 0."""
    from vqsynth import descriptors

    for name in set(values) & set(descriptors.names()):
        if descriptors.get(name).scale == "log" and (values[name] <= 0).any():
            line = int(np.flatnonzero(values[name] <= 0)[0])
            raise VqsynthError(f"{path}, code {line}, column '{name}': must be above 0; {REMEDY}")
