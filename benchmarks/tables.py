"""Tables as Markdown and CSV, and where in a page they belong."""

from __future__ import annotations

import csv
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path


def markdown(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; the first column is aligned left, the others right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def number(value: float, digits: int = 2, unit: str = "") -> str:
    """A number for a table; a dash where there is none."""
    return "-" if value != value else f"{value:.{digits}f}{unit}"


def percent(share: float, digits: int = 1) -> str:
    """A share as percent."""
    return number(100 * share, digits, " %")


def write_csv(path: Path, rows: Sequence[dict[str, object]]) -> None:
    """Write rows that share their keys."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_into(page: Path, block: str, text: str) -> None:
    """Replace what stands between ``<!-- begin BLOCK -->`` and ``<!-- end BLOCK -->`` in a page.

    Raises:
        SystemExit: the page has no such block.
    """
    begin, end = f"<!-- begin {block} -->", f"<!-- end {block} -->"
    content = page.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(content):
        raise SystemExit(f"error: {page}: has no block {begin} ... {end} to write into")
    page.write_text(pattern.sub(lambda _: f"{begin}\n{text}\n{end}", content), encoding="utf-8")


def machine() -> str:
    """Processor, usable cores and library versions, in one line."""
    import numpy
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        found = re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text())
        name = found.group(1).strip() if found else name
    return (
        f"{name}, {cores} cores usable, {torch.get_num_threads()} torch threads; "
        f"Python {platform.python_version()}, torch {torch.__version__}, numpy {numpy.__version__}"
    )
