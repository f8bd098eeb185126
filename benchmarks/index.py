"""Exact against inverted-file against graph search over many units: recall, time a frame, time to build.

    python benchmarks/index.py [--units 1000000] [--dimensions 3] [--neighbours 32]

One thread. Units lie in clusters, as the frames of a corpus do in descriptor space; queries follow curves through
them, as targets do. "frame" is one query alone (live), "curve" a query of a batch of 500 (a render).
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Iterable

import numpy as np

from vqsynth.units.index import EXACT_LIMIT, KINDS, UnitIndex


def make(units: int, dimensions: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Units ``[N, d]`` in 300 clusters of different width, and queries ``[500, d]`` that glide between units."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((300, dimensions))
    widths = rng.uniform(0.05, 0.4, 300)
    which = rng.integers(0, 300, units)
    points = centres[which] + widths[which, None] * rng.standard_normal((units, dimensions))
    stops = points[rng.integers(0, units, 11)]
    at = np.linspace(0, 10, 500, endpoint=False)
    left, part = at.astype(int), (at % 1)[:, None]
    return points.astype(np.float32), (stops[left] * (1 - part) + stops[left + 1] * part).astype(np.float32)


def milliseconds(index: UnitIndex, queries: Iterable[np.ndarray], k: int) -> float:
    """Median duration of a search, over ``queries`` of ``[Q, d]`` each."""
    times = []
    for query in queries:
        start = time.perf_counter()
        index.search(query, k)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=1_000_000)
    parser.add_argument("--dimensions", type=int, default=3, help="descriptors asked for at once")
    parser.add_argument("--neighbours", type=int, default=32, help="candidates a frame")
    options = parser.parse_args()
    units, queries = make(options.units, options.dimensions)
    k = options.neighbours
    truth, exact_ms = None, None
    print(
        f"{options.units:,} units, {options.dimensions} descriptors, {k} neighbours, 1 thread, {platform.machine()}\n"
    )
    print(
        "| index | build s | ms a frame | ms a frame of a curve | times faster than exact | recall "
        "| distance of the nearest |"
    )
    print("|---|---|---|---|---|---|---|")
    for kind in KINDS[1:]:
        start = time.perf_counter()
        index = UnitIndex.build(units, kind)
        built = time.perf_counter() - start
        frame_ms = milliseconds(index, queries[:300, None], k)
        curve_ms = milliseconds(index, [queries] * 3, k) / len(queries)
        distance, ids = index.search(queries, k)
        if truth is None:
            truth, nearest, exact_ms = ids, distance[:, 0], frame_ms
        recall = np.mean([len(np.intersect1d(a, b)) / k for a, b in zip(truth, ids)])
        excess = np.mean(distance[:, 0]) / np.mean(nearest)
        print(
            f"| {kind} | {built:.1f} | {frame_ms:.3f} | {curve_ms:.3f} | {exact_ms / frame_ms:.0f} | {recall:.4f} "
            f"| {excess:.4f} of exact |",
            flush=True,
        )
    chosen = UnitIndex.build(units).kind
    print(f"\nchosen for {options.units:,} units: {chosen} (exact up to {EXACT_LIMIT:,})")


if __name__ == "__main__":
    main()
