"""Tables that users write: rows of a CSV file, and the numbers in their cells."""

from __future__ import annotations

import csv
from pathlib import Path

from vqsynth.errors import UsageError
from vqsynth.storage.reading import read_text

LARGEST = 1e15
"""No number that is asked for can be larger: what is drawn through such numbers is still finite."""


def csv_rows(path: Path) -> list[tuple[int, list[str]]]:
    """Rows of a CSV file with their line numbers, without comments and empty lines.

    Cells are separated by commas, semicolons or tabs.

    Raises:
        UsageError: the file is missing, too large or not text, or a cell of it has more than 131,072 characters.
    """
    text = read_text(path, "a curve", error=UsageError)
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    lines = [(number, line) for number, line in lines if line.strip(",; \t") and not line.startswith("#")]
    rows = []
    for number, line in lines:
        delimiter = next((mark for mark in "\t;" if mark in line), ",")
        if delimiter == ";":  # spreadsheets that separate by semicolons write decimal commas
            line = line.replace(",", ".")
        try:
            cells = next(csv.reader([line], delimiter=delimiter))
        except csv.Error as error:
            raise UsageError(f"{path}, line {number}: not a row of a CSV file ({error}); correct it") from None
        rows.append((number, [cell.strip() for cell in cells]))
    return rows


def is_number(cell: str) -> bool:
    """Whether a cell is a number (which may be NaN) and no title."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def finite(cell: str, where: str, what: str, after: float | None = None) -> float:
    """Read a cell as a finite number, at least ``after``.

    Raises:
        UsageError: it is not; the message begins with ``where``.
    """
    number = float(cell) if is_number(cell) else None
    if number is None or not abs(number) <= LARGEST:
        raise UsageError(f"{where}: {what} {cell!r} is not a finite number; write one such as 1.5")
    if after is not None and number < after:
        raise UsageError(f"{where}: time runs backwards from {after:g} to {number:g} s; sort the rows by time")
    return number
