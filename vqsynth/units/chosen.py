"""Which units are played: a table of their numbers, as a map lets one choose them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from vqsynth.errors import UsageError
from vqsynth.storage.reading import read_text

COLUMN = "unit"


def chosen_units(given: Sequence[int] | str | Path | None) -> tuple[int, ...] | None:
    """Numbers of units, from a sequence or a CSV file with a column ``unit``; None chooses all.

    Raises:
        UsageError: the file is no such table.
    """
    if given is None:
        return None
    if not isinstance(given, (str, Path)):
        return tuple(int(number) for number in given)
    path = Path(given)
    rows = list(csv.DictReader(read_text(path).splitlines()))
    if not rows or COLUMN not in rows[0]:
        raise UsageError(
            f"{path}: needs a column `{COLUMN}` with the numbers of units, and a row for each", field="only"
        )
    try:
        return tuple(int(row[COLUMN]) for row in rows)
    except (TypeError, ValueError):
        raise UsageError(f"{path}: its column `{COLUMN}` must hold whole numbers alone", field="only") from None
