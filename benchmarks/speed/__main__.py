"""How long things take, as medians and as ratios to something timed in the same run.

python -m benchmarks.speed [--only help,command,render,analyze,index,units,training] [--timbre violin] [--csv out.csv]
                           [--into benchmarks/README.md]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.speed import jobs
from benchmarks.tables import machine, markdown, write_csv, write_into


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--timbre", default="violin")
    parser.add_argument("--only", default=",".join(jobs.JOBS), help="parts, separated by commas")
    parser.add_argument("--runs", type=int, default=5, help="runs of which the median is taken (analyze and index: 1)")
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--into", type=Path, help="page whose block 'speed' is replaced by the table")
    options = parser.parse_args()
    names = options.only.split(",")
    unknown = [name for name in names if name not in jobs.JOBS]
    if unknown:
        parser.error(f"--only {unknown[0]}: choose from {', '.join(jobs.JOBS)}")
    rows: list[jobs.Row] = []
    texts: list[str] = []
    for name in names:
        print(f"{name} ...", flush=True)
        found, text = jobs.JOBS[name](options.timbre, options.runs)
        rows += found
        texts += [text] if text else []
    header = ["what", "median", "goal", "", "compared with, in the same run", "ratio"]
    table = markdown(header, [row.cells() for row in rows]) if rows else ""
    text = "\n\n".join([part for part in (table, *texts) if part] + [f"Measured on: {machine()}."])
    print("\n" + text)
    if options.csv:
        write_csv(options.csv, [row.record() for row in rows])
    if options.into:
        write_into(options.into, "speed", text)


if __name__ == "__main__":
    main()
