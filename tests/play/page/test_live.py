"""The tab in which a timbre is played live, in a real browser: what is recorded there is what was asked for."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("parselmouth")

RATE, BLOCK = 44_100, 512
TAB = "#tab-play-live"
WATCH = """() => {
    const shown = vqsynth.onmeter;
    vqsynth.onmeter = (meter) => { window.meter = meter; shown(meter); };
}"""

FINISH = """async () => {
    const made = await vqsynth.finish();
    return [made.blocks, made.controls].map((parts) => parts.map((part) => Array.from(part)));
}"""
NAMELESS = """() => [...document.querySelectorAll("button, input, select, canvas, progress")].filter((part) =>
    part.offsetParent && !(part.getAttribute("aria-label") || part.textContent.trim() || part.labels?.length)
).map((part) => part.outerHTML)"""


@pytest.fixture
def live(page):
    """The tab, with the violin loaded."""
    page.get_by_role("tab", name="Play live").click()
    page.get_by_role("button", name="Load the instrument").click()
    page.wait_for_selector(f"{TAB} canvas.pad:visible")
    page.evaluate(WATCH)
    return page


def play(page, seconds):
    """Wait until so much more sound was made."""
    made = page.evaluate("() => window.meter?.load.blocks ?? 0")
    page.wait_for_function(f"() => (window.meter?.load.blocks ?? 0) >= {made + seconds * RATE / BLOCK}")


def recorded(page):
    """End the recording by hand; what the window now has of it, and its name."""
    panel = page.locator(f"{TAB} section[aria-label='Recording']")
    before = panel.get_attribute("data-sound")
    page.locator(TAB).get_by_role("button", name="Stop recording").click()
    page.wait_for_function(
        "([query, was]) => { const id = document.querySelector(query)?.dataset.sound; return id && id !== was; }",
        arg=[f"{TAB} section[aria-label='Recording']", before],
    )
    id = panel.get_attribute("data-sound")
    sounds = {sound["id"]: sound for sound in json.loads(page.ask("/sounds"))["sounds"]}
    return np.frombuffer(page.ask(f"/sounds/{id}/samples"), "<f4"), sounds[id]["name"]


def pitch_of(sound):
    import parselmouth

    track = parselmouth.Sound(sound.astype(float), RATE).to_pitch_ac(pitch_floor=150, pitch_ceiling=1500)
    hz = track.selected_array["frequency"]
    assert (hz > 0).sum() > 50
    return float(np.median(hz[hz > 0]))


def centroid_of(sound):
    from vqsynth import descriptors

    measured = descriptors.measure(("centroid",), sound, RATE, 2048, 512)["centroid"]
    return float(measured.values[measured.valid].mean())


def record(page):
    page.locator(TAB).get_by_role("button", name="Record", exact=True).click()


def test_a_key_has_its_pitch(live):
    record(live)
    live.keyboard.down("h")
    play(live, 1.2)
    live.keyboard.up("h")
    play(live, 0.5)
    sound, name = recorded(live)
    octave = int(live.locator(f"{TAB} .keys .white").first.text_content().removeprefix("C"))
    assert abs(1200 * np.log2(pitch_of(sound) / (440.0 * 2 ** (octave - 4)))) < 5
    assert name == "violin live 1.wav" and np.abs(sound).max() > 0.05
    assert np.abs(sound[-2048:]).max() < 0.01  # a key that is let go ends
    live.locator("#tab-plane option", has_text=name).first.wait_for(state="attached")  # the other tabs have it


def test_a_key_is_played_by_mouse_and_keys_are_left_alone_elsewhere(live):
    record(live)
    key = live.locator(f"{TAB} .keys [aria-label='D 5']").bounding_box()
    live.mouse.move(key["x"] + key["width"] / 2, key["y"] + 0.9 * key["height"])
    live.mouse.down()
    play(live, 1.0)
    live.mouse.up()
    sound, _ = recorded(live)
    assert abs(1200 * np.log2(pitch_of(sound[: RATE // 1]) / 587.33)) < 5
    live.get_by_role("tab", name="Train").click()
    assert live.evaluate("() => vqsynth.running") is False
    live.get_by_label("Name", exact=True).fill("")
    live.get_by_label("Name", exact=True).press_sequentially("asdf")
    assert live.evaluate("() => vqsynth.running") is False
    assert live.get_by_label("Name", exact=True).input_value() == "asdf"


def test_the_pad_asks_and_the_sound_does(live):
    axes = live.locator(f"{TAB} section[aria-label='Pad'] select")
    assert axes.first.locator("option").first.text_content() == "centroid (Hz)"
    axes.nth(1).select_option("gain")
    box = live.locator(f"{TAB} canvas.pad").bounding_box()
    found = []
    for share in (0.25, 0.75):
        live.mouse.move(box["x"] + share * box["width"], box["y"] + 0.1 * box["height"])
        live.mouse.down()
        play(live, 0.5)
        live.evaluate("() => vqsynth.record()")
        play(live, 1.0)
        blocks, controls = live.evaluate(FINISH)
        asked = np.array(controls).reshape(len(controls), -1, 2)[:, 0]
        assert asked.std() < 1e-3
        assert live.locator(f"{TAB} .control .light").first.get_attribute("aria-label") == "reached"
        found.append(centroid_of(np.concatenate(blocks).astype(np.float32)))
        assert abs(np.log2(found[-1] / asked[0, 0])) < 0.05
        live.mouse.up()
    assert found[1] > 1.6 * found[0]
    assert "ms from key to sound" in live.locator(TAB).inner_text()


def test_life_moves_and_stays_at_its_pitch(live):
    import parselmouth

    spread = []
    for share in (0, 1):
        live.locator(TAB).get_by_role("slider", name="life").fill(str(share))
        live.evaluate("async () => { vqsynth.record(); vqsynth.noteOn(69, 0.8); await vqsynth.start(); }")
        play(live, 2.5)
        sound = np.concatenate(live.evaluate(FINISH)[0])
        live.evaluate("() => vqsynth.noteOff(69)")
        play(live, 0.5)
        hz = parselmouth.Sound(sound, RATE).to_pitch_ac(pitch_floor=150, pitch_ceiling=1500).selected_array["frequency"]
        cents = 1200 * np.log2(hz[20:][hz[20:] > 0] / 440.0)
        assert abs(np.median(cents)) < 5
        spread.append(np.percentile(cents, 90) - np.percentile(cents, 10))
    assert spread[1] > spread[0] + 1


def test_a_midi_device_plays(live):
    live.evaluate(
        """() => {
            window.device = { name: "Keys" };
            navigator.requestMIDIAccess = async () => ({ inputs: new Map([["1", window.device]]) });
        }"""
    )
    live.get_by_role("button", name="MIDI device").click()
    live.get_by_text("Listening to Keys").wait_for()
    live.evaluate("() => device.onmidimessage({ data: [0xb0, 74, 64] })")
    asked = live.locator(f"{TAB} .control", has_text="centroid").locator("output").text_content()
    record(live)
    live.evaluate("() => device.onmidimessage({ data: [0x90, 71, 100] })")
    play(live, 1.2)
    live.evaluate("() => device.onmidimessage({ data: [0x80, 71, 0] })")
    sound, _ = recorded(live)
    assert abs(1200 * np.log2(pitch_of(sound) / 493.88)) < 5
    assert abs(np.log2(centroid_of(sound[RATE // 4 : RATE]) / float(asked.removesuffix(" Hz")))) < 0.1


def test_another_timbre_takes_its_place(live):
    live.locator(TAB).get_by_label("Timbre").select_option("cello")
    live.get_by_role("button", name="Load cello").click()
    live.wait_for_function("() => vqsynth.card.name === 'cello'")
    live.evaluate(WATCH)
    record(live)
    live.keyboard.down("a")
    play(live, 1.2)
    live.keyboard.up("a")
    sound, name = recorded(live)
    octave = int(live.locator(f"{TAB} .keys .white").first.text_content().removeprefix("C"))
    import parselmouth

    track = parselmouth.Sound(sound.astype(float), RATE).to_pitch_ac(pitch_floor=60, pitch_ceiling=800)
    hz = track.selected_array["frequency"]
    assert abs(1200 * np.log2(np.median(hz[hz > 0]) / (261.6256 * 2.0 ** (octave - 4)))) < 5
    assert name == "cello live 1.wav"


def test_what_fails_is_said_where_it_failed(page):
    page.get_by_role("tab", name="Play live").click()
    page.route("**/api/networks/*", lambda route: route.abort())
    page.get_by_role("button", name="Load the instrument").click()
    alert = page.locator(f"{TAB} [role=alert]")
    alert.wait_for(state="visible")
    assert alert.text_content()
    page.unroute("**/api/networks/*")
    page.get_by_role("button", name="Load the instrument").click()
    page.wait_for_selector(f"{TAB} canvas.pad:visible")
    assert not alert.is_visible()
    page.wrong.clear()  # the browser itself complains of the aborted request


def test_it_fits_every_window_and_everything_has_a_name(live):
    for tab in ("Play live", "Train"):
        live.get_by_role("tab", name=tab).click()
        for width, scheme in ((360, "dark"), (1024, "light"), (2560, "dark")):
            live.set_viewport_size({"width": width, "height": 900})
            live.emulate_media(color_scheme=scheme)
            assert live.evaluate("document.documentElement.scrollWidth") <= width
        assert live.evaluate(NAMELESS) == []
