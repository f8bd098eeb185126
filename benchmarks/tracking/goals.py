"""What is to be reached, and whether it was: the worst of a timbre's targets decides."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from benchmarks.tables import markdown, number, percent
from benchmarks.tracking.cases import CONFIGURATIONS, Result

PEARSON = {"path": 0.985, "default": 0.998}
RELATIVE = {"path": 0.04, "default": 0.01}
CENTS = {"path": 10.0, "default": 5.0}
VOICED = 0.99
HELD_WITHIN, HELD_RELATIVE = 0.95, 0.02
TILT, BEND = 1.5, 20.0
ROUGHNESS = 2.0

HEADER = (
    "timbre",
    "descriptor",
    "`nearest`",
    "`path`, trims off",
    "default",
    "`path`, pitch free",
    "default, pitch free",
    "voiced",
    "mean trim",
    "roughness",
    "range, Hz",
    "",
)


@dataclasses.dataclass(frozen=True)
class Worst:
    """The worst scores of one configuration over the targets."""

    pearson: float
    error: float
    valid: float
    tilt: float
    bend: float
    roughness: float
    low: float
    high: float

    def cell(self, pitch: bool) -> str:
        error = number(self.error, 1, " c") if pitch else percent(self.error)
        return f"{correlation(self.pearson)}, {error}"


def correlation(value: float) -> str:
    """Pearson's r, cut to four digits and not rounded, so that it never looks better than it is."""
    return number(np.floor(1e4 * value) / 1e4, 4)


def worst(results: Sequence[Result], descriptor: str) -> Worst | None:
    """Worst values of several renders, or None if one of them failed or there is none."""
    scores = [r.scores.get(descriptor) for r in results]
    if not scores or None in scores:
        return None
    # numpy's extremes keep a nan, which reaches no goal.
    return Worst(
        pearson=float(np.min([s.pearson for s in scores])),
        error=float(np.max([s.cents if descriptor == "f0" else s.relative for s in scores])),
        valid=float(np.min([s.valid for s in scores])),
        tilt=float(np.max([r.trims["tilt_db_per_octave"] for r in results])),
        bend=float(np.max([r.trims["bend_cents"] for r in results])),
        roughness=float(np.max([r.roughness for r in results])),
        low=results[0].low,
        high=results[0].high,
    )


def failures(found: dict[str, Worst | None], descriptor: str) -> list[str]:
    """What falls short, in words; empty when all goals are met."""
    short = []
    for name in PEARSON:
        it = found.get(name)
        if it is None:
            short.append(f"{name} failed")
            continue
        if descriptor == "f0":
            if not it.error <= CENTS[name]:
                short.append(f"{name}: {it.error:.1f} cents")
            if not it.valid >= VOICED:
                short.append(f"{name}: voiced {percent(it.valid)}")
        else:
            if not it.pearson >= PEARSON[name]:
                short.append(f"{name}: r {correlation(it.pearson)}")
            if not it.error <= RELATIVE[name]:
                short.append(f"{name}: {percent(it.error)}")
    default, path = found.get("default"), found.get("path")
    if default and not (default.tilt < TILT and default.bend < BEND):
        short.append("trim")
    if path and path.roughness > ROUGHNESS:
        short.append(f"roughness {path.roughness:.2f}")
    return short


def tracking_table(results: Sequence[Result]) -> tuple[str, int, int]:
    """Markdown table of the single-descriptor renders, rows that pass, and rows in all."""
    goal = "goal (path, default)"
    rows: list[list[str]] = [
        [
            goal,
            "centroid, bandwidth",
            "report",
            "0.985, 4 %",
            "0.998, 1 %",
            "report",
            "report",
            "",
            "< 1.5 dB/oct, < 20 c",
            "< 2",
            "",
            "",
        ],
        [goal, "f0", "report", "10 c", "5 c", "", "", "99 %", "< 20 c", "< 2", "", ""],
    ]
    passed = 0
    keys = list(dict.fromkeys((r.case.timbre, r.case.asked[0][0]) for r in results))
    for timbre, descriptor in keys:
        own = [r for r in results if (r.case.timbre, r.case.asked[0][0]) == (timbre, descriptor)]
        found = {
            name: worst([r for r in own if r.case.configuration == name], descriptor)
            for name in dict.fromkeys(r.case.configuration for r in own)
        }
        short = failures(found, descriptor)
        passed += not short
        cells = [it.cell(descriptor == "f0") if (it := found.get(name)) else "-" for name in CONFIGURATIONS]
        default, path = found.get("default"), found.get("path")
        trim = (
            "-"
            if default is None
            else f"{default.bend:.1f} c" + ("" if descriptor == "f0" else f", {default.tilt:.2f} dB/oct")
        )
        rows.append(
            [
                timbre,
                descriptor,
                *cells,
                percent(default.valid) if default and descriptor == "f0" else "",
                trim,
                number(path.roughness) if path else "-",
                f"{default.low:.0f} to {default.high:.0f}" if default else "-",
                f"short: {'; '.join(short)}" if short else "pass",
            ]
        )
    return markdown(HEADER, rows), passed, len(keys)


def held_table(results: Sequence[Result]) -> tuple[str, int, int]:
    """Markdown table of centroid sines over a held note, rows that pass, and rows in all."""
    header = [
        "timbre",
        "note",
        "f0 within 20 cents",
        "f0 median",
        "centroid r",
        "centroid error",
        "range, Hz",
        "mean trim",
        "",
    ]
    rows = [["goal", "", "95 % of frames", "", "", "2 %", "", "", ""]]
    passed = 0
    for result in results:
        note = result.case.asked[1][1]
        if result.error:
            rows.append([result.case.timbre, note, *["-"] * 6, f"short: {result.error}"])
            continue
        centroid, f0 = result.scores["centroid"], result.scores["f0"]
        good = f0.within >= HELD_WITHIN and centroid.relative <= HELD_RELATIVE
        passed += bool(good)
        rows.append(
            [
                result.case.timbre,
                note,
                percent(f0.within),
                number(f0.cents, 1, " c"),
                correlation(centroid.pearson),
                percent(centroid.relative),
                f"{result.low:.0f} to {result.high:.0f}",
                f"{result.trims['bend_cents']:.1f} c, {result.trims['tilt_db_per_octave']:.2f} dB/oct",
                "pass" if good else "short",
            ]
        )
    return markdown(header, rows), passed, len(results)


def means(results: Sequence[Result]) -> str:
    """Mean trims and roughness over all default renders, in one line."""
    default = [r for r in results if r.case.configuration == "default" and not r.error]
    if not default:
        return ""
    tilt, bend = (np.mean([r.trims[key] for r in default]) for key in ("tilt_db_per_octave", "bend_cents"))
    return f"Mean trim over the {len(default)} default renders: {tilt:.2f} dB an octave, {bend:.1f} cents."
