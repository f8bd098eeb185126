"""A render played from many units: time to open, to choose and to render, and the most memory it takes.

    python -m benchmarks.units [--units 1000000] [--timbre violin] [--duration 24]

The units are those of a timbre again and again, each time at another pitch, level and brightness, so that there are
recordings, notes, onsets and releases as in hours of playing. Every row is a process of its own, on one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import vqsynth
from benchmarks.tables import markdown
from vqsynth.library.timbre import UNITS, record_files
from vqsynth.units.store import COLUMNS, Recording, Units

LIMIT_MS, LIMIT_MB = 5.0, 1000.0


def grow(timbre: str, count: int, folder: Path) -> Path:
    """Copy a timbre into ``folder`` and give it ``count`` units or a few more."""
    source = vqsynth.load(timbre)
    shutil.copytree(source.path, folder / "many", ignore=shutil.ignore_patterns("training"))
    grown = vqsynth.load(folder / "many")
    units = grown.units
    if units is None:
        raise SystemExit(f"error: {timbre} has no units")
    size, random = len(units), np.random.default_rng(0)
    times = -(-count // size)
    columns = {name: np.concatenate([np.asarray(units.columns[name])] * times) for name in COLUMNS}
    for copy in range(1, times):
        here = slice(copy * size, (copy + 1) * size)
        pitch = columns["pitch"][here]
        pitch[pitch >= 0] += np.int16(random.integers(-300, 300))
        columns["loudness"][here] -= np.float16(random.uniform(0, 12))
        for name in ("centroid", "bandwidth", "rolloff"):
            columns[name][here] += np.float16(random.normal(0, 0.15))
    start = np.concatenate([[0], *(np.asarray(units.start[1:]) + copy * size for copy in range(times))])
    recordings = tuple(Recording(f"{copy}/{r.name}", r.source) for copy in range(times) for r in units.recordings)
    Units(columns, start.astype(np.int64), recordings, units.sources, units.model).save(grown.path / UNITS)
    record_files(grown, [UNITS])
    return grown.path


def measure(path: Path, duration: float) -> dict[str, float]:
    """Render once in this process and tell what it took."""
    import resource

    from vqsynth.render import render as rendering

    timbre = vqsynth.load(path)
    timbre.render(centroid="sin", duration=1, life=0)
    began = time.perf_counter()
    units = timbre.units
    opened = time.perf_counter() - began
    spent: list[float] = []
    plain = rendering.play

    def timed(*arguments: object, **named: object) -> object:
        start = time.perf_counter()
        done = plain(*arguments, **named)  # type: ignore[arg-type]
        spent.append(time.perf_counter() - start)
        return done

    rendering.play = timed  # type: ignore[assignment]
    began = time.perf_counter()
    timbre.render(centroid="sin", duration=duration)
    whole = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    return {
        "units": len(units or ()),
        "file_mb": (path / UNITS).stat().st_size / 1e6,
        "open_s": opened,
        "frame_ms": 1000 * spent[0] / (duration * timbre.config.frame_rate),
        "render_s": whole,
        "peak_mb": peak,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=1_000_000)
    parser.add_argument("--timbre", default="violin")
    parser.add_argument("--duration", type=float, default=24.0, help="seconds of the render")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, options.duration)))
        return
    with tempfile.TemporaryDirectory() as folder:
        paths = [vqsynth.load(options.timbre).path, grow(options.timbre, options.units, Path(folder))]
        rows = []
        for path in paths:
            command = [sys.executable, "-m", "benchmarks.units", "--measure", str(path.resolve())]
            done = subprocess.run(
                [*command, "--duration", str(options.duration)],
                cwd=Path(__file__).resolve().parents[1],
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                capture_output=True,
                text=True,
            )
            if done.returncode:
                raise SystemExit(f"error: the measurement failed:\n{done.stderr}")
            rows.append(json.loads(done.stdout))
    header = ["units", "file", "opened in", "choosing, a frame", f"render of {options.duration:g} s", "peak memory"]
    print(
        markdown(
            header,
            [
                [
                    f"{row['units']:,}",
                    f"{row['file_mb']:.1f} MB",
                    f"{1000 * row['open_s']:.0f} ms",
                    f"{row['frame_ms']:.2f} ms",
                    f"{row['render_s']:.1f} s",
                    f"{row['peak_mb']:.0f} MB",
                ]
                for row in rows
            ],
        )
    )
    if rows[-1]["frame_ms"] > LIMIT_MS or rows[-1]["peak_mb"] > LIMIT_MB:
        raise SystemExit(f"error: more than {LIMIT_MS:g} ms a frame or {LIMIT_MB:g} MB")


if __name__ == "__main__":
    main()
