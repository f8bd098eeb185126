"""How soon the playground answers: from letting go of a curve to having the new sound, through a real server.

python -m benchmarks.playground [--model strings] [--timbre violin] [--seconds 4] [--times 20] [--csv out.csv]
                                [--into benchmarks/README.md]
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.tables import machine, markdown, number, write_csv, write_into

GOAL_MS = 300.0


class Page:
    """What a page does: a window, requests, jobs that are waited for."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=f"{url}/api", timeout=120)
        self.client.headers["X-Session"] = self.client.post("/session").json()["session"]

    def job(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The result of a job."""
        job = self.client.post(path, params={"wait": 30}, json=body).json()["job"]
        while job["state"] in ("queued", "running"):
            time.sleep(0.05)
            job = self.client.get(f"/jobs/{job['id']}").json()["job"]
        if job["state"] != "done":
            raise SystemExit(f"{path}: {job.get('error')}")
        return job["result"]

    def samples(self, result: dict[str, Any]) -> int:
        """Fetch a sound; its bytes."""
        return len(self.client.get(f"/sounds/{result['sound']['id']}/samples").content)


def path_of(page: Page, model: str, seconds: float) -> dict[str, Any]:
    """A path of that length."""
    made = page.client.post("/paths/random", json={"model": model, "seconds": seconds}).json()
    return made["path"]


def redrawn(page: Page, path: dict[str, Any], number: int, late: bool) -> None:
    """Draw half a second of an axis, decode, fetch."""
    length = round(0.5 * path["rate"])
    start = path["frames"] - length if late else round(0.2 * path["frames"])
    values = (2 * np.sin(np.arange(length) / 3 + number)).tolist()
    steps = [{"op": "draw", "axis": number % 4, "start": start, "values": values}]
    bent = page.client.post(f"/paths/{path['id']}/edit", json={"steps": steps}).json()["path"]
    assert page.samples(page.job(f"/paths/{bent['id']}/decode", {"latest": "drag"})) == 4 * path["samples"]


def worked(process: int) -> float:
    """Milliseconds of processor time that a process has had; NaN where the system does not say."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def times(what: Callable[[int], None], count: int, process: int) -> np.ndarray:
    """Milliseconds of calls, the first two left out: by the clock, and of the server's processor. Shape: [count, 2]."""
    taken = []
    for index in range(count + 2):
        before, work = time.perf_counter(), worked(process)
        what(index)
        taken.append((1000 * (time.perf_counter() - before), worked(process) - work))
    return np.array(taken[2:])


def measure(
    url: str, process: int, model: str, timbre: str, seconds: float, count: int
) -> list[tuple[str, np.ndarray, float | None]]:
    """What was done, how long it took each time, and the goal."""
    page = Page(url)
    path, long = path_of(page, model, seconds), path_of(page, model, 5 * seconds)
    drawn = {"points": [[0, 1500.0], [seconds, 2500.0]]}

    def render(index: int) -> None:
        page.samples(page.job(f"/timbres/{timbre}/render", {"targets": {"centroid": drawn}, "duration": seconds}))

    def hear(index: int) -> None:
        page.samples(page.job(f"/timbres/{timbre}/hear", {"code": index}))

    def redraw(which: dict[str, Any], late: bool) -> Callable[[int], None]:
        return lambda index: redrawn(page, which, index, late)

    few = max(3, count // 4)
    rows: list[tuple[str, Callable[[int], None], int, float | None]] = [
        (f"{model}: half a second redrawn, {seconds:g} s of sound", redraw(path, False), count, GOAL_MS),
        (f"{model}: near the end, {5 * seconds:g} s of sound", redraw(long, True), few, None),
        (f"{model}: near the beginning, {5 * seconds:g} s of sound", redraw(long, False), few, None),
        (f"{timbre}: a code heard, 1 s", hear, few, None),
        (f"{timbre}: a drawn brightness, {seconds:g} s", render, few, None),
    ]
    return [(what, times(call, number, process), goal) for what, call, number, goal in rows]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="strings")
    parser.add_argument("--timbre", default="violin")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--into", type=Path)
    asked = parser.parse_args()
    command = [sys.executable, "-m", "vqsynth", "play", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"http://[\d.:]+", server.stdout.readline())
            assert found is not None
            rows = measure(found[0], server.pid, asked.model, asked.timbre, asked.seconds, asked.times)
        finally:
            server.send_signal(signal.SIGINT)
    table = []
    for what, taken, goal in rows:
        clock, late, work = float(np.median(taken[:, 0])), float(np.percentile(taken[:, 0], 95)), np.median(taken[:, 1])
        word = "" if goal is None else f"under {goal:g} ms: {'reached' if work < goal else 'missed'}"
        cells = [number(float(ms), 0, " ms") for ms in (work, clock, late)]
        table.append([what, *cells, len(taken), word])
    text = markdown(["", "processor, median", "clock, median", "clock, 95 %", "times", ""], table)
    text = f"{machine()}\n\n{text}"
    print(text)
    if asked.csv:
        write_csv(
            asked.csv,
            [{"what": what, "ms": float(ms), "work_ms": float(w)} for what, taken, _ in rows for ms, w in taken],
        )
    if asked.into:
        write_into(asked.into, "playground", text)


if __name__ == "__main__":
    main()
