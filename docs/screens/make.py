"""Screenshots of the playground in headless Chromium: a real server, real models, what a hand would do.

python docs/screens/make.py [--chromium /usr/bin/chromium]

Needs the extras play and onnx, the package playwright, and Chromium.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Page

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WAIT = 180_000
SIZE = {"width": 1280, "height": 800}


def drawn(page: Page, label: str, points: list[tuple[float, float]]) -> None:
    """Draw on a canvas; places as shares of its width and height, from below."""
    canvas = page.locator(f"canvas[aria-label^='{label}']:visible")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + (1 - y) * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=12)
    page.mouse.up()


def path(page: Page) -> None:
    """An example as latents, an axis drawn on, the sound anew."""
    page.get_by_role("button", name="Use example").first.click()
    page.wait_for_selector("section[aria-label='Result'][data-sound]")
    before = page.locator("section[aria-label='Result']:visible").get_attribute("data-sound")
    drawn(page, "Latent axes", [(0.1, 0.5), (0.3, 0.85), (0.5, 0.3), (0.75, 0.8), (0.95, 0.4)])
    page.wait_for_function(
        "(was) => [...document.querySelectorAll('section[aria-label=Result]')]"
        ".find((part) => part.offsetParent).dataset.sound !== was",
        arg=before,
    )
    page.wait_for_timeout(1500)


def curve(page: Page) -> None:
    """A brightness drawn, rendered, measured."""
    page.get_by_role("tab", name="Curve").click()
    page.wait_for_selector("canvas[aria-label^='Target for centroid']")
    drawn(page, "Target for centroid", [(0.002, 0.2), (0.2, 0.6), (0.4, 0.35), (0.7, 0.85), (0.998, 0.25)])
    page.wait_for_selector("section[aria-label='Render'][data-sound]")
    page.wait_for_timeout(2500)
    page.locator("canvas[aria-label^='Target for centroid']").scroll_into_view_if_needed()


def train(page: Page) -> None:
    """What the check says of an example's recordings."""
    page.get_by_role("tab", name="Train").click()
    page.locator("#tab-train").get_by_role("button", name="Use example").click()
    page.locator("#tab-train .files tr[data-decision]").nth(3).wait_for()
    page.wait_for_timeout(500)


def live(page: Page) -> None:
    """The instrument, a note held."""
    page.get_by_role("tab", name="Play live").click()
    page.get_by_role("button", name="Load the instrument").click()
    pad = page.locator("#tab-play-live canvas.pad:visible")
    pad.wait_for()
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.4 * box["height"])
    page.mouse.down()
    page.wait_for_timeout(2000)


SHOWN = {"path": path, "curve": curve, "train": train, "live": live}


def main() -> None:
    """Make all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    command = [sys.executable, "-m", "vqsynth", "play", "--port", "0", "--no-browser"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    flags = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder, env=environment) as server,
        sync_playwright() as play,
    ):
        try:
            assert server.stdout is not None
            found = re.search(r"http://[\d.:]+", server.stdout.readline())
            assert found is not None
            browser = play.chromium.launch(executable_path=options.chromium, args=flags)
            for name, act in SHOWN.items():
                page = browser.new_page(viewport=SIZE, color_scheme="dark" if name == "live" else "light")
                page.set_default_timeout(WAIT)
                page.goto(found[0])
                page.wait_for_selector("body[data-ready]")
                act(page)
                shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
                shot.quantize(192).save(HERE / f"{name}.png", optimize=True)
                sys.stdout.write(f"{name}.png\n")
                page.close()
            browser.close()
        finally:
            server.send_signal(signal.SIGINT)


if __name__ == "__main__":
    main()
