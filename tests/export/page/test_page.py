"""The one-file page in a real Chromium, opened from disk with the network off."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import re

import numpy as np
import pytest
import soundfile

from vqsynth.errors import UsageError
from vqsynth.export.graph.session import Session
from vqsynth.export.page.page import BUILT, page
from vqsynth.export.write import export

RATE, BLOCK = 44_100, 512
WATCH = """() => {
    if (window.watched) return;
    window.watched = true;
    const shown = vqsynth.onmeter;
    vqsynth.onmeter = (meter) => { window.meter = meter; shown?.(meter); };
}"""
A4 = "h"
"""The letter that plays it."""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """The violin as a page: path and report."""
    path = tmp_path_factory.mktemp("page") / "violin.html"
    return path, export("violin", path, blocks=64)


@pytest.fixture(scope="module")
def parts(file):
    """What lies in it: card and network."""
    text = file[0].read_text()
    found = dict(re.findall(r'<script type="[^"]*" id="(\w+)">(.*?)</script>', text))
    return json.loads(found["card"]), gzip.decompress(base64.b64decode(found["model"]))


@pytest.fixture
def opened(chromium, file):
    """The page, ready to play, in a window that has no network; nothing may go wrong in it."""
    context = chromium.new_context(offline=True, viewport={"width": 1200, "height": 1000})
    page, wrong = context.new_page(), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
    page.goto(file[0].as_uri())
    page.wait_for_selector("#power:enabled", timeout=120_000)
    yield page
    context.close()
    assert not wrong


def play(page, seconds):
    """Wait until the page has made so much more sound, however long that takes."""
    page.evaluate(WATCH)
    made = page.evaluate("() => window.meter?.load.blocks ?? 0")
    enough = made + seconds * RATE / BLOCK
    page.wait_for_function(f"() => (window.meter?.load.blocks ?? 0) >= {enough}", timeout=120_000)


def begin(page):
    """Record from the first block on."""
    page.evaluate("async () => { vqsynth.record(); await vqsynth.start(); }")


def finished(page):
    """Sound [n], controls [5, frames], WAV file."""
    made = page.evaluate(
        """async () => {
            const made = await vqsynth.finish();
            const plain = (parts) => parts.map((part) => Array.from(part));
            return [plain(made.blocks), plain(made.controls), Array.from(made.wav)];
        }"""
    )
    controls = [np.array(frames, np.float32).reshape(5, -1) for frames in made[1]]
    return np.concatenate(made[0]), controls, bytes(made[2])


def centroid(sound):
    """Mean of the frames' spectral centroids, Hz."""
    from vqsynth import descriptors

    measured = descriptors.measure(("centroid",), sound.astype(np.float32), RATE, 2048, 512)["centroid"]
    return float(measured.values[measured.valid].mean())


def test_it_sounds_as_in_python(opened, parts, tmp_path):
    begin(opened)
    opened.keyboard.down(A4)
    # Long enough for several runs of the player's movement, which would leave each other if they differed anywhere.
    play(opened, 4)
    opened.evaluate("() => vqsynth.curve('centroid', Float32Array.of(1500, 4000, 2000), 0.7)")
    play(opened, 0.9)
    opened.keyboard.up(A4)
    opened.evaluate("() => { vqsynth.set('bandwidth', 2500); vqsynth.noteOn(74, 0.4); }")
    play(opened, 0.7)
    sound, controls, wav = finished(opened)
    assert len(sound) > 1.5 * RATE and np.abs(sound).max() > 0.05
    network = tmp_path / "network.onnx"
    network.write_bytes(parts[1])
    session = Session(network)
    session.settings["life"][:] = 1.0
    wanted = np.concatenate([session(frames[None])[0, 0] for frames in controls])
    assert np.abs(sound - wanted).max() < 1e-4
    # The file that is saved has all of it.
    saved, rate = soundfile.read(io.BytesIO(wav))
    assert rate == RATE and len(saved) == len(sound) == BLOCK * len(controls)
    assert np.abs(saved - sound).max() < 1e-6


