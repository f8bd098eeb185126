"""A timbre to be looked at: its codes and units on a plane, and how its descriptors are distributed."""

from __future__ import annotations

from typing import Any

import numpy as np

from vqsynth import descriptors
from vqsynth.figures.codebook import principal_components
from vqsynth.interface.timbre import Timbre
from vqsynth.play.answers import Refused
from vqsynth.units.store import DESCRIPTORS, SILENCE

POINTS = 100_000


def map_of(timbre: Timbre, kind: str, layout: str, x: str, y: str, most: int) -> tuple[np.ndarray, list[str]]:
    """Points of a map: codes, or units as they were played.

    Args:
        timbre: whose.
        kind: ``codes`` or ``units``.
        layout: ``pca`` of the code vectors, or ``descriptors``, which ``x`` and ``y`` name.
        x: descriptor of the first axis.
        y: descriptor of the second axis.
        most: points; of more units every second, third ... is taken.

    Returns:
        float32 [points, columns], NaN where there is no value, and the names of the columns.

    Raises:
        Refused: no such layout or descriptor, or a timbre without units.
    """
    table, codebook = timbre.table, timbre.model.codebook.numpy()
    plane, _ = principal_components(codebook)
    nothing = np.full(0, np.nan)
    if kind == "codes":
        ids, codes, recording = table.codes, table.codes, np.full(table.K, -1)
        values = {name: table.column(name) for name in table.names}
        values.setdefault("f0", np.full(table.K, np.nan))
        values.setdefault("loudness", np.full(table.K, np.nan))
    elif kind == "units":
        units = timbre.units
        if units is None:
            raise Refused(404, "this timbre has no units", "kind", kind)
        ids = np.flatnonzero(np.asarray(units.mark) & SILENCE == 0)
        ids = ids[:: max(1, -(-len(ids) // most))]
        codes, recording = np.asarray(units.code)[ids], units.recording_of(ids)
        values = {name: np.exp2(units.column(name)[ids]) for name in DESCRIPTORS}
        f0 = units.f0()[ids]
        values["f0"] = np.where(f0 > 0, f0, np.nan)
        values["loudness"] = np.asarray(units.loudness, np.float64)[ids]
    else:
        raise Refused(400, "choose codes or units", "kind", kind)
    if layout == "pca":
        across, up = plane[codes].T if len(codes) else (nothing, nothing)
        if kind == "units" and len(codes):
            # Units of one code would lie on one point: they spread by what else is known of them.
            across, up = across + 0.15 * _even(values["loudness"]), up + 0.15 * _even(np.log2(values["centroid"]))
    elif layout == "descriptors":
        for name in (x, y):
            if name not in values:
                raise Refused(400, f"choose {', '.join(values)}", "x" if name == x else "y", name)
        across, up = (
            np.log2(np.maximum(values[name], 1e-9)) if descriptors.get(name).scale == "log" else values[name]
            for name in (x, y)
        )
    else:
        raise Refused(400, "choose pca or descriptors", "layout", layout)
    usage = np.asarray(table.usage)[codes]
    columns = {"id": ids, "x": _within(across), "y": _within(up), **values}
    columns |= {"code": codes, "usage": usage, "recording": recording}
    return np.stack([np.asarray(c, np.float32) for c in columns.values()], 1), list(columns)


def histogram(timbre: Timbre, name: str, bins: int) -> dict[str, Any]:
    """How often a descriptor has which value among the codes, and what a render reaches.

    Raises:
        UsageError: the timbre does not know the descriptor.
    """
    column, known = timbre.table.column(name), descriptors.get(name)
    column = column[np.isfinite(column)]
    low, high = (float(v) for v in timbre.table.percentile(name, [1, 99]))
    if known.scale == "log":
        edges = np.geomspace(max(column.min(), 1e-9), max(column.max(), 2e-9), bins + 1)
    else:
        edges = np.linspace(column.min(), column.max() + 1e-9, bins + 1)
    counts, _ = np.histogram(np.clip(column, edges[0], edges[-1]), edges)
    return {"edges": edges, "counts": counts, "low": low, "high": high, "unit": known.unit, "scale": known.scale}


def _even(values: np.ndarray) -> np.ndarray:
    """Values as differences from their median in units of their spread; 0 where there is none."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values))
    spread = float(np.std(values[known])) or 1.0
    return np.where(known, np.clip((values - np.median(values[known])) / spread, -3, 3), 0.0)


def _within(values: np.ndarray) -> np.ndarray:
    """Values stretched onto -1..1; NaN stays."""
    known = values[np.isfinite(values)]
    if not len(known):
        return values
    low, high = float(known.min()), float(known.max())
    return 2 * (values - low) / max(high - low, 1e-12) - 1
