"""The table: each render against its timbre's recordings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.life.measures import UNITS, cell
from benchmarks.life.modulation import distance
from benchmarks.life.recordings import Real
from benchmarks.life.renders import Result
from benchmarks.tables import markdown, number, percent

LOW, HIGH = 0.6, 1.4
PEARSON, RELATIVE, CENTS, SPEED = 0.998, 0.01, 5.0, 15.0
MARK = "**"


def ratios(result: Result, real: Real) -> dict[str, float]:
    """Measure -> the render's value in units of the recordings'; NaN where either has none."""
    if result.measured is None:
        return dict.fromkeys(UNITS, np.nan)
    return {name: result.measured.values[name] / real.values[name] if real.values[name] else np.nan for name in UNITS}


def inside(ratio: float) -> bool:
    """Whether a ratio is within 0.6 to 1.4; one that is not known is not."""
    return bool(LOW <= ratio <= HIGH)


def distances(result: Result, real: Real) -> tuple[float, float]:
    """Distance in dB of a render's modulation spectra from all recordings', and from the held-out ones'."""
    if result.measured is None:
        return np.nan, np.nan
    spectrum = result.measured.modulation
    return distance(spectrum, real.modulation), np.nan if real.held_out is None else distance(spectrum, real.held_out)


def curve(result: Result) -> tuple[str, bool]:
    """How the 0.5 s mean follows the curve, in words, and whether that reaches the goal."""
    for name, score in result.scores.items():
        if name == "f0":
            return f"{score.cents:.1f} c", bool(score.cents <= CENTS)
        r = np.floor(1e4 * score.pearson) / 1e4
        return f"{number(r, 4)}, {percent(score.relative)}", bool(r >= PEARSON and score.relative <= RELATIVE)
    return "-", True


def life_table(results: Sequence[Result], real: dict[str, Real]) -> str:
    """Markdown: a row of the recordings, then one a render, for every timbre."""
    rows = []
    for timbre in dict.fromkeys(result.case.timbre for result in results):
        own = real.get(timbre)
        if own is None:
            continue
        cells = [cell(name, own.values[name]) for name in UNITS]
        away = "-" if own.held_out is None else number(distance(own.held_out, own.modulation), 1, " dB")
        rows.append([f"{timbre}: recordings", *cells, f"{own.halves:.1f} ({own.draw:.1f}) dB", away, "-", "-"])
        rows += [_row(result, own) for result in results if result.case.timbre == timbre]
    header = ("", *UNITS, "modulation", "held out", "0.5 s mean", "speed")
    return markdown(header, rows)


def _row(result: Result, own: Real) -> list[str]:
    case = result.case
    name = case.kind if case.variant == "default" else f"{case.kind}, {case.variant}"
    if result.measured is None:
        return [name, result.error, *[""] * (len(UNITS) + 3)]
    ratio = ratios(result, own)
    cells = [
        marked(f"{cell(key, result.measured.values[key])} ({number(ratio[key])})", inside(ratio[key])) for key in UNITS
    ]
    far = [marked(number(d, 1, " dB"), not d > own.halves) for d in distances(result, own)]
    followed = marked(*curve(result))
    return [name, *cells, *far, followed, marked(f"{result.speed:.0f}", result.speed >= SPEED)]


def marked(text: str, good: bool) -> str:
    """Bold where a goal is missed."""
    return text if good else f"{MARK}{text}{MARK}"


def summary(results: Sequence[Result], real: dict[str, Real]) -> str:
    """Markdown: for each variant, how many of the figures with a goal reach it."""
    rows = []
    for variant in dict.fromkeys(result.case.variant for result in results):
        those = [r for r in results if r.case.variant == variant and r.case.timbre in real and r.measured is not None]
        if not those:
            continue
        own = [real[r.case.timbre] for r in those]
        cells = []
        for name in UNITS:
            found = [ratios(r, o)[name] for r, o in zip(those, own)]
            cells.append(f"{number(float(np.nanmedian(found)))}, {sum(map(inside, found))}/{len(found)}")
        far = [distances(r, o) for r, o in zip(those, own)]
        for i in (0, 1):
            known = [(d[i], o.halves) for d, o in zip(far, own) if np.isfinite(d[i])]
            cells.append(f"{sum(d <= halves for d, halves in known)}/{len(known)}")
        followed = [curve(r)[1] for r in those if r.scores]
        cells.append(f"{sum(followed)}/{len(followed)}")
        cells.append(f"{np.median([r.speed for r in those]):.0f}")
        rows.append([variant, *cells])
    return markdown(("", *UNITS, "modulation", "held out", "0.5 s mean", "speed"), rows)


def record(result: Result, real: dict[str, Real]) -> dict[str, object]:
    """One row of the CSV."""
    case = result.case
    row: dict[str, object] = {"timbre": case.timbre, "kind": case.kind, "variant": case.variant}
    if result.measured is not None:
        row |= {key: f"{value:.5g}" for key, value in result.measured.record().items()}
        if case.timbre in real:
            own = real[case.timbre]
            row |= {f"{key}, ratio": f"{value:.4g}" for key, value in ratios(result, own).items()}
            names = ("modulation distance dB", "modulation distance held out dB")
            row |= {name: f"{value:.4g}" for name, value in zip(names, distances(result, own))}
            row["between halves dB"] = f"{own.halves:.4g}"
    for name, score in result.scores.items():
        row |= {f"{name} r": f"{score.pearson:.6g}", f"{name} error": f"{score.relative:.4g}"}
        row |= {f"{name} cents": f"{score.cents:.4g}", f"{name} valid": f"{score.valid:.4g}"}
    row["times realtime"] = f"{result.speed:.4g}"
    row["error"] = result.error
    return row
