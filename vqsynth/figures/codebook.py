"""Pictures of a descriptor over the codebook: its histogram, and where in the latent space its values lie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vqsynth import descriptors
from vqsynth.storage.atomic import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure


def principal_components(codebook: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Project the vectors onto their two directions of largest variance.

    Returns:
        ``(points [K, 2], share [2])``, share being the part of the variance along each.
    """
    centred = codebook - codebook.mean(0)
    _, singular, directions = np.linalg.svd(centred, full_matrices=False)
    variance = singular**2 / max(float((singular**2).sum()), 1e-20)
    return centred @ directions[:2].T, variance[:2]


def draw(path: str | Path, name: str, values: np.ndarray, codebook: np.ndarray, timbre: str) -> None:
    """Draw histogram and PCA scatter of one descriptor as a PNG of some 30 kB.

    Args:
        path: PNG file, written whole or not at all.
        name: of the descriptor.
        values: ``[K]``, of every code in the descriptor's unit, NaN where it has none.
        codebook: ``[K, D]`` code vectors, D at least 2.
        timbre: name in the title.

    Raises:
        VqsynthError: the file cannot be written.
    """
    from matplotlib.colors import LogNorm, Normalize
    from matplotlib.figure import Figure

    known = np.isfinite(values)
    label, logarithmic = _look(name, values[known])
    figure = Figure(figsize=(10, 4), dpi=80, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.2))
    if known.any():
        _histogram(left, values[known], logarithmic)
    left.set(xlabel=label, ylabel="codes", title=f"{timbre}: {name} of {known.sum()} codes")

    points, share = principal_components(codebook)
    if not known.all():
        what = "unvoiced" if name == "f0" else "silent"
        right.scatter(*points[~known].T, s=9, facecolors="none", edgecolors="#999999", linewidths=0.6, label=what)
        right.legend(loc="best", fontsize=8)
    if known.any():
        order = np.argsort(values[known])
        lo, hi = np.percentile(values[known], [1, 99])
        hi = hi if hi > lo else lo + 1
        colours = (LogNorm if logarithmic else Normalize)(lo, hi)
        dots = right.scatter(*points[known][order].T, c=values[known][order], s=9, norm=colours, cmap="viridis")
        bar = figure.colorbar(dots, ax=right, label=label, extend="both")
        if logarithmic:
            _plain_ticks(bar.ax.yaxis, lo, hi)
    right.set(
        xlabel=f"PCA dimension 0 ({share[0]:.0%} of variance)",
        ylabel=f"PCA dimension 1 ({share[1]:.0%})",
        title="codebook vectors",
    )
    with atomic_path(path) as temporary:
        _save(figure, temporary)


def _look(name: str, values: np.ndarray) -> tuple[str, bool]:
    """Axis label and whether the axis is logarithmic."""
    if name not in descriptors.names():
        return name, False
    descriptor = descriptors.get(name)
    logarithmic = descriptor.scale == "log" and values.size > 0 and values.min() > 0
    return f"{name} ({descriptor.unit})", bool(logarithmic)


def _histogram(axes: Axes, values: np.ndarray, logarithmic: bool) -> None:
    lo, hi = float(values.min()), float(values.max())
    if not hi > lo:
        lo, hi = lo - abs(lo) * 0.01 - 1e-9, hi + abs(hi) * 0.01 + 1e-9
    edges = np.geomspace(lo, hi, 33) if logarithmic else np.linspace(lo, hi, 33)
    axes.hist(values, edges.tolist(), color="#4c72b0")
    if logarithmic:
        axes.set_xscale("log")
        _plain_ticks(axes.xaxis, lo, hi)
    for q in (10, 50, 90):
        at = float(np.percentile(values, q))
        axes.axvline(at, color="#333333", linewidth=0.8, linestyle="-" if q == 50 else ":")
        axes.annotate(
            f"p{q}", (at, 1), xycoords=("data", "axes fraction"), xytext=(2, -9), textcoords="offset points", fontsize=8
        )


def _plain_ticks(axis: Axis, lo: float, hi: float) -> None:
    """Ticks at 1, 2 and 5 times powers of ten, or finer where the range is narrow, as plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

    ratio = hi / lo
    if ratio < 6:
        axis.set_major_locator(MaxNLocator(6))
    else:
        axis.set_major_locator(LogLocator(10, subs=(1, 2, 5) if ratio < 500 else (1,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def _save(figure: Figure, path: Path) -> None:
    """Write a PNG with a palette: a third of the size."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    Image.fromarray(np.ascontiguousarray(pixels)).quantize(224, dither=Image.Dither.NONE).save(
        path, format="PNG", optimize=True
    )
