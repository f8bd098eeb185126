"""Reconstruction of recordings that no training has seen, beside the training's own.

python -m benchmarks.heldout --recordings DIR [--held-out DIR ...] [--timbres violin,cello] [--csv out.csv]
                             [--into benchmarks/README.md]

DIR/NAME/ holds the recordings of timbre NAME: --recordings those that it was trained on, each --held-out others.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.heldout.measure import WAYS, Row, row, spread
from benchmarks.tables import markdown, number, write_csv, write_into
from vqsynth.errors import VqsynthError
from vqsynth.library.timbre import installed, load

GOAL = 1.3
TEXT = """Recordings through `encode` and `decode`: log-mel distance in dB (80 bands, frames within 40 dB of the
loudest), by how codes are chosen. *original*: nearest latent, the codes' own pitch; *timbre*: as transfer does;
*sound*: `--fit sound` without its colour; *colour*: `--fit sound`. *Ratio*: colour against that of the training
recordings. *Slips*: octave slips of more than 50 ms that Praat and the tracker hear. Recordings with notes beyond the
timbre's range are left out."""


def sets(name: str, recordings: Path, held_out: Sequence[Path], files: int) -> dict[str, list[Path]]:
    """Recordings of a timbre by set; ``training`` comes first."""
    kept = {Path(file).stem for file in load(name).card.get("training", {}).get("held_out", [])}
    own = spread(recordings / name, 10_000)
    seen = [path for path in own if path.stem not in kept]
    step = max(1, len(seen) // files)
    found = {"training": seen[::step][:files], "held out of training": [p for p in own if p.stem in kept][:files]}
    return found | {folder.name: spread(folder / name, files) for folder in held_out}


def table(rows: Sequence[Row]) -> str:
    """All rows as Markdown."""
    own = {row.timbre: row.error["colour"] for row in rows if row.set == "training"}
    lines = []
    for found in rows:
        ratio = found.error["colour"] / own.get(found.timbre, float("nan"))
        cells = [number(found.error[way]) for way in WAYS]
        good = "" if found.set == "training" or ratio != ratio else "pass" if ratio <= GOAL else "short"
        label = f"{found.set} ({found.recordings})"
        lines.append([found.timbre, label, *cells, number(ratio), good, str(found.slips)])
    return markdown(("timbre", "recordings", *WAYS, "ratio", f"goal {GOAL}", "slips"), lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.heldout", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recordings", type=Path, required=True, metavar="DIR")
    parser.add_argument("--held-out", type=Path, action="append", default=[], metavar="DIR")
    parser.add_argument("--timbres", default="", help="names, separated by commas (default: all that have recordings)")
    parser.add_argument("--files", type=int, default=10, help="of every set")
    parser.add_argument("--seconds", type=float, default=10.0, help="of every file")
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--into", type=Path)
    options = parser.parse_args()
    rows: list[Row] = []
    for name in options.timbres.split(",") if options.timbres else sorted(installed()):
        try:
            timbre = load(name)
            for label, paths in sets(name, options.recordings, options.held_out, options.files).items():
                if paths:
                    rows.append(row(timbre, label, paths, options.seconds))
        except VqsynthError as error:
            parser.exit(2, f"error: {error}\n")
    text = f"{TEXT}\n\n{table(rows)}"
    print(text)
    if options.csv:
        write_csv(options.csv, [{**{k: v for k, v in vars(r).items() if k != "error"}, **r.error} for r in rows])
    if options.into:
        write_into(options.into, "heldout", text)


if __name__ == "__main__":
    main()
