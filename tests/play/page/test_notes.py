"""Notes with handles, and a sound that is followed: what is played is measured against what was asked."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from tests.play.page.hand import sound

RATE = 44_100


def heard(page, id: str) -> np.ndarray:
    return np.frombuffer(page.ask(f"/sounds/{id}/samples"), "<f4")


def pitch_at(audio: np.ndarray, start: float, end: float) -> float:
    parselmouth = pytest.importorskip("parselmouth")
    part = audio[int(start * RATE) : int(end * RATE)].astype(np.float64)
    hz = parselmouth.Sound(part, RATE).to_pitch_ac(pitch_floor=75, pitch_ceiling=1500).selected_array["frequency"]
    return float(np.median(hz[hz > 0]))


def test_notes_are_written_dragged_and_played(page):
    page.get_by_role("tab", name="Curve").click()
    page.wait_for_selector("canvas[aria-label^='Target for centroid']")
    page.get_by_role("button", name="Write notes").click()
    first = sound(page, "Render")
    roll = page.locator("canvas[aria-label^='Notes.']")
    roll.scroll_into_view_if_needed()
    notes = lambda: page.evaluate("() => JSON.parse(document.querySelector('canvas.notes').dataset.notes)")
    given = notes()
    assert len(given) == 4
    audio = heard(page, first)
    for note in given:
        wanted = 440 * 2 ** ((note["pitch"] - 69) / 12)
        found = pitch_at(audio, note["time"] + 0.3, note["time"] + note["duration"] - 0.1)
        assert abs(1200 * np.log2(found / wanted)) < 15

    # The hand takes the second note two semitones up, and its end by half a second back.
    box, reach = roll.bounding_box(), roll.get_attribute("data-reach").split()
    low, high = int(reach[0]) - 0.5, int(reach[1]) + 0.5

    def place(time: float, pitch: float) -> tuple[float, float]:
        return box["x"] + time / 4 * box["width"], box["y"] + (high - pitch) / (high - low) * box["height"]

    note = given[1]
    page.mouse.move(*place(note["time"] + 0.5, note["pitch"]))
    page.mouse.down()
    page.mouse.move(*place(note["time"] + 0.5, note["pitch"] + 2), steps=5)
    page.mouse.up()
    second = sound(page, "Render", first)
    assert notes()[1]["pitch"] == note["pitch"] + 2
    page.mouse.move(*place(note["time"] + note["duration"] - 0.01, note["pitch"] + 2))
    page.mouse.down()
    page.mouse.move(*place(note["time"] + note["duration"] - 0.51, note["pitch"] + 2), steps=5)
    page.mouse.up()
    third = sound(page, "Render", second)
    shorter = notes()[1]
    assert abs(shorter["duration"] - note["duration"] + 0.5) < 0.05 and shorter["time"] == note["time"]
    wanted = 440 * 2 ** ((shorter["pitch"] - 69) / 12)
    audio = heard(page, third)
    assert abs(1200 * np.log2(pitch_at(audio, note["time"] + 0.2, note["time"] + 0.45) / wanted)) < 25

    # By keys alone: another note, and away with it; and all the way back.
    roll.focus()
    page.keyboard.press("n")
    fourth = sound(page, "Render", third)
    assert len(notes()) == 5
    page.keyboard.press("Delete")
    fifth = sound(page, "Render", fourth)
    assert len(notes()) == 4
    page.keyboard.press("Control+z")
    sound(page, "Render", fifth)
    for _ in range(3):
        page.keyboard.press("Control+z")
        page.wait_for_timeout(400)
    page.wait_for_selector(f"#tab-curve section[aria-label='Render'][data-sound='{first}']")
    assert notes() == given


def test_a_hummed_melody_is_played_by_the_timbre(page, tmp_path):
    seconds = np.arange(3 * RATE) / RATE
    f0 = 110 * 2 ** (np.sin(2 * np.pi * seconds / 3) / 2)  # too low for a violin: it is moved by octaves
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    level = np.minimum(1, np.minimum(seconds, 3 - seconds) / 0.1)
    hum = 0.1 * level * sum(np.sin(k * phase) / k**2 for k in range(1, 12))
    soundfile.write(tmp_path / "hum.wav", hum, RATE)
    page.get_by_role("tab", name="Curve").click()
    page.wait_for_selector("canvas[aria-label^='Target for centroid']")
    page.locator("#tab-curve summary", has_text="Sing or hum it").click()
    page.locator("#tab-curve input[type=file]").set_input_files(tmp_path / "hum.wav")
    made = sound(page, "Render")
    page.wait_for_selector("canvas[aria-label^='Target for f0']")
    page.get_by_text("higher, where the timbre can play it").wait_for()
    audio = heard(page, made)
    assert abs(len(audio) / RATE - 3) < 0.05
    for time in (0.75, 1.5, 2.25):
        asked = f0[int(time * RATE)]
        cents = 1200 * np.log2(pitch_at(audio, time - 0.08, time + 0.08) / asked)
        assert abs((cents + 600) % 1200 - 600) < 40, "the melody, in another octave"
    noise = np.random.default_rng(0).standard_normal(RATE) * 0.05
    soundfile.write(tmp_path / "noise.wav", noise, RATE)
    page.locator("#tab-curve input[type=file]").set_input_files(tmp_path / "noise.wav")
    page.wait_for_selector("footer p.wrong")
    assert "f0 could not be measured" in page.locator("#status").text_content()
    page.wrong.clear()  # the console tells of the refusal, too