def test_a_held_note_is_alive(opened):
    """At first the player's movement is all there; at 0 nothing moves but what is asked for."""
    import parselmouth

    life = opened.get_by_role("slider", name="life")
    assert life.input_value() == "1"
    moves = {}
    for share in ("1", "0"):
        life.fill(share)
        begin(opened)
        opened.keyboard.down(A4)
        play(opened, 4)
        sound = finished(opened)[0][RATE // 2 :]
        opened.keyboard.up(A4)
        play(opened, 0.5)
        pitch = parselmouth.Sound(sound.astype(float), RATE).to_pitch_ac(pitch_floor=150, pitch_ceiling=1200)
        found = pitch.selected_array["frequency"]
        cents = 1200 * np.log2(found[found > 0] / 440)
        assert abs(np.median(cents)) < 5
        moves[share] = np.std(cents)
    assert 2 < moves["1"] < 50 and moves["0"] < 0.5


@pytest.mark.parametrize(("key", "hertz"), [("a", 261.6256), (A4, 440.0), ("k", 523.2511)])
def test_keys_have_their_pitch(opened, key, hertz):
    import parselmouth

    begin(opened)
    opened.keyboard.down(key)
    play(opened, 1.5)
    opened.keyboard.up(key)
    play(opened, 0.7)
    sound = finished(opened)[0]
    pitch = parselmouth.Sound(sound.astype(float), RATE).to_pitch_ac(pitch_floor=150, pitch_ceiling=1200)
    found = pitch.selected_array["frequency"]
    assert (found > 0).sum() > 50
    assert abs(1200 * np.log2(np.median(found[found > 0]) / hertz)) < 5
    # A key that is let go ends.
    assert np.abs(sound[-2048:]).max() < 0.01


def test_the_pad_moves_what_is_measured(opened):
    opened.select_option("#pad-y", "gain")
    opened.keyboard.down(A4)
    opened.evaluate("async () => await vqsynth.start()")
    box = opened.locator("#pad").bounding_box()
    found = []
    for share in (0.25, 0.75):
        opened.mouse.move(box["x"] + share * box["width"], box["y"] + 0.1 * box["height"])
        opened.mouse.down()
        play(opened, 0.5)
        opened.evaluate("() => vqsynth.record()")
        play(opened, 1.2)
        sound, controls, _ = finished(opened)
        asked = np.concatenate(controls, 1)[0]
        assert asked.std() < 1e-3
        found.append(centroid(sound))
        assert abs(np.log2(found[-1] / asked[0])) < 0.05
        assert opened.locator("#controls .light").first.get_attribute("data-reached") == "yes"
        opened.mouse.up()
    assert found[1] > 1.6 * found[0]


def test_recording_by_hand(opened):
    opened.click("#record")
    opened.keyboard.down("d")
    play(opened, 0.6)
    opened.keyboard.up("d")
    opened.click("#record")
    with opened.expect_download() as download:
        opened.click("#recorded")
    sound, rate = soundfile.read(download.value.path())
    assert download.value.suggested_filename == "violin.wav" and rate == RATE
    assert len(sound) > 0.4 * RATE and np.abs(sound).max() > 0.05


def test_it_keeps_up(opened):
    """Twenty seconds without a gap, on a machine that has time."""
    seconds = 20
    opened.evaluate(WATCH)
    busy = os.getloadavg()[0] > 0.6 * (os.cpu_count() or 1) or "PYTEST_XDIST_WORKER" in os.environ
    if busy:
        pytest.skip("other programs are running: dropouts say nothing")
    begin(opened)
    opened.keyboard.down(A4)
    opened.wait_for_timeout(1000 * seconds)
    meter = opened.evaluate("() => window.meter")
    assert meter["load"]["blocks"] > 300 and meter["load"]["mean"] < meter["load"]["block"]
    # The device's own part, 32 ms of a headless Chromium's stand-in, is not the page's.
    device = 1000 * opened.evaluate("() => vqsynth.context.outputLatency")
    assert meter["dropouts"] == 0 and meter["delay"] - device < 60


def test_it_fits_every_window(opened, chromium, file):
    for width, scheme in ((360, "dark"), (2560, "light")):
        opened.set_viewport_size({"width": width, "height": 900})
        opened.emulate_media(color_scheme=scheme)
        assert opened.evaluate("document.documentElement.scrollWidth") <= width
    # Everything that can be used has a name.
    unnamed = opened.evaluate(
        """() => [...document.querySelectorAll("button, input, select, canvas")].filter((part) =>
            !(part.getAttribute("aria-label") || part.textContent.trim() || part.labels?.length
              || part.getAttribute("aria-labelledby"))).map((part) => part.outerHTML)"""
    )
    assert not unnamed


def test_the_file_says_where_it_comes_from(file, parts):
    path, report = file
    text = path.read_text()
    assert report["format"] == "html" and report["bytes"] == path.stat().st_size < 9e6
    assert not path.with_suffix(".json").exists()
    assert parts[0]["learned_from"] and "<title>violin · vqsynth</title>" in text
    assert "connect-src" not in text and "default-src 'none'" in text
    assert not re.search(r'(src|href)="https?:', text)


def test_a_card_cannot_break_out(parts):
    made = page(b"", {**parts[0], "description": "</script><b>"})
    assert "</script><b>" not in made


def test_what_is_built_is_whole():
    assert gzip.decompress((BUILT / "runtime.wasm.gz").read_bytes())[:4] == b"\0asm"
    assert (BUILT / "runtime.LICENSE").read_text().startswith("MIT License")


def test_wrong_requests(tmp_path):
    with pytest.raises(UsageError, match="a page plays timbres"):
        export("strings", tmp_path / "a.html")
    with pytest.raises(UsageError, match="by its method `control`"):
        export("violin", tmp_path / "a.html", method="codes")
    assert not list(tmp_path.iterdir())
