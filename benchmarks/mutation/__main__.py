"""Which small faults of a module do its tests not notice?

    python -m benchmarks.mutation vqsynth/dsp/mel.py --tests tests/dsp/test_mel.py [--limit 50] [--seed 0]

Every mutant runs the tests in a process and a copy of the package of its own, up to the first failure. Survivors
are either faults that no test sees or changes that nobody could hear: read them.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

from benchmarks.mutation.mutants import Mutant, mutants
from benchmarks.mutation.trial import ROOT, survives


def survivors(file: Path, tests: list[str], limit: int | None = None, seed: int = 0, root: Path = ROOT) -> list[Mutant]:
    """Mutants of a module that its tests do not notice, each printed as it is tried.

    Args:
        file: the module, relative to ``root``.
        tests: what pytest runs, relative to ``root``.
        limit: how many mutants, drawn at random; None tries all.
        seed: of the draw.
        root: the folder that holds package and tests.

    Raises:
        SystemExit: the tests fail without a fault.
    """
    source = (root / file).read_text(encoding="utf-8")
    start = time.perf_counter()
    if not survives(source, file, tests, 600, root):
        sys.exit(f"{' '.join(tests)}: fails without a fault; mend that first")
    timeout = 15 + 3 * (time.perf_counter() - start)
    every = list(mutants(source))
    chosen = every if limit is None or limit >= len(every) else random.Random(seed).sample(every, limit)
    alive = []
    for mutant in sorted(chosen, key=lambda m: m.line):
        survived = survives(mutant.source, file, tests, timeout, root)
        if survived:
            alive.append(mutant)
        print(f"{'SURVIVED' if survived else 'killed  '} {file}:{mutant.line}: {mutant.change}", flush=True)
    print(
        f"{file}: {len(chosen)} of {len(every)} mutants tried, {len(chosen) - len(alive)} killed, {len(alive)} survived"
    )
    return alive


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mutation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, help="a module, from the repository's folder")
    parser.add_argument("--tests", nargs="+", required=True, metavar="PATH", help="what pytest runs")
    parser.add_argument("--limit", type=int, help="try this many, drawn at random; all without")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    options = parser.parse_args()
    survivors(options.file, options.tests, options.limit, options.seed)


if __name__ == "__main__":
    main()
