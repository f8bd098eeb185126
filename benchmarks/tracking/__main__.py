"""How closely rendered sound follows its targets, measured on the WAV by librosa and Praat.

python -m benchmarks.tracking [--timbres violin,cello] [--jobs 2] [--csv tracking.csv] [--into benchmarks/README.md]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.tables import machine, write_csv, write_into
from benchmarks.tracking.cases import DESCRIPTORS, TARGETS, Case, Result, held_cases, run, tracking_cases
from benchmarks.tracking.goals import held_table, means, tracking_table
from benchmarks.tracking.measure import PITCH_METHODS


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tracking", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--timbres", help="names or folders, separated by commas; all that are installed by default")
    parser.add_argument("--descriptors", default=",".join(DESCRIPTORS))
    parser.add_argument("--targets", default=",".join(TARGETS))
    parser.add_argument(
        "--pitch", default="praat", choices=PITCH_METHODS, help="tracker that measures f0; pyin takes ten times as long"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes, one thread each")
    parser.add_argument("--csv", type=Path, help="write every render's scores here")
    parser.add_argument("--into", type=Path, help="page whose block 'tracking' is replaced by the tables")
    options = parser.parse_args()
    timbres = options.timbres.split(",") if options.timbres else installed()
    alone = [
        c
        for t in timbres
        for c in tracking_cases(t, tuple(options.descriptors.split(",")), tuple(options.targets.split(",")))
    ]
    held = [c for t in timbres for c in held_cases(t)]
    begin = time.monotonic()
    results: list[Result] = []
    for result in run_all([*alone, *held], options.pitch, options.jobs):
        results.append(result)
        case = result.case
        asked = ", ".join(" ".join(pair) for pair in case.asked)
        print(
            f"{len(results)}/{len(alone) + len(held)} {case.timbre} {case.configuration} {asked} {result.error}",
            flush=True,
        )
    first, passed, rows = tracking_table(results[: len(alone)])
    second, held_passed, held_rows = held_table(results[len(alone) :])
    by = {"praat": "Praat", "pyin": "pYIN"}[options.pitch]
    text = "\n\n".join(
        line
        for line in (
            (
                f"Worst of {options.targets.replace(',', ', ')} over p10:p90, 24 s; Pearson's r and median error, "
                f"measured by librosa and {by}. {passed} of {rows} rows reach every goal."
            ),
            first,
            (
                "A centroid sine over p10:p90 of the codes that can sing the note, while f0 holds it. "
                f"{held_passed} of {held_rows} rows reach the goal."
            ),
            second,
            means(results),
            (
                f"{len(results)} renders in {(time.monotonic() - begin) / 60:.0f} minutes with {options.jobs} jobs. "
                f"Measured on: {machine()}."
            ),
        )
        if line
    )
    print("\n" + text)
    if options.csv:
        write_csv(options.csv, [result.record() for result in results])
    if options.into:
        write_into(options.into, "tracking", text)


def installed() -> list[str]:
    """Names of all timbres that have a table."""
    from vqsynth.library import timbre as folder

    return [name for name, path in folder.installed().items() if (path / folder.TABLE).is_file()]


def run_all(cases: list[Case], pitch_method: str, jobs: int) -> Iterator[Result]:
    """Run cases in their order, in ``jobs`` processes."""
    if jobs == 1:
        yield from (run(case, pitch_method) for case in cases)
        return
    import joblib

    with joblib.parallel_config("loky", inner_max_num_threads=1):
        yield from joblib.Parallel(jobs, return_as="generator")(
            joblib.delayed(run)(case, pitch_method) for case in cases
        )


if __name__ == "__main__":
    main()
