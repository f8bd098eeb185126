"""How much renders move, against the recordings of their timbre.

python -m benchmarks.life [--timbres violin,cello] [--jobs 2] [--csv life.csv] [--into benchmarks/README.md]
python -m benchmarks.life --measure a.wav b.wav                      any sounds, a row each
python -m benchmarks.life --figure docs/life.png --recording A4.wav  a recording beside renders of life 0 and 1
python -m benchmarks.life --recordings [NAME=]FOLDER...              measure the recordings of timbres anew
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.life.renders import Case, Result


def main() -> None:
    from benchmarks.life.renders import KINDS, VARIANTS

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.life", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--timbres", help="names, separated by commas; all that are installed by default")
    parser.add_argument("--kinds", default=",".join(KINDS), help="renders, separated by commas")
    parser.add_argument("--variants", default=",".join(VARIANTS), help="ways to render, separated by commas")
    parser.add_argument("--jobs", type=int, default=1, help="processes, one thread each; with 1 the speeds are right")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep renders as FOLDER/VARIANT/TIMBRE/KIND.wav")
    parser.add_argument("--csv", type=Path, help="write every render's measures here")
    parser.add_argument("--into", type=Path, help="page whose block 'life' is replaced by the tables")
    parser.add_argument("--measure", nargs="+", type=Path, metavar="FILE", help="measure these sounds, nothing else")
    parser.add_argument("--recordings", nargs="+", metavar="FOLDER", help="measure these and keep what they say")
    parser.add_argument("--figure", type=Path, help="draw --recording beside renders of life 0 and 1 (PNG)")
    parser.add_argument("--recording", type=Path, metavar="FILE", help="a held note of the timbre, for --figure")
    options = parser.parse_args()
    if options.measure:
        measure_files(options.measure)
    elif options.recordings:
        measure_recordings(options.recordings)
    elif options.figure:
        from benchmarks.life.figure import draw

        if not (options.recording and options.timbres):
            parser.error("--figure needs --recording FILE and --timbres NAME")
        draw(options.timbres, options.recording, options.figure)
    else:
        judge(options)


def judge(options: argparse.Namespace) -> None:
    """Render, measure, and print the tables."""
    from benchmarks.life.recordings import kept
    from benchmarks.life.renders import Case
    from benchmarks.life.table import life_table, record, summary
    from benchmarks.tables import machine, write_csv, write_into
    from benchmarks.tracking.__main__ import installed

    real = kept()
    timbres = options.timbres.split(",") if options.timbres else [name for name in installed() if name in real]
    cases = [
        Case(timbre, kind, variant)
        for timbre in timbres
        for variant in options.variants.split(",")
        for kind in options.kinds.split(",")
    ]
    begin = time.monotonic()
    results: list[Result] = []
    for result in run_all(cases, options.keep, options.jobs):
        results.append(result)
        case = result.case
        print(f"{len(results)}/{len(cases)} {case.timbre} {case.variant} {case.kind} {result.error}", flush=True)
    text = "\n\n".join(
        (
            summary(results, real),
            life_table(results, real),
            (
                f"{len(results)} renders in {(time.monotonic() - begin) / 60:.0f} minutes with {options.jobs} jobs. "
                f"Measured on: {machine()}."
            ),
        )
    )
    print("\n" + text)
    if options.csv:
        write_csv(options.csv, [record(result, real) for result in results])
    if options.into:
        write_into(options.into, "life", text)


def run_all(cases: list[Case], keep: Path | None, jobs: int) -> Iterator[Result]:
    """Run cases in their order, in ``jobs`` processes."""
    from benchmarks.life.renders import run

    if jobs == 1:
        yield from (run(case, keep) for case in cases)
        return
    import joblib

    with joblib.parallel_config("loky", inner_max_num_threads=1):
        yield from joblib.Parallel(jobs, return_as="generator")(joblib.delayed(run)(case, keep) for case in cases)


def measure_files(files: list[Path]) -> None:
    """Print a row a file, below the recordings of the timbre whose name is in the files' names."""
    from benchmarks.life.measures import UNITS, cell, measure
    from benchmarks.life.modulation import distance
    from benchmarks.life.recordings import kept
    from benchmarks.tables import markdown

    real = kept()
    rows, shown = [], set()
    for file in files:
        # The longest name that the path has in it: singing_female before singing.
        name = max((name for name in real if name in str(file)), key=len, default=None)
        if name and name not in shown:
            shown.add(name)
            own = real[name]
            cells = [cell(measure, own.values[measure]) for measure in UNITS]
            rows.append([f"recordings of {name}", *cells, f"{own.halves:.1f} (draw {own.draw:.1f})", ""])
        one = measure(file)
        cells = [cell(measure, one.values[measure]) for measure in UNITS]
        away = f"{distance(one.modulation, real[name].modulation):.1f}" if name else "-"
        rows.append([file.stem, *cells, away, f"{one.held:.1f} s"])
    print(markdown(("", *UNITS, "modulation dB", "held"), rows))


def measure_recordings(folders: list[str]) -> None:
    """Measure folders of recordings and keep what they say."""
    from benchmarks.life.recordings import keep, measure_folder
    from vqsynth.library.timbre import Timbre, installed

    for given in folders:
        name, _, folder = given.rpartition("=")
        name = name or Path(folder).name
        held_out = Timbre(installed()[name]).card["training"].get("held_out", []) if name in installed() else []
        keep(name, measure_folder(Path(folder), held_out))


if __name__ == "__main__":
    main()
