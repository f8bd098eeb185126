"""The map of a timbre: what is chosen on it is what is played."""

from __future__ import annotations

import csv
import io
import re
import zipfile

import numpy as np

from tests.play.page.hand import sound


def played(page, id: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(io.BytesIO(page.ask(f"/sounds/{id}/bundle.zip"))) as archive:
        assert "only.csv" in archive.namelist()
        return list(csv.DictReader(archive.read("played.csv").decode().splitlines()))


def test_a_lasso_restricts_a_render_and_the_rest_is_left_out(page):
    page.get_by_role("tab", name="Curve").click()
    page.wait_for_selector("canvas[aria-label^='Target for centroid']")
    page.locator("#tab-curve").get_by_text("units are played; centroid").wait_for()
    canvas = page.locator("#tab-curve canvas.map")
    page.get_by_role("button", name="Lasso").click()
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()

    def rope(low: float, high: float) -> None:
        """Around all points between two heights, as shares of the map from below."""
        corners = [(0.01, low), (0.99, low), (0.99, high), (0.01, high), (0.01, low)]
        places = [(box["x"] + x * box["width"], box["y"] + (1 - y) * box["height"]) for x, y in corners]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=4)
        page.mouse.up()

    rope(0.5, 0.99)  # the upper half of the map: the high notes
    made = sound(page, "Render")
    told = page.locator("#tab-curve [aria-live]", has_text="units are played around").text_content()
    some, all_of = (int(number.replace(",", "")) for number in re.findall(r"[\d,]+(?= of| units)", told)[:2])
    assert 0.2 * all_of < some < 0.8 * all_of
    names = {row["recording"] for row in played(page, made)}
    high = {
        "A5.wav",
        "C6.wav",
        "E5.wav",
        "E6.wav",
        "G5.wav",
        "A6.wav",
        "C7.wav",
        "G6.wav",
        "C5.wav",
        "E4.wav",
        "A4.wav",
    }
    assert names and names <= high - {"E4.wav"}

    # Without some of these, by the range alone, and the histogram tells of it.
    page.locator("#tab-curve select", has_text="play only these").select_option("leave these out")
    page.locator("#tab-curve").get_by_label("Colour").select_option("f0")
    page.get_by_label("From", exact=True).fill("1000")
    page.get_by_label("to", exact=True).fill("9000")
    page.get_by_role("button", name="Choose this range").click()
    second = sound(page, "Render", made)
    assert {row["recording"] for row in played(page, second)}.isdisjoint(
        {"C6.wav", "E6.wav", "G6.wav", "A6.wav", "C7.wav"}
    )
    page.get_by_role("button", name="Play all").click()
    third = sound(page, "Render", second)
    with zipfile.ZipFile(io.BytesIO(page.ask(f"/sounds/{third}/bundle.zip"))) as archive:
        assert "only.csv" not in archive.namelist()
    assert np.frombuffer(page.ask(f"/sounds/{third}/samples"), "<f4").std() > 0.01
    page.keyboard.press("Control+z")
    again = sound(page, "Render", third)
    assert page.ask(f"/sounds/{again}/samples") == page.ask(f"/sounds/{second}/samples")
    assert "units are played around" in page.locator("#tab-curve").inner_text()
