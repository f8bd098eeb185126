"""A one-file page in headless Chromium: load per block and dropouts while a curve is played.

python -m benchmarks.playground.page [--timbre violin] [--minutes 10] [--chromium /usr/bin/chromium]

Needs the packages playwright and onnx, and Chromium. Prints a row of the table in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from vqsynth.export.write import export

FLAGS = ["--autoplay-policy=no-user-gesture-required", "--no-sandbox"]
PLAY = """async () => {
  vqsynth.curve("centroid", Float32Array.of(1500, 2500, 4000, 2500), 4);
  vqsynth.noteOn(69, 0.8);
  await vqsynth.start();
  vqsynth.onmeter = (meter) => (window.meter = meter);
}"""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--timbre", default="violin")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args(arguments)
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        path = Path(folder) / "page.html"
        export(options.timbre, path, kind="timbre", blocks=64)
        browser = play.chromium.launch(executable_path=options.chromium, args=FLAGS)
        page = browser.new_context(offline=True).new_page()
        page.goto(path.as_uri())
        page.wait_for_selector("#power:enabled", timeout=120_000)
        busy = os.getloadavg()[0]
        page.evaluate(PLAY)
        page.wait_for_timeout(60_000 * options.minutes)
        meter = page.evaluate("() => window.meter")
        version = browser.version
        browser.close()
    load = meter["load"]
    cells = [options.timbre, f"{options.minutes:g} min", f"{load['mean']:.2f} ms ({load['mean'] / load['block']:.0%})"]
    cells += [f"{load['p99']:.2f} ms", f"{load['worst']:.1f} ms", str(meter["dropouts"]), f"{meter['delay']:.0f} ms"]
    print("| " + " | ".join(cells) + " |")
    print(f"Chromium {version}, {os.cpu_count()} cores; load average of the machine at the start {busy:.1f}.")


if __name__ == "__main__":
    main()
