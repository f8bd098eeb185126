"""The tab that trains, in a real browser: recordings dropped, previews heard, stopped, gone on with, played at once."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
import soundfile

TAB = "#tab-train"
RATE = 44_100
PREVIEWS = f"{TAB} .previews li"


@pytest.fixture
def folder(make_tone, tmp_path):
    """Four tones, one of them twice, and what is no sound."""
    made = tmp_path / "recordings"
    (made / "low").mkdir(parents=True)
    for name, hz in (("a", 220.0), ("b", 247.0), ("low/c", 294.0), ("low/d", 392.0), ("again", 220.0)):
        soundfile.write(made / f"{name}.wav", make_tone(hz, 4.0, 0.8), RATE)
    (made / "notes.txt").write_text("not a sound")
    return made


def until(page, wanted, minutes=3):
    """Wait until something is true of the window's latest training; a window that was opened anew has none at first."""
    sets = []
    for _ in range(int(minutes * 240)):
        sets = json.loads(page.ask("/training"))["sets"]
        if sets and wanted(sets[-1]):
            return sets[-1]
        page.wait_for_timeout(250)
    raise AssertionError(f"it has not come: {sets}")


def test_from_recordings_to_a_model_that_is_played(page, folder):
    page.get_by_role("tab", name="Train").click()
    tab = page.locator(TAB)
    train = tab.get_by_role("button", name="Train", exact=True)
    assert train.is_disabled()
    page.locator(f"{TAB} input[webkitdirectory]").set_input_files(folder)
    page.wait_for_selector(f"{TAB} .files tr[data-decision]")
    rows = {
        row.locator("td").first.text_content(): row for row in page.locator(f"{TAB} .files tr[data-decision]").all()
    }
    verdicts = {name: row.get_attribute("data-decision") for name, row in rows.items()}
    assert set(verdicts) == {"a.wav", "b.wav", "c.wav", "d.wav", "again.wav", "notes.txt"}
    twins = {"a.wav", "again.wav"}
    left_out = {name for name, verdict in verdicts.items() if verdict == "left out"}
    assert "notes.txt" in left_out and len(left_out & twins) == 1 and len(left_out) == 2
    assert "the same sound as" in rows[(left_out & twins).pop()].inner_text()
    assert "4 of 6 files will be used: 16 s of sound" in tab.inner_text()

    # A name that is taken is refused where it was given.
    tab.get_by_label("Name", exact=True).fill("strings")
    train.click()
    alert = page.locator(f"{TAB} [role=alert]")
    alert.wait_for(state="visible")
    assert "choose another" in alert.text_content()
    page.wrong.clear()  # the console tells of the refusal, too

    tab.get_by_label("Name", exact=True).fill("tones")
    page.locator(f"{TAB} section[aria-label='2. Training'] select").last.select_option("own")
    tab.get_by_role("spinbutton", name="Minutes").fill("0.4")
    train.click()
    page.wait_for_selector(PREVIEWS)
    with page.expect_response(lambda response: "part=model" in response.url) as previewed:
        page.get_by_role("button", name="Play the model").first.click()
    assert previewed.value.body()[:4] == b"RIFF"
    until(page, lambda state: state["left"] is not None and state["share"] > 0.05)
    assert "of training left" in tab.inner_text()

    tab.get_by_role("button", name="Stop", exact=True).click()
    stopped = until(page, lambda state: state["state"] != "running")
    assert stopped["state"] == "stopped" and 0.05 < stopped["share"] < 1
    # Later: the page is opened anew, and goes on with it.
    page.reload()
    page.wait_for_selector("body[data-ready]")
    page.get_by_role("tab", name="Train").click()
    page.locator(f"{TAB} section[aria-label='Unfinished trainings']").get_by_role("button", name="Go on").click()
    going = until(page, lambda state: state["state"] == "running" and state["step"] > 0 and state["share"])
    assert going["share"] >= stopped["share"] - 0.02
    until(page, lambda state: state["state"] == "done")

    # It is heard at once, and is in the other tabs.
    made = f"{TAB} section[aria-label='What it makes']"
    page.wait_for_selector(f"{made}[data-sound]")
    sound = np.frombuffer(page.ask(f"/sounds/{page.locator(made).get_attribute('data-sound')}/samples"), "<f4")
    assert len(sound) > 3 * RATE and np.abs(sound).max() > 0.01
    for other in ("path", "plane", "feedback"):
        assert "tones" in page.locator(f"#tab-{other} select[data-models]").first.locator("option").all_text_contents()
    tab.get_by_role("button", name="Draw its latent path").click()
    assert page.locator("#tab-path select[data-models]").input_value() == "tones"
    page.locator("#tab-path").get_by_role("button", name="Use example").click()
    page.wait_for_selector("#tab-path section[aria-label='Result'][data-sound]")


