"""All benchmarks, written into the pages that show them.

python -m benchmarks [--jobs 2] [--corpora DIR] [--inputs DIR]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes of the tracking benchmark")
    parser.add_argument(
        "--corpora", type=Path, metavar="DIR", help="recordings for the wavae benchmark, DIR/NAME/; left out without"
    )
    parser.add_argument("--inputs", type=Path, metavar="DIR", help="sounds of no domain for it, a cat.ogg among them")
    options = parser.parse_args()
    readme, method = HERE / "README.md", HERE.parent / "docs" / "method.md"
    # Speed first: nothing else may run beside it.
    parts = {
        "speed": ["--into", str(readme)],
        "realtime": ["--into", str(readme), "--csv", str(HERE / "realtime.csv")],
        "tracking": ["--into", str(readme), "--jobs", str(options.jobs), "--csv", str(HERE / "tracking.csv")],
        "life": ["--into", str(readme), "--csv", str(HERE / "life.csv")],
        "ablation": ["--into", str(method), "--csv", str(HERE / "ablation.csv")],
    }
    if options.corpora:
        inputs = ["--inputs", str(options.inputs.resolve())] if options.inputs else []
        parts["wavae"] = [
            "--corpora",
            str(options.corpora.resolve()),
            *inputs,
            "--into",
            str(readme),
            "--csv",
            str(HERE / "wavae.csv"),
        ]
    for name, arguments in parts.items():
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *arguments], cwd=HERE.parent)
        if done.returncode:
            sys.exit(done.returncode)


if __name__ == "__main__":
    main()
