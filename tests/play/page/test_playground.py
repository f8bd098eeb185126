"""The playground's page in a real browser, driven by hand and by keyboard alone."""

from __future__ import annotations

import json

import numpy as np

from tests.play.page.hand import draw, sound


def test_the_sound_does_what_was_drawn(page) -> None:
    page.get_by_role("tab", name="Curve").click()
    page.wait_for_selector("canvas[aria-label^='Target for centroid']")
    draw(page, "Target for centroid", [(0.002, 0.25), (0.5, 0.75), (0.998, 0.25)])
    curves = json.loads(page.ask(f"/sounds/{sound(page, 'Render')}/curves"))
    target = np.array(curves["target_centroid"], float)
    measured = np.array([np.nan if v is None else v for v in curves["mean_centroid"]], float)
    known = np.isfinite(measured) & np.isfinite(target)
    drawn = 1 - np.abs(2 * np.linspace(0, 1, len(target)) - 1)
    assert np.corrcoef(target[known], drawn[known])[0, 1] > 0.95  # what the server was told is what the hand drew
    assert np.corrcoef(target[known], measured[known])[0, 1] > 0.9


def test_undo_gives_the_very_sound_back(page) -> None:
    page.get_by_role("button", name="Use example").first.click()
    first = sound(page, "Result")
    before = page.ask(f"/sounds/{first}/samples")
    draw(page, "Latent axes", [(0.2, 0.5), (0.5, 0.95), (0.8, 0.1)])
    second = sound(page, "Result", first)
    after = page.ask(f"/sounds/{second}/samples")
    assert np.abs(np.frombuffer(before, "<f4") - np.frombuffer(after, "<f4")).max() > 0.01
    page.keyboard.press("Control+z")
    undone = sound(page, "Result", second)
    assert page.ask(f"/sounds/{undone}/samples") == before
    page.keyboard.press("Control+y")
    assert page.ask(f"/sounds/{sound(page, 'Result', undone)}/samples") == after


def test_keys_alone_lead_from_an_example_to_a_bent_sound(page) -> None:
    def tab_to(script: str) -> None:
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate(f"(() => {{ const e = document.activeElement; return {script}; }})()"):
                return
        raise AssertionError(f"the Tab key does not lead to {script}")

    tab_to("e.textContent === 'Use example'")
    page.keyboard.press("Enter")
    first = sound(page, "Result")
    tab_to("e.getAttribute('aria-label')?.startsWith('Latent axes')")
    for key in ["ArrowRight"] * 3 + ["ArrowUp"] * 6 + ["Enter"]:
        page.keyboard.press(key)
    assert sound(page, "Result", first) != first


def test_the_plane_mixes_four_paths(page) -> None:
    page.get_by_role("tab", name="Plane").click()
    page.locator("#tab-plane").get_by_role("button", name="Use example").click()
    first = sound(page, "Mix")
    draw(page, "Plane", [(0.5, 0.5), (0.9, 0.9)])
    second = sound(page, "Mix", first)
    assert page.ask(f"/sounds/{first}/samples") != page.ask(f"/sounds/{second}/samples")
    assert "B 81 %" in page.locator("#tab-plane .values").first.text_content()
