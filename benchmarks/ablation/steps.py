"""Which variants are compared."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from benchmarks.tracking.cases import RANGE, SECONDS, Case, Result, run

STEPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("`nearest`: the original method", {"matcher": "nearest"}),
    ("`path`, pitch free", {"refine": 0, "hold": None}),
    ("`path`, pitch held", {"refine": 0}),
    ("+ pitch bend", {"refine": 1, "tilt": False}),
    ("+ tilt, by expectation (`--refine 1`)", {"refine": 1}),
    ("+ tilt, corrected by one measurement (`--refine 2`, default)", {"refine": 2}),
    ("+ a second correction (`--refine 3`)", {"refine": 3}),
)
PITCH_STEPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("`nearest`: the original method", {"matcher": "nearest"}),
    ("`path`", {"refine": 0}),
    ("+ pitch bend (default)", {}),
)
JUMPS = (0.0, 0.02, 0.1, 0.5, 2.0)
SIZES = (256, 512, 1024)
SUBSETS = 3


def steps(timbre: str, descriptor: str) -> list[tuple[str, Result]]:
    """One step of the method after the other, all on the range that the default render covers."""
    range_ = same_range(timbre, descriptor)
    rows = []
    for label, settings in PITCH_STEPS if descriptor == "f0" else STEPS:
        # Where the pitch is free, percentiles would be those of more codes.
        free = settings.get("matcher") == "nearest" or settings.get("hold", "") is None
        case = Case(timbre, label, ((descriptor, "sin"),), tuple(settings.items()), range_ if free else RANGE)
        rows.append((label, run(case)))
    return rows


def same_range(timbre: str, descriptor: str) -> str:
    """The range in Hz that p10:p90 means to a default render."""
    import vqsynth
    from vqsynth.control.request import Request
    from vqsynth.control.resolve import resolve

    table = vqsynth.load(timbre).table
    aim = resolve([Request(descriptor, "sin", RANGE)], table, np.linspace(0, SECONDS, 100), SECONDS)[0]
    return f"{aim.low:.6g}:{aim.high:.6g}"


def joins(timbre: str) -> list[tuple[str, Result]]:
    """The path with other weights of the join cost, and without what the corpus forgives; pitch free, trims off."""
    from vqsynth.render.match import PathSettings

    own = PathSettings()
    settings = {f"join cost {jump:g}": PathSettings(jump=jump) for jump in sorted({*JUMPS, own.jump})}
    settings[f"join cost {own.jump:g}, corpus transitions ignored"] = dataclasses.replace(own, corpus=0.0)
    rows = []
    for label, path in settings.items():
        label += " (default)" if path == own else ""
        rows.append(
            (label, run(Case(timbre, label, (("centroid", "sin"),), (("refine", 0), ("hold", None), ("path", path)))))
        )
    return rows


def sizes(timbre: str) -> list[tuple[str, list[Result]]]:
    """``path`` on free pitch without trims, and the default, when only some of the codes may be used.

    The codes are drawn at random, three times.

    Returns:
        (label, results of the subsets)
    """
    import vqsynth
    from vqsynth.library.table import Table

    table = vqsynth.load(timbre).table
    rows = []
    for size in [s for s in SIZES if s <= table.K]:
        for name, settings in (("pitch free, trims off", {"refine": 0, "hold": None}), ("default", {})):
            results = []
            for seed in range(SUBSETS if size < table.K else 1):
                kept = np.zeros(table.K, bool)
                kept[np.random.default_rng(seed).choice(table.K, size, replace=False)] = True
                values = {key: np.where(kept, column, np.nan) for key, column in table.values.items()}
                subset = Table(values, table.std, table.usage, table.voicing)
                results.append(run(Case(timbre, name, (("centroid", "sin"),), tuple(settings.items())), table=subset))
            rows.append((f"{size} codes, {name}", results))
    return rows
