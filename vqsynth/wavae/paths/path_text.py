"""Latent paths as text: CSV for a spreadsheet, lines for a Max coll."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vqsynth.errors import VqsynthError
from vqsynth.storage.reading import read_text
from vqsynth.storage.tables import csv_rows, finite

if TYPE_CHECKING:
    from vqsynth.wavae.network.config import WavaeConfig
    from vqsynth.wavae.paths.latent_path import LatentPath

UNITS = {"loudness": "loudness_db", "pitch": "pitch_hz", "voicing": "voicing", "centroid": "centroid_hz"}
"""Column of a control."""


def csv_text(path: LatentPath) -> str:
    """A header, then a row a frame: time in s, controls, principal coordinates."""
    header = ["time_s", *(UNITS[name] for name in path.names), *(f"pc{d + 1}" for d in range(path.z.shape[1]))]
    rows = zip(path.times, _table(path))
    return "\n".join([",".join(header), *(f"{time:.6f}," + ",".join(values) for time, values in rows)]) + "\n"


def coll_text(path: LatentPath) -> str:
    """A line a frame: its number, a comma, controls and principal coordinates, a semicolon."""
    return "".join(f"{number}, {' '.join(values)};\n" for number, values in enumerate(_table(path)))


def _table(path: LatentPath) -> list[list[str]]:
    coordinates = path.pca.coordinates(path.z.astype(np.float64))
    return [[f"{value:.7g}" for value in row] for row in np.hstack([path.controls, coordinates]).tolist()]


def read_csv(file: Path, config: WavaeConfig) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read what :func:`csv_text` wrote, also after a spreadsheet saved it; other columns are ignored.

    Returns:
        (times [frames] s, controls [frames, n_controls], coordinates [frames, latent_dim]), float64

    Raises:
        VqsynthError: a column is missing, or there are no rows.
        UsageError: a cell is no finite number; gives its line.
    """
    rows = csv_rows(file)
    header = [cell.lower() for cell in rows[0][1]] if rows else []
    axes = [name for name in header if re.fullmatch(r"pc\d+", name)]
    wanted = ["time_s", *(UNITS[name] for name in config.controls), *(f"pc{d + 1}" for d in range(config.latent_dim))]
    if axes and set(axes) != set(wanted[-config.latent_dim :]):
        raise VqsynthError(
            f"{file}: has {len(axes)} principal coordinates, but the model has {config.latent_dim}, "
            f"pc1 to pc{config.latent_dim}; "
            "name the model that made it"
        )
    missing = [name for name in wanted if name not in header]
    controls = [UNITS[name] for name in config.controls[1:]]
    if missing and set(missing) <= set(controls):
        raise VqsynthError(
            f"{file}: has no {' and no '.join(missing)}, which the model is controlled by; encode the sound again"
        )
    if missing:
        raise VqsynthError(
            f"{file}: not a latent path, its first line has no {', '.join(missing[:3])}; "
            "make one with `vqsynth wavae encode`"
        )
    columns = [header.index(name) for name in wanted]
    table = [
        [
            finite(cells[column] if column < len(cells) else "", f"{file}, line {line}", name)
            for column, name in zip(columns, wanted)
        ]
        for line, cells in rows[1:]
    ]
    return _parts(file, table, 1, config)


def read_coll(file: Path, config: WavaeConfig) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """Read what :func:`coll_text` wrote: indices 0, 1, 2 ... in any order, as a coll may store them.

    Returns:
        (None, controls [frames, n_controls], coordinates [frames, latent_dim]), float64

    Raises:
        VqsynthError: not lines of ``index, values;``, a wrong number of values, or a missing index.
        UsageError: no finite number.
    """
    text = read_text(file, "a coll")
    width, table = len(config.controls) + config.latent_dim, {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        match = re.fullmatch(r"\s*(\d{1,18})\s*,(.*);\s*", line)
        if match is None:
            raise VqsynthError(
                f"{file}, line {number}: not a line of a Max coll; write index, values; such as 0, -20.5 0.1 0.2;"
            )
        cells = match.group(2).split()
        if len(cells) != width:
            raise VqsynthError(
                f"{file}, line {number}: has {len(cells)} values, but the model's frames have {width}; "
                "name the model that made it, or encode the sound again"
            )
        table[int(match.group(1))] = [finite(cell, f"{file}, line {number}", "value") for cell in cells]
    absent = next((index for index in range(len(table)) if index not in table), None)
    if absent is not None:
        raise VqsynthError(f"{file}: index {absent} is missing; number the frames from 0 without gaps")
    _, controls, coordinates = _parts(file, [table[index] for index in range(len(table))], 0, config)
    return None, controls, coordinates


def _parts(
    file: Path, table: list[list[float]], before: int, config: WavaeConfig
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if not table:
        raise VqsynthError(f"{file}: holds no frames; make a path with `vqsynth wavae encode`")
    times, controls, coordinates = np.split(np.array(table), [before, before + len(config.controls)], 1)
    return times[:, 0] if before else times, controls, coordinates
