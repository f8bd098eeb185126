"""Frames while a hand moves in the playground, in headless Chromium: a path of 16 axes, a map of many points.

python -m benchmarks.playground.frames [--seconds 20] [--points 100000] [--moves 600] [--into benchmarks/README.md]

Needs the extra play, the package playwright, and Chromium. A frame lasts from one to the next as the browser gives them
(requestAnimationFrame); *work* is what the page itself computes of it, its handlers of the pointer and its drawing.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from benchmarks.playground.page import FLAGS
from benchmarks.tables import markdown, number, write_into

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

GOAL_HZ = 60
WATCH = """() => {
  const plain = requestAnimationFrame.bind(window);
  window.frames_ = []; window.work_ = 0; window.watching_ = false;
  const timed = (act) => function (...given) {
    const began = performance.now();
    try { return act.apply(this, given); } finally { window.work_ += performance.now() - began; }
  };
  window.requestAnimationFrame = (act) => plain(timed(act));
  for (const canvas of document.querySelectorAll("canvas")) {
    for (const name of ["onpointermove", "onpointerdown"]) if (canvas[name]) canvas[name] = timed(canvas[name]);
  }
  let last = 0;
  const tick = (now) => {
    if (window.watching_ && last) window.frames_.push([now - last, window.work_]);
    window.work_ = 0;
    last = now;
    plain(tick);
  };
  plain(tick);
}"""


def moved(page: Page, canvas: Locator, moves: int, drags: bool) -> np.ndarray:
    """Go over a canvas to and fro; times and work of the frames meanwhile, ms. Shape: [frames, 2]."""
    page.evaluate(WATCH)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 4, box["y"] + box["height"] / 2)
    if drags:
        page.mouse.down()
    page.evaluate("() => { window.watching_ = true; }")
    for k in range(moves):
        across = 0.5 - 0.48 * math.cos(2 * math.pi * k / 200)
        up = 0.5 + 0.4 * math.sin(2 * math.pi * k / 37)
        page.mouse.move(box["x"] + across * box["width"], box["y"] + up * box["height"])
    page.evaluate("() => { window.watching_ = false; }")
    found = np.array(page.evaluate("() => window.frames_"))
    if drags:
        page.mouse.up()
    return found


def path(page: Page, address: str, file: Path, seconds: float, moves: int) -> np.ndarray:
    """Frames while one of 16 axes of a path is drawn on."""
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    page.locator("input[type=file][accept='audio/*']").first.set_input_files(file)
    page.wait_for_selector("section[aria-label='Result'][data-sound]", timeout=300_000)
    axes = page.get_by_role("button", name=re.compile("^Show axis"))
    for chip in axes.all():
        if chip.get_attribute("aria-pressed") == "false":
            chip.click()
    assert axes.count() == 16
    assert f"{seconds:.2f} s" in page.locator("section[aria-label='Result']:visible").inner_text()
    return moved(page, page.locator("canvas[aria-label^='Latent axes']"), moves, True)


def unit_map(page: Page, address: str, points: int, moves: int) -> np.ndarray:
    """Frames while the pointer goes over a map of so many points, which stand in for those of a timbre."""
    rng = np.random.default_rng(0)

    def many(route: Route) -> None:
        answer = route.fetch()
        names = answer.headers["x-column-names"].split(",")
        table = rng.uniform(-1, 1, (points, len(names))).astype("<f4")
        table[:, names.index("id")] = np.arange(points) % 64
        route.fulfill(response=answer, body=table.tobytes())

    page.route("**/map?*", many)
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    page.get_by_role("tab", name="Curve").click()
    canvas = page.locator("canvas.map:visible")
    page.wait_for_function("() => document.querySelector('canvas.map')?.closest('section').querySelector('option')")
    page.wait_for_timeout(1000)
    return moved(page, canvas, moves, False)


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--moves", type=int, default=600)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--into", type=Path)
    options = parser.parse_args(arguments)
    from playwright.sync_api import sync_playwright

    command = [sys.executable, "-m", "vqsynth", "play", "--port", "0", "--no-browser"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server,
        sync_playwright() as play,
    ):
        file = Path(folder) / "glide.wav"
        time = np.arange(round(options.seconds * 44_100)) / 44_100
        soundfile.write(file, 0.2 * np.sin(2 * np.pi * 220 * time + 30 * np.sin(2 * np.pi * 0.2 * time)), 44_100)
        try:
            assert server.stdout is not None
            found = re.search(r"http://[\d.:]+", server.stdout.readline())
            assert found is not None
            browser = play.chromium.launch(executable_path=options.chromium, args=FLAGS)
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            busy = os.getloadavg()[0]
            rows = [
                (
                    f"drawing on a path, 16 axes, {options.seconds:g} s",
                    path(page, found[0], file, options.seconds, options.moves),
                ),
                (f"over a map of {options.points:,} points", unit_map(page, found[0], options.points, options.moves)),
            ]
            version = browser.version
            browser.close()
        finally:
            server.send_signal(signal.SIGINT)
    table = []
    for what, frames in rows:
        shown = [
            number(float(np.percentile(frames[:, column], share)), 1, " ms") for column in (0, 1) for share in (50, 99)
        ]
        # A frame that came late lasted two or more: a median would not tell.
        reached = np.percentile(frames[:, 0], 99) < 1.05 * 1000 / GOAL_HZ
        longest = number(float(frames[:, 0].max()), 1, " ms")
        late = int(np.sum(frames[:, 0] > 1.5 * 1000 / GOAL_HZ))
        verdict = f"{GOAL_HZ} a second: {'reached' if reached else 'missed'}"
        table.append([what, len(frames), *shown[:2], longest, late, *shown[2:], verdict])
    text = markdown(["", "frames", "frame, median", "99 %", "longest", "late", "work, median", "99 %", ""], table)
    text += f"\n\nChromium {version} without a graphics card, {os.cpu_count()} cores; "
    text += f"load average of the machine at the start {busy:.1f}."
    print(text)
    if options.into:
        write_into(options.into, "frames", text)


if __name__ == "__main__":
    main()
