"""The listening test in a real Chromium, opened from disk with the network off."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
import soundfile
from scipy.stats import binom

from vqsynth.listening.sounds import comparable
from vqsynth.listening.write import listening_test

RATE, TRIALS = 44_100, 6
WATCH = """() => {
    const { deck } = vqsynth;
    // What leaves the page, sample by sample.
    const tap = deck.context.createScriptProcessor(1024, 1, 1);
    window.heard = [];
    tap.onaudioprocess = (event) => window.heard.push(Array.from(event.inputBuffer.getChannelData(0)));
    deck.output.connect(tap).connect(deck.context.destination);
}"""


def tone(hertz, seconds=1.0):
    return (0.2 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Three tones, the reference first, as files."""
    folder = tmp_path_factory.mktemp("tones")
    for name, hertz in (("low", 220), ("middle", 330), ("high", 550)):
        soundfile.write(folder / f"{name}.wav", tone(hertz), RATE, subtype="PCM_24")
    return [folder / f"{name}.wav" for name in ("low", "middle", "high")]


@pytest.fixture(scope="module")
def file(paths):
    page = paths[0].parent / "test.html"
    listening_test(paths, page, trials=TRIALS, seed=3, title="Three tones")
    return page


@pytest.fixture
def opened(chromium, file):
    """The test, its sounds decoded, in a window without network; nothing may go wrong in it, nothing be asked for."""
    context = chromium.new_context(offline=True, viewport={"width": 1000, "height": 900}, accept_downloads=True)
    page, wrong = context.new_page(), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: message.type in ("error", "warning") and wrong.append(message.text))
    page.on("request", lambda request: request.url.startswith(("file:", "blob:")) or wrong.append(request.url))
    page.goto(file.as_uri())
    page.wait_for_selector("#play:enabled")
    yield page
    context.close()
    # The tap that some tests put in is of a kind that Chromium warns of.
    assert not [text for text in wrong if "ScriptProcessor" not in text]


def table(page):
    """The rows that are saved."""
    with page.expect_download() as download:
        page.click("a[download]")
    text = open(download.value.path(), newline="", encoding="utf-8").read()
    return list(csv.DictReader(io.StringIO(text)))


def recorded(page, blocks):
    """The next blocks of sound."""
    page.evaluate("() => window.heard.length = 0")
    page.wait_for_function(f"() => window.heard.length >= {blocks}")
    return np.concatenate(page.evaluate(f"() => window.heard.slice(0, {blocks})"))


def frequency(audio):
    """Of its strongest partial, Hz."""
    return np.abs(np.fft.rfft(audio * np.hanning(len(audio)), 1 << 17)).argmax() * RATE / (1 << 17)


