"""What the recordings of a timbre measure; kept in ``recordings.csv``, so that they are not needed again."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.life.measures import UNITS, Measured, measure, together
from benchmarks.life.modulation import BANDS, FLOOR, distance
from benchmarks.tables import write_csv

KEPT = Path(__file__).with_name("recordings.csv")
SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
DRAWS = 40
RENDER_SECONDS = 24.0


@dataclasses.dataclass(frozen=True)
class Real:
    """A timbre's recordings.

    Attributes:
        values: measure -> mean over all recordings.
        modulation: [3, 6] dB, of all recordings.
        held_out: [3, 6] dB, of those that the timbre was not trained on; None without any.
        halves: mean distance in dB between two halves of the recordings.
        draw: mean distance in dB of recordings of 24 s in all from all the others.
    """

    values: dict[str, float]
    modulation: np.ndarray
    held_out: np.ndarray | None
    halves: float
    draw: float


def measure_folder(folder: Path, held_out: list[str], told: Callable[[str], object] = print) -> list[dict[str, object]]:
    """Measure all recordings below a folder.

    Args:
        folder: of sound files.
        held_out: names of the files that the timbre was not trained on.
        told: what is being done.

    Returns:
        Rows of ``recordings.csv``: all, two halves (every other file), held out.

    Raises:
        SystemExit: there are fewer than two recordings in which a note is held.
    """
    files = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES]
    found: list[tuple[Path, Measured]] = []
    for number, path in enumerate(files, 1):
        one = measure(path)
        told(f"{number}/{len(files)} {path.name}: {one.held:.1f} s held")
        if one.held > 0:
            found.append((path, one))
    if len(found) < 2:
        raise SystemExit(f"error: {folder}: fewer than two recordings in which a note is held")
    measured = [one for _, one in found]
    halves, draw = spread(measured)
    kept = [one for path, one in found if is_held_out(path, held_out)]
    parts = {"all": measured, "half a": measured[::2], "half b": measured[1::2], "held out": kept}
    return [
        {
            "recordings": name,
            "files": len(part),
            **{key: f"{value:.5g}" for key, value in together(part).record().items()},
            "between halves dB": f"{halves:.4g}" if name == "all" else "",
            "draw of 24 s dB": f"{draw:.4g}" if name == "all" else "",
        }
        for name, part in parts.items()
        if part
    ]


def is_held_out(path: Path, held_out: list[str]) -> bool:
    """Whether a card that names ``held_out`` means this file; several folders' files may carry their folders' names."""
    stems = [Path(name).stem for name in held_out]
    return path.stem in stems or any(stem.endswith(f"{path.parent.name}-{path.stem}") for stem in stems)


def spread(measured: list[Measured], seed: int = 0) -> tuple[float, float]:
    """Distances in dB within the recordings: between random halves, and of 24 s from the rest; means of 40 draws."""
    rng = np.random.default_rng(seed)
    halves, draws = [], []
    for _ in range(DRAWS):
        order = [measured[i] for i in rng.permutation(len(measured))]
        middle = len(order) // 2
        halves.append(distance(together(order[:middle]).modulation, together(order[middle:]).modulation))
        seconds = np.cumsum([one.held for one in order])
        enough = min(int(np.searchsorted(seconds, RENDER_SECONDS)) + 1, middle)
        draws.append(distance(together(order[:enough]).modulation, together(order[enough:]).modulation))
    return float(np.mean(halves)), float(np.mean(draws))


def keep(timbre: str, rows: list[dict[str, object]], path: Path = KEPT) -> None:
    """Put a timbre's rows in place of its former ones."""
    every: list[dict[str, object]] = [{"timbre": timbre, **row} for row in rows]
    every += [dict(row) for row in _read(path) if row["timbre"] != timbre]
    write_csv(path, sorted(every, key=lambda row: str(row["timbre"])))


def kept(path: Path = KEPT) -> dict[str, Real]:
    """Timbre -> what its recordings measure."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for row in _read(path):
        found.setdefault(row["timbre"], {})[row["recordings"]] = row
    return {
        timbre: Real(
            {name: float(rows["all"][name]) for name in UNITS},
            _spectrum(rows["all"]),
            _spectrum(rows["held out"]) if "held out" in rows else None,
            float(rows["all"]["between halves dB"]),
            float(rows["all"]["draw of 24 s dB"]),
        )
        for timbre, rows in found.items()
    }


def _read(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _spectrum(row: dict[str, str]) -> np.ndarray:
    return np.array([[float(row[f"{name} {band} Hz"]) for band in BANDS] for name in FLOOR])
