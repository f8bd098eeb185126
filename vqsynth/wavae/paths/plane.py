"""A place between four sounds: A at (0, 0), B at (1, 0), C at (0, 1), D at (1, 1), still or moving."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vqsynth.errors import UsageError
from vqsynth.storage.tables import csv_rows, finite, is_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CORNERS = ((0, 0), (1, 0), (0, 1), (1, 1))
NAMES = "ABCD"


def corner_weights(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Bilinear weights of the corners. Shape: x, y [frames] in 0..1 -> [frames, 4], rows that sum to 1."""
    return np.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y], -1)


def parse_point(text: str) -> tuple[float, float]:
    """Read ``x,y``.

    Raises:
        UsageError: not two numbers, or one outside 0..1.
    """
    parts = text.split(",")
    if len(parts) != 2 or not all(is_number(part) for part in parts):
        raise UsageError(
            "write two numbers from 0 to 1 with a comma between, such as 0.5,0.25", field="point", value=text
        )
    x, y = (float(part) for part in parts)
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise UsageError("lies outside the plane; both numbers must be 0 to 1", field="point", value=text)
    return x, y


def read_trajectory(path: str | Path) -> np.ndarray:
    """Read rows of ``time,x,y``; a header is optional, times are in seconds and rise.

    Returns:
        [points, 3] float64

    Raises:
        UsageError: the file is missing or not text, has fewer than two rows, other than three columns, a value
            that is no finite number, a point outside 0..1, or times that run backwards; the message gives the line.
    """
    rows = csv_rows(Path(path))
    if rows and not is_number(rows[0][1][0]):
        rows = rows[1:]
    if len(rows) < 2:
        raise UsageError(
            f"{path}: {len(rows)} point(s) make no path; write two or more rows of time,x,y, or use `point=x,y`"
        )
    points: list[tuple[float, ...]] = []
    for line, cells in rows:
        where = f"{path}, line {line}"
        if len(cells) != 3:
            raise UsageError(f"{where}: found {len(cells)} column(s) and need 3; write time,x,y")
        time = finite(cells[0], where, "time", points[-1][0] if points else None)
        x, y = (finite(cell, where, name) for cell, name in zip(cells[1:], "xy"))
        if not (0 <= x <= 1 and 0 <= y <= 1):
            raise UsageError(f"{where}: ({x:g}, {y:g}) lies outside the plane; x and y must be 0 to 1")
        points.append((time, x, y))
    return np.array(points)


def along(trajectory: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where a trajectory [points, 3] is at ``times`` [frames]: x and y [frames], on lines, held beyond its ends."""
    return tuple(np.interp(times, trajectory[:, 0], trajectory[:, i]) for i in (1, 2))


def draw_plane(axes: Axes, x: np.ndarray, y: np.ndarray, seconds: np.ndarray, names: Sequence[str]) -> None:
    """Draw a trajectory on the square of its four sounds, coloured by time. Shape: x, y, seconds [frames]."""
    still = np.ptp(x) == 0 and np.ptp(y) == 0
    if still:
        axes.plot(x[:1], y[:1], "o", color="#d1495b", ms=9)
    else:
        dots = axes.scatter(x, y, c=seconds, cmap="viridis", s=7)
        axes.plot(x[:1], y[:1], "o", color="black", ms=7, mfc="white")
        axes.plot(x[-1:], y[-1:], "s", color="black", ms=7, mfc="white")
        bar = axes.figure.colorbar(dots, ax=axes, orientation="horizontal", pad=0.02, aspect=30)
        bar.set_label("time (s); from circle to square", fontsize=9)
        bar.ax.tick_params(labelsize=8)
    for (right, up), letter, name in zip(CORNERS, NAMES, names):
        axes.annotate(
            f"{letter}: {name}",
            (right, up),
            xytext=(0, 12 if up else -26),
            textcoords="offset points",
            ha="right" if right else "left",
            va="center",
            fontsize=9,
            weight="bold",
        )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal", xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    axes.xaxis.labelpad = 18
    axes.set_xlabel("x", fontsize=9)
    axes.set_ylabel("y", fontsize=9)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.3)
