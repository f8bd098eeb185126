"""The playground's tab "Play live" in headless Chromium: load per block and dropouts while a curve is played.

python -m benchmarks.playground.live [--timbre violin] [--minutes 10] [--life 1] [--chromium ...]

Needs the extras play and onnx, the package playwright, and Chromium. Prints a row of the table in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys

from benchmarks.playground.page import FLAGS, PLAY

KEY_MS = 60
"""Goal for the page's own part of the time from a key to its sound."""
OWN = """() => {
  const device = vqsynth.context.baseLatency + (vqsynth.context.outputLatency || 0);
  return [window.meter, 1000 * device, crossOriginIsolated];
}"""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--timbre", default="violin")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--life", type=float, default=0.0)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args(arguments)
    from playwright.sync_api import sync_playwright

    command = [sys.executable, "-m", "vqsynth", "play", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server, sync_playwright() as play:
        try:
            assert server.stdout is not None
            found = re.search(r"http://[\d.:]+", server.stdout.readline())
            assert found is not None
            browser = play.chromium.launch(executable_path=options.chromium, args=FLAGS)
            page = browser.new_page()
            page.goto(found[0])
            page.wait_for_selector("body[data-ready]", timeout=120_000)
            page.get_by_role("tab", name="Play live").click()
            page.locator("#tab-play-live").get_by_label("Timbre").select_option(options.timbre)
            page.get_by_role("button", name="Load the instrument").click()
            page.wait_for_selector("#tab-play-live canvas.pad:visible", timeout=120_000)
            busy = os.getloadavg()[0]
            page.evaluate("(life) => vqsynth.set('life', life)", options.life)
            page.evaluate(PLAY)
            page.wait_for_timeout(60_000 * options.minutes)
            meter, device, isolated = page.evaluate(OWN)
            version = browser.version
            browser.close()
        finally:
            server.send_signal(signal.SIGINT)
    load = meter["load"]
    own = meter["delay"] - device
    cells = [f"{options.timbre}, Play live, life {options.life:g}", f"{options.minutes:g} min"]
    cells += [f"{load['mean']:.2f} ms ({load['mean'] / load['block']:.0%})", f"{load['p99']:.2f} ms"]
    cells += [f"{load['worst']:.1f} ms", str(meter["dropouts"]), f"{meter['delay']:.0f} ms"]
    print("| " + " | ".join(cells) + " |")
    print(
        f"{load['blocks']} blocks; {'shared memory' if isolated else 'message ports'}; of the delay {own:.0f} ms are "
        f"the page's (goal {KEY_MS}: {'reached' if own < KEY_MS else 'missed'}), {device:.0f} ms the browser's device."
    )
    print(f"Chromium {version}, {os.cpu_count()} cores; load average of the machine at the start {busy:.1f}.")


if __name__ == "__main__":
    main()
