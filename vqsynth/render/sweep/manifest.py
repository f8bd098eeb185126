"""``manifest.csv`` of a sweep: a row a render, with its settings and every number of its report."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vqsynth.render.sweep.recipe import Item
from vqsynth.storage.atomic import write_text

HEAD = ("name", "status", "error", "warnings", "render_seconds")


@dataclasses.dataclass
class RenderOutcome:
    """How one render of a sweep ended: its report, or an error in one sentence."""

    name: str
    report: dict[str, Any] | None = None
    error: str = ""
    warnings: str = ""
    seconds: float = 0.0
    fresh: bool = True


def write_manifest(folder: Path, items: Sequence[Item], outcomes: Mapping[str, RenderOutcome]) -> None:
    """Write the manifest of all ``items``; those without an outcome are ``missing``.

    Raises:
        VqsynthError: it cannot be written.
    """
    rows = [_row(item, outcomes.get(item.name)) for item in items]
    columns = dict.fromkeys([*HEAD, *(key for row in rows for key in row)])
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(folder / "manifest.csv", text.getvalue())


def read_manifest(folder: Path) -> dict[str, dict[str, str]]:
    """Rows of the folder's manifest by name; none if there is no such file."""
    try:
        with open(folder / "manifest.csv", encoding="utf-8", newline="") as handle:
            return {row["name"]: row for row in csv.DictReader(handle) if row.get("name")}
    except (FileNotFoundError, UnicodeDecodeError, csv.Error):
        return {}


def _row(item: Item, outcome: RenderOutcome | None) -> dict[str, Any]:
    row: dict[str, Any] = {"name": item.name, "status": "missing", **item.settings}
    if outcome is None:
        return row
    row |= {"status": "failed" if outcome.error else "done", "error": outcome.error, "warnings": outcome.warnings}
    if outcome.seconds:
        row["render_seconds"] = round(outcome.seconds, 2)
    for key, value in numbers(outcome.report or {}).items():
        row.setdefault(key, value)
    return row


def numbers(report: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """Every number of a nested report, keys joined by underscores: ``centroid_pearson``."""
    found: dict[str, float] = {}
    for key, value in report.items():
        if isinstance(value, Mapping):
            found |= numbers(value, prefix if key in ("descriptors", "settings") else f"{prefix}{key}_")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found[prefix + key] = value
    return found