DROP = """async (zone, [name, data]) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const dropped = new DataTransfer();
    dropped.items.add(new File([bytes], name));
    zone.dispatchEvent(new DragEvent("drop", { dataTransfer: dropped, bubbles: true, cancelable: true }));
}"""


def test_files_are_dropped_and_an_example_is_there(page, folder):
    page.get_by_role("tab", name="Train").click()
    tab, rows = page.locator(TAB), page.locator(f"{TAB} .files tr[data-decision]")
    zone = tab.get_by_role("group", name="Drop recordings here")

    def drop(file):
        zone.evaluate(DROP, [file.name, base64.b64encode(file.read_bytes()).decode()])

    drop(folder / "notes.txt")
    tab.get_by_text("None of these files is a sound").wait_for()
    drop(folder / "a.wav")
    tab.get_by_text("1 of 2 files will be used").wait_for()
    assert sorted(row.get_attribute("data-decision") == "left out" for row in rows.all()) == [False, True]
    tab.get_by_role("button", name="Begin anew").click()
    assert rows.count() == 0 and tab.get_by_role("button", name="Train", exact=True).is_disabled()
    tab.get_by_role("button", name="Use example").click()
    tab.get_by_text("4 of 4 files will be used: 24 s").wait_for()
    assert tab.get_by_role("button", name="Train", exact=True).is_enabled()


def test_a_timbre_is_trained_and_played_live(page, folder):
    pytest.importorskip("onnx")
    parselmouth = pytest.importorskip("parselmouth")
    page.get_by_role("tab", name="Train").click()
    tab = page.locator(TAB)
    page.locator(f"{TAB} input[multiple]").set_input_files(sorted(folder.rglob("*.wav")))
    page.wait_for_selector(f"{TAB} .files tr[data-decision]")
    tab.get_by_label("Name", exact=True).fill("bells")
    selects = page.locator(f"{TAB} section[aria-label='2. Training'] select:visible")
    selects.first.select_option("timbre")
    page.locator(f"{TAB} section[aria-label='2. Training'] select[data-models=timbres]").select_option("flute")
    selects.last.select_option("own")
    tab.get_by_role("spinbutton", name="Minutes").fill("0.3")
    tab.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("button", name="Play it live").click()
    page.get_by_role("button", name="Load the instrument").click()
    page.wait_for_selector("#tab-play-live canvas.pad:visible")
    assert page.evaluate("() => vqsynth.card.name") == "bells"
    page.evaluate("async () => { vqsynth.record(); vqsynth.noteOn(64, 0.8); await vqsynth.start(); }")
    page.wait_for_timeout(2500)
    heard = np.concatenate(page.evaluate("async () => (await vqsynth.finish()).blocks.map((b) => Array.from(b))"))
    track = parselmouth.Sound(heard, RATE).to_pitch_ac(pitch_floor=150, pitch_ceiling=1000)
    hz = track.selected_array["frequency"]
    assert abs(1200 * np.log2(np.median(hz[hz > 0]) / 329.63)) < 5
