"""A one-file page in headless Chromium: load per block and dropouts while a curve is played.

python -m benchmarks.playground.page [--timbre violin] [--minutes 10] [--life 1] [--chromium /usr/bin/chromium]
                                     [--into benchmarks/README.md]

Needs the packages playwright and onnx, and Chromium. Prints the table that stands in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from benchmarks.tables import markdown, write_into
from vqsynth.export.write import export

FLAGS = ["--autoplay-policy=no-user-gesture-required", "--no-sandbox"]
PLAY = """async () => {
  vqsynth.curve("centroid", Float32Array.of(1500, 2500, 4000, 2500), 4);
  vqsynth.noteOn(69, 0.8);
  await vqsynth.start();
  vqsynth.onmeter = (meter) => (window.meter = meter);
}"""

METER = """() => [window.meter, 1000 * (vqsynth.context.baseLatency + (vqsynth.context.outputLatency || 0))]"""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--timbre", default="violin")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--life", type=float, default=1.0)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--into", type=Path)
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
        page.evaluate("(life) => vqsynth.set('life', life)", options.life)
        page.evaluate(PLAY)
        page.wait_for_timeout(60_000 * options.minutes)
        meter, device = page.evaluate(METER)
        version = browser.version
        browser.close()
    load = meter["load"]
    cells = [
        f"{options.timbre}, life {options.life:g}",
        f"{options.minutes:g} min",
        f"{load['mean']:.2f} ms ({load['mean'] / load['block']:.0%})",
    ]
    cells += [f"{load['p99']:.2f} ms", f"{load['worst']:.1f} ms", str(meter["dropouts"]), f"{meter['delay']:.0f} ms"]
    header = ["timbre", "time", "mean (share)", "99 %", "worst", "dropouts", "delay"]
    text = (
        f"{markdown(header, [cells])}\n\n{load['blocks']} blocks; {device:.0f} ms of the delay are the device's.\n"
        f"Chromium {version}, {os.cpu_count()} cores; load average of the machine {busy:.1f} at the start, "
        f"{os.getloadavg()[0]:.1f} at the end."
    )
    print(text)
    if options.into:
        write_into(options.into, "onepage", text)


if __name__ == "__main__":
    main()
