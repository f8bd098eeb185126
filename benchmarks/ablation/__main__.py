"""What each step adds: the matcher, the trims, the join cost, the size of the codebook, and other trainings.

python -m benchmarks.ablation [--timbre violin] [--variants without_pitch=DIR,...]
                              [--csv out.csv] [--into docs/method.md]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.ablation.steps import joins, sizes, steps
from benchmarks.tables import markdown, number, percent, write_csv, write_into
from benchmarks.tracking.cases import Case, Result, run
from benchmarks.tracking.goals import correlation

SPECTRAL = ("", "r", "error", "pitch flutter, span", "roughness", "codes used", "mean trim")
PITCH = ("", "r", "error", "voiced", "roughness", "codes used", "mean bend")


def cells(result: Result, descriptor: str) -> list[str]:
    """One render as table cells."""
    if result.error:
        return [result.error, *["-"] * 5]
    score, trims = result.scores[descriptor], result.trims
    shared = [number(result.roughness), str(result.codes)]
    if descriptor == "f0":
        return [
            correlation(score.pearson),
            number(score.cents, 1, " c"),
            percent(score.valid),
            *shared,
            number(trims["bend_cents"], 1, " c"),
        ]
    trim = f"{trims['bend_cents']:.1f} c, {trims['tilt_db_per_octave']:.2f} dB/oct"
    return [
        correlation(score.pearson),
        percent(score.relative),
        f"{number(result.flutter, 1)}, {number(result.span, 0)} c",
        *shared,
        trim,
    ]


def section(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return f"{title}\n\n{markdown(header, rows)}"


def size_rows(found: Sequence[tuple[str, Sequence[Result]]]) -> list[list[str]]:
    """Means over the subsets."""
    rows = []
    for label, results in found:
        good = [r for r in results if not r.error]
        pearson, relative, roughness, codes, tilt = (
            np.mean([get(r) for r in good]) if good else np.nan
            for get in (
                lambda r: r.scores["centroid"].pearson,
                lambda r: r.scores["centroid"].relative,
                lambda r: r.roughness,
                lambda r: r.codes,
                lambda r: r.trims["tilt_db_per_octave"],
            )
        )
        rows.append(
            [
                label,
                correlation(pearson),
                percent(relative),
                number(roughness),
                number(codes, 0),
                number(tilt, 2, " dB/oct"),
            ]
        )
    return rows


def variant_rows(variants: Sequence[str], records: list[Result]) -> list[list[str]]:
    """Other trainings: what their cards say, and three renders of each."""
    import vqsynth

    rows = []
    for variant in variants:
        label, _, folder = variant.rpartition("=")
        quality = vqsynth.load(folder).card.get("quality", {})
        row = [
            label or folder,
            f"{quality.get('log_spectral_distance_db', '-')} dB",
            f"{quality.get('f0_cents_median', '-')} c",
            f"{quality.get('perplexity', '-')}",
        ]
        for descriptor, settings in (
            ("centroid", {"refine": 0}),
            ("f0", {"matcher": "nearest"}),
            ("f0", {"refine": 0}),
        ):
            result = run(Case(folder, f"variant {label}", ((descriptor, "sin"),), tuple(settings.items())))
            records.append(result)
            score = result.scores.get(descriptor)
            row.append(
                "-"
                if score is None
                else percent(score.relative)
                if descriptor == "centroid"
                else number(score.cents, 1, " c")
            )
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ablation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--timbre", default="violin")
    parser.add_argument("--variants", help="other trainings of the timbre, as LABEL=FOLDER separated by commas")
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--into", type=Path, help="page whose block 'ablation' is replaced by the tables")
    options = parser.parse_args()
    name, records, parts = options.timbre, [], []
    for descriptor, header in (("centroid", SPECTRAL), ("f0", PITCH)):
        found = steps(name, descriptor)
        records += [result for _, result in found]
        low, high = found[-1][1].low, found[-1][1].high
        title = f"**The steps.** {name.capitalize()}, {descriptor} as a sine from {low:.0f} to {high:.0f} Hz, 24 s:"
        parts.append(section(title, header, [[label, *cells(result, descriptor)] for label, result in found]))
    found = joins(name)
    records += [result for _, result in found]
    title = "**The join cost.** A centroid sine by `path` over p10:p90 of the whole table, pitch free, trims off:"
    parts.append(section(title, SPECTRAL[:-1], [[label, *cells(result, "centroid")[:-1]] for label, result in found]))
    many = sizes(name)
    records += [result for _, results in many for result in results]
    title = (
        "**The size of the codebook.** The same network, but only a random part of its codes may be chosen "
        "(means of three draws); p10:p90 of what is left, so ranges differ a little:"
    )
    parts.append(section(title, ("", "r", "error", "roughness", "codes used", "mean tilt"), size_rows(many)))
    if options.variants:
        header = (
            "",
            "log-spectral distance",
            "f0, held out",
            "perplexity",
            "centroid sine, `path`",
            "f0 sine, `nearest`",
            "f0 sine, `path`",
        )
        title = "**Other trainings.** Quality on held-out recordings, and sines followed without trims:"
        parts.append(section(title, header, variant_rows(options.variants.split(","), records)))
    parts.append(
        "*Pitch flutter* is the median change of f0 from one frame to the next, *span* the distance between the 5th "
        "and the 95th percentile of f0, in cents; *roughness* the mean latent jump a frame, real playing being 1; "
        "trims are means."
    )
    text = "\n\n".join(parts)
    print(text)
    if options.csv:
        write_csv(options.csv, [result.record() for result in records])
    if options.into:
        write_into(options.into, "ablation", text)


if __name__ == "__main__":
    main()
