"""The numbers of the continuous path, on recordings that no training saw.

    python -m benchmarks.wavae --corpora DIR [--inputs DIR] [--minutes 10] [--domains strings,screams]
                               [--baseline strings=DIR] [--adversary-off strings=DIR]
                               [--only reconstruct,chords,loudness,interpolation,way,...]
                               [--csv benchmarks/wavae.csv] [--into benchmarks/README.md]

--corpora holds NAME/ for every domain, as `vqsynth corpus fetch NAME` leaves it; the recordings that are used are
exactly those that the domain's card names as held out. What is not there is a stated gap in the table. Everything runs
on one thread.
"""

from __future__ import annotations

import argparse
import importlib
import time
import traceback
from pathlib import Path

from benchmarks.tables import machine, write_csv, write_into
from benchmarks.wavae.material import SEEDS, Material
from benchmarks.wavae.rows import Row, score, table

PARTS = ("reconstruct", "voices", "chords", "loudness", "interpolation", "way", "transfer", "feedback", "realtime")


def named(text: str) -> tuple[str, Path]:
    """``NAME=DIR`` as a pair; a folder alone is called like its name."""
    name, equals, folder = text.partition("=")
    return (name, Path(folder)) if equals else (Path(text).name, Path(text))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.wavae", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--domains", default=",".join(SEEDS), help="names, separated by commas")
    parser.add_argument("--corpora", type=Path, metavar="DIR", help="recordings of the domains, DIR/NAME/")
    parser.add_argument(
        "--inputs",
        type=Path,
        metavar="DIR",
        help="sounds of no domain; a cat.ogg (Debian's gcompris-qt-data) is transferred",
    )
    for option, text in (
        ("--baseline", "melGAN or Vocos of benchmarks.wavae.baseline"),
        ("--adversary-off", "domain of benchmarks.wavae.adversary_off"),
    ):
        parser.add_argument(
            option, type=named, action="append", default=[], metavar="NAME=DIR", help=f"{text}; repeatable"
        )
    parser.add_argument("--minutes", type=float, default=10.0, help="of sound in the realtime part")
    parser.add_argument(
        "--limit", type=float, default=240.0, help="most seconds of recordings that one figure listens to"
    )
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--into", type=Path, help="page whose block 'wavae' is replaced by the tables")
    options = parser.parse_args()
    names = options.only.split(",")
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        parser.error(f"--only {unknown[0]}: choose from {', '.join(PARTS)}")

    import torch

    torch.set_num_threads(1)
    material = Material(
        tuple(options.domains.split(",")),
        options.corpora,
        options.inputs,
        tuple(options.baseline),
        dict(options.adversary_off),
        options.minutes,
        options.limit,
    )
    begin = time.monotonic()
    rows: list[Row] = []
    texts: list[str] = []
    for name in names:
        found, text = run_part(name, material)
        rows += found
        texts.append(text)
    taken = f"{score(rows)} {(time.monotonic() - begin) / 60:.0f} minutes. Measured on: {machine()}."
    text = "\n\n".join([*texts, taken])
    print("\n" + taken)
    if options.csv:
        write_csv(options.csv, [row.record() for row in rows])
    if options.into:
        write_into(options.into, "wavae", text)


def run_part(name: str, material: Material) -> tuple[list[Row], str]:
    """Rows of a part and its section; a part that breaks is a stated gap, so that the others still stand."""
    try:
        part = importlib.import_module(f"benchmarks.wavae.{name}")
        rows = part.run(material)
        title, about, first = part.NAME, part.TEXT, getattr(part, "FIRST", "domain")
    except Exception as error:
        traceback.print_exc()
        rows = [Row(name, "all", "", text=f"{type(error).__name__}: {error}")]
        title, about, first = name, "", "domain"
    text = "\n\n".join(section for section in (f"### {title.capitalize()}", about, table(rows, first)) if section)
    print("\n" + text + "\n", flush=True)
    return rows, text


if __name__ == "__main__":
    main()