@pytest.mark.parametrize("knows", [True, False])
def test_a_whole_run_by_keys_alone(opened, knows):
    """One who hears X as it sounds is right throughout; one who always says A has the coin's luck."""
    opened.evaluate(WATCH)
    opened.fill("#listener", "Ada, or so")
    opened.focus("#abx button")
    opened.keyboard.press("Enter")
    for number in range(2 * TRIALS):
        assert f"Trial {number + 1} of {2 * TRIALS}" in opened.inner_text("#abx")
        # No name is seen before the end.
        assert ".wav" not in opened.inner_text("body")
        # Without having heard X nobody answers.
        opened.keyboard.press("a")
        assert f"Trial {number + 1} of" in opened.inner_text("#abx")
        found = {}
        for key in "123" if knows else "3":
            opened.keyboard.press(key)
            opened.wait_for_timeout(60)
            found[key] = frequency(recorded(opened, 6)) if knows else 0
        opened.keyboard.press("a" if not knows or abs(found["3"] - found["1"]) < abs(found["3"] - found["2"]) else "b")
    rows = table(opened)
    trials = [row for row in rows if row["kind"] == "trial"]
    pairs = {row["sound"]: row for row in rows if row["kind"] == "pair"}
    assert len(trials) == 2 * TRIALS and set(pairs) == {"middle.wav", "high.wav"}
    assert {(row["seed"], row["listener"], row["level_lufs"]) for row in rows} == {("3", "Ada, or so", "-20.00")}
    for name, row in pairs.items():
        own = [trial for trial in trials if trial["sound"] == name]
        assert sorted(trial["a"] for trial in own) == sorted([name, "low.wav"] * (TRIALS // 2))
        right = sum(trial["answer"] == trial["x"] for trial in own)
        assert right == int(row["correct"]) == sum(int(trial["correct"]) for trial in own)
        assert (int(row["trials"]), int(row["planned"])) == (TRIALS, TRIALS)
        assert float(row["p"]) == pytest.approx(binom.sf(right - 1, TRIALS, 0.5), rel=1e-4)
    counts = [int(row["correct"]) for row in pairs.values()]
    assert counts == [TRIALS, TRIALS] if knows else 0 < sum(counts) < 2 * TRIALS
    assert "low.wav" in opened.inner_text("#abx")


def test_sounds_arrive_whole_and_switch_in_step(opened, paths):
    wanted = comparable(paths, 0.0, None, match=True)
    found = opened.evaluate("() => vqsynth.views.abx.sounds.map((sound) => Array.from(sound.getChannelData(0)))")
    for sound, samples in zip(wanted, found):
        assert np.abs(np.array(samples) - sound.audio[:, 0]).max() < 2**-22
    # Equal sounds one after the other are one sound: the switch is not heard, and no sample is lost.
    opened.evaluate(WATCH)
    opened.evaluate(
        """async () => {
            const { deck, views } = vqsynth;
            deck.output.gain.value = 1;
            deck.load([views.abx.sounds[0], views.abx.sounds[0]]);
            await deck.play();
        }"""
    )
    opened.wait_for_timeout(150)
    opened.evaluate("() => { for (let k = 1; k < 12; k++) setTimeout(() => vqsynth.deck.choose(k % 2), 40 * k); }")
    audio = recorded(opened, 24)
    assert opened.evaluate("() => vqsynth.deck.switches") > 6
    # Within one round the recurrence of a sine holds, from sample to sample.
    level = 2 * np.cos(2 * np.pi * 220 / RATE)
    residue = np.abs(audio[2:] - level * audio[1:-1] + audio[:-2])
    assert np.abs(audio).max() > 0.05
    assert residue.max() < 1e-4


def test_different_sounds_switch_without_a_click(opened):
    opened.evaluate(WATCH)
    opened.evaluate(
        """async () => {
            const { deck, views } = vqsynth;
            deck.output.gain.value = 1;
            deck.load(views.abx.sounds.slice(0, 2));
            deck.select(0.2, 0.5);
            await deck.play();
        }"""
    )
    opened.wait_for_timeout(150)
    opened.evaluate("() => { for (let k = 1; k < 14; k++) setTimeout(() => vqsynth.deck.choose(k % 2), 60 * k); }")
    audio = recorded(opened, 40)
    assert np.abs(audio).max() > 0.05
    # The steepest that the tones themselves are, and what a straight fade and the loop's seam add.
    steepest = np.abs(audio).max() * 2 * np.pi * 330 / RATE
    assert np.abs(np.diff(audio)).max() < 1.5 * steepest


def test_rating(opened):
    opened.keyboard.press("Tab")
    opened.focus("#tab-abx")
    opened.keyboard.press("ArrowRight")
    opened.click("#rating button")
    # Three sounds, the reference hidden among them, and two anchors.
    sliders = opened.locator("#rating input[type=range]")
    done = opened.get_by_role("button", name="Done")
    assert sliders.count() == 5 and ".wav" not in opened.inner_text("body")
    for number in range(5):
        assert done.is_disabled()
        opened.keyboard.press(str(number + 1))
        sliders.nth(number).focus()
        for _ in range(number + 1):
            opened.keyboard.press("ArrowRight")
    done.click()
    rows = table(opened)
    assert {row["sound"] for row in rows} == {"low.wav", "middle.wav", "high.wav", "anchor 3.5 kHz", "anchor 7 kHz"}
    assert sorted(int(row["rating"]) for row in rows) == [51, 52, 53, 54, 55]
    assert [(int(row["trial"]), int(row["rating"])) for row in rows] == [(k + 1, 51 + k) for k in range(5)]
    assert "BS.1534-3 asks for 90" in opened.inner_text("#rating")


def test_an_early_end_is_told(opened):
    opened.click("#abx button")
    opened.keyboard.press("3")
    opened.keyboard.press("b")
    opened.get_by_role("button", name="End here").click()
    rows = table(opened)
    assert [row["kind"] for row in rows] == ["trial", "pair"]
    assert (rows[1]["trials"], rows[1]["planned"]) == ("1", str(TRIALS))
    assert "Ended after 1 of 12" in opened.inner_text("#abx")


def test_everything_has_a_name_and_fits(opened):
    for tab in ("abx", "rating"):
        opened.click(f"#tab-{tab}")
        opened.click(f"#{tab} button")
        for width, scheme in ((360, "dark"), (1280, "light")):
            opened.set_viewport_size({"width": width, "height": 800})
            opened.emulate_media(color_scheme=scheme)
            assert opened.evaluate("document.documentElement.scrollWidth") <= width
        unnamed = opened.evaluate(
            """() => [...document.querySelectorAll("button, input, progress")].filter((part) =>
                !(part.ariaLabel || part.textContent.trim() || part.labels?.length)).map((part) => part.outerHTML)"""
        )
        assert not unnamed
