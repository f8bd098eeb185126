"""Work is kept: in snapshots, in a file, in recipes; and goes from tab to tab."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import zipfile

import numpy as np
import soundfile

from tests.play.page.hand import draw, sound

READ = """async (id) => {
    const link = document.querySelector(`a[href*='${id}'][download='audio.wav']`);
    return Array.from(new Uint8Array(await (await fetch(link.href)).arrayBuffer()));
}"""


def samples(page, id: str) -> bytes:
    return page.ask(f"/sounds/{id}/samples")


def path_with_two_snapshots(page) -> tuple[str, str]:
    tab = page.locator("#tab-path")
    tab.get_by_role("button", name="Use example").click()
    first = sound(page, "Result")
    tab.get_by_role("button", name="Keep this state").click()
    draw(page, "Latent axes", [(0.1, 0.5), (0.5, 0.95), (0.9, 0.1)])
    second = sound(page, "Result", first)
    tab.get_by_role("button", name="Keep this state").click()
    return first, second


def test_snapshots_are_recalled_morphed_and_compared(page):
    first, second = path_with_two_snapshots(page)
    tab = page.locator("#tab-path")
    tab.get_by_role("button", name="Recall").first.click()
    again = sound(page, "Result", second)
    assert samples(page, again) == samples(page, first)
    morph = tab.get_by_label("Morph")

    def to(share: str, was: str) -> str:
        morph.fill(share)
        return sound(page, "Result", was)

    half = to("0.5", again)
    a, b, middle = (np.frombuffer(page.ask(f"/sounds/{id}/samples"), "<f4") for id in (first, second, half))
    assert len(a) == len(b) == len(middle)
    assert np.abs(middle - a).max() > 0.01 and np.abs(middle - b).max() > 0.01
    assert samples(page, to("1", half)) == samples(page, second), "at its end a morph is where it goes"
    page.locator("#tab-path canvas").first.click()
    page.keyboard.press("c")
    page.wait_for_selector("#tab-path section[aria-label='Snapshots'][data-heard=A]")
    page.wait_for_timeout(300)
    page.keyboard.press("c")
    page.wait_for_selector("#tab-path section[aria-label='Snapshots'][data-heard=B]")
    tab.get_by_role("button", name="Delete State 1").click()
    assert tab.get_by_role("button", name="Recall").count() == 1


def test_a_session_is_saved_and_opened_in_another_window(page, browser, address, tmp_path):
    path_with_two_snapshots(page)
    page.get_by_role("tab", name="Curve").click()
    draw(page, "Target for centroid", [(0.002, 0.3), (0.5, 0.7), (0.998, 0.3)])
    rendered = sound(page, "Render")
    page.locator("#tab-curve").get_by_role("button", name="Keep this state").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save session").click()
    file = tmp_path / "session.json"
    saved.value.save_as(file)
    content = json.loads(file.read_text())
    assert len(content["paths"]) == 2, "two snapshots; the history of the hand is not kept"
    latents = sorted(item["z"] for item in content["paths"])
    drawn = samples(page, rendered)

    other = browser.new_page(viewport={"width": 1280, "height": 1000})
    wrong: list[str] = []
    other.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    other.set_default_timeout(90_000)
    other.goto(address)
    other.wait_for_selector("body[data-ready]")
    other.locator("input[aria-label='Session file']").set_input_files(file)
    other.get_by_text("The session is open.").wait_for()
    assert other.get_by_role("tab", name="Curve").get_attribute("aria-selected") == "true"
    here = bytes(other.evaluate(READ, sound(other, "Render")))
    there = page.ask(f"/sounds/{rendered}/audio.wav")
    assert here == there and drawn
    other.get_by_role("tab", name="Path").click()
    assert other.locator("#tab-path").get_by_role("button", name="Recall").count() == 2
    assert other.locator("#tab-path section[aria-label='Source']").get_attribute("data-sound")
    with other.expect_download() as saved_again:
        other.get_by_role("button", name="Save session").click()
    saved_again.value.save_as(tmp_path / "again.json")
    again = json.loads((tmp_path / "again.json").read_text())
    assert sorted(item["z"] for item in again["paths"]) == latents, "latents are kept to the last bit"
    assert not wrong
    other.locator("input[aria-label='Session file']").set_input_files(
        {"name": "x.json", "mimeType": "application/json", "buffer": b'{"vqsynth_session": 7}'}
    )
    other.wait_for_selector("footer p.wrong")
    assert "vqsynth_session" in other.locator("#status").text_content()
    other.close()


def test_a_curve_is_undone_to_the_very_sound_and_its_recipe_repeats_it(page, tmp_path):
    page.get_by_role("tab", name="Curve").click()
    draw(page, "Target for centroid", [(0.002, 0.3), (0.5, 0.7), (0.998, 0.3)])
    first = sound(page, "Render")
    before = samples(page, first)
    draw(page, "Target for centroid", [(0.2, 0.2), (0.8, 0.6)])
    second = sound(page, "Render", first)
    assert samples(page, second) != before
    page.keyboard.press("Control+z")
    assert samples(page, sound(page, "Render", second)) == before
    page.keyboard.press("Control+y")
    assert samples(page, sound(page, "Render", first)) != before
    page.locator("#tab-curve").get_by_role("button", name="Undo").click()
    undone = sound(page, "Render", second)
    page.locator("#tab-curve").get_by_text("Recipe", exact=True).click()
    page.locator("#tab-curve pre.recipe", has_text="vqsynth render").wait_for()
    line = page.locator("#tab-curve pre.recipe").text_content()
    with page.expect_download() as bundle:
        page.locator("#tab-curve").get_by_role("link", name="Recipe and all files").click()
    bundle.value.save_as(tmp_path / "bundle.zip")
    made = tmp_path / "made"
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        archive.extractall(made)
        assert archive.read("command.txt").decode().strip() == line
    (made / "sound.wav").rename(made / "was.wav")
    command = [sys.executable, "-c", "import vqsynth.cli; vqsynth.cli.main()", *shlex.split(line)[1:]]
    subprocess.run(command, cwd=made, check=True, capture_output=True)
    was, now = (soundfile.read(made / name, dtype="float32")[0] for name in ("was.wav", "sound.wav"))
    np.testing.assert_array_equal(was, now)
    assert undone


def test_a_render_is_sent_to_the_path_and_to_transfer(page):
    page.get_by_role("tab", name="Curve").click()
    draw(page, "Target for centroid", [(0.002, 0.3), (0.998, 0.6)])
    made = sound(page, "Render")
    page.get_by_label("Send Render to").select_option("Path")
    assert sound(page, "Source") == made and sound(page, "Result")
    assert page.get_by_role("tab", name="Path").get_attribute("aria-selected") == "true"
    page.get_by_label("Send Result to").select_option("Plane B")
    page.wait_for_function("() => document.querySelector('#tab-plane').offsetParent")
    page.get_by_role("tab", name="Curve").click()
    page.get_by_label("Send Render to").select_option("Transfer")
    assert page.locator("#tab-transfer section[aria-label='Source']").get_attribute("data-sound") == made
