"""Sounds of a listening test: comparable in rate, length, channels and loudness, and refused where they cannot be."""

from __future__ import annotations

import base64
import io
import json
import re

import numpy as np
import pytest
import soundfile

from vqsynth.errors import UsageError, VqsynthError
from vqsynth.listening import sounds as room
from vqsynth.listening.sounds import comparable, integrated, lowpassed
from vqsynth.listening.write import listening_test

RATE = 44_100


def sine(hertz, seconds, level, rate=RATE):
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


@pytest.fixture
def put(tmp_path):
    """Write a sound: its path."""

    def write(name, audio, rate=RATE):
        soundfile.write(tmp_path / name, audio, rate, subtype="PCM_24")
        return tmp_path / name

    return write


@pytest.fixture
def pair(put):
    return [put("a.wav", sine(440, 1.0, 0.5)), put("b.wav", sine(660, 1.2, 0.05))]


def inside(path):
    """Card and sounds of a page."""
    found = dict(re.findall(r'<script type="[^"]*" id="(\w+)">(.*?)</script>', path.read_text(), re.S))
    card = json.loads(found.pop("card"))
    return card, [soundfile.read(io.BytesIO(base64.b64decode(text)), always_2d=True) for text in found.values()]


def test_loudness_is_that_of_the_standard():
    """ITU-R BS.2217: a sine of 1 kHz at -20 dB of full scale reads -23.0 LUFS in one channel, -20.0 in both."""
    mono = sine(997, 4.0, 0.1, 48_000)[:, None]
    assert integrated(mono, 48_000) == pytest.approx(-23.0, abs=0.1)
    assert integrated(np.repeat(mono, 2, 1), 48_000) == pytest.approx(-20.0, abs=0.1)
    # Silence is no part of it, and neither is what is far below the rest.
    gaps = np.concatenate([mono, np.zeros((8 * 48_000, 1), np.float32), 0.01 * mono])
    assert integrated(gaps, 48_000) == pytest.approx(integrated(mono, 48_000), abs=0.25)


def test_equally_loud_and_equally_long(pair):
    made = comparable(pair, 0.0, None, match=True)
    assert [len(sound.audio) for sound in made] == [RATE, RATE]
    loud = [integrated(sound.audio, RATE) for sound in made]
    assert loud[0] == pytest.approx(loud[1], abs=0.02) and loud[0] == pytest.approx(room.LEVEL_LUFS, abs=0.02)
    assert made[1].gain_db - made[0].gain_db == pytest.approx(20, abs=1)
    assert max(np.abs(sound.audio).max() for sound in made) <= 10 ** (room.PEAK_DB / 20)


def test_a_peak_lowers_all(put):
    click = sine(440, 1.0, 0.02)
    click[1000] = 0.9
    made = comparable([put("a.wav", click), put("b.wav", sine(440, 1.0, 0.5))], 0.0, None, match=True)
    assert np.abs(made[0].audio).max() == pytest.approx(10 ** (room.PEAK_DB / 20), rel=1e-3)
    assert integrated(made[1].audio, RATE) == pytest.approx(integrated(made[0].audio, RATE), abs=0.02)


def test_levels_may_stay_as_they_are(pair):
    made = comparable(pair, 0.0, None, match=False)
    assert [sound.gain_db for sound in made] == [0.0, 0.0]
    assert np.abs(made[1].audio).max() == pytest.approx(0.05, abs=1e-4)


def test_rates_and_channels(put):
    low = put("low.wav", sine(440, 1.0, 0.3, 22_050), 22_050)
    wide = put("wide.flac", np.stack([sine(440, 1.0, 0.3), sine(440, 1.0, 0.1)], 1))
    high = put("high.wav", sine(440, 1.0, 0.3, 96_000), 96_000)
    made = comparable([low, wide], 0.0, None, match=True)
    assert {(sound.sample_rate, sound.audio.shape) for sound in made} == {(RATE, (RATE, 2))}
    assert (made[0].audio[:, 0] == made[0].audio[:, 1]).all()
    # It is the same tone still.
    part = made[0].audio[4096:-4096, 0]
    assert np.abs(np.fft.rfft(part * np.hanning(len(part)))).argmax() * RATE / len(part) == pytest.approx(440, abs=2)
    assert {sound.sample_rate for sound in comparable([low, high], 0.0, None, match=True)} == {48_000}


def test_equal_names_are_told_apart_by_folders_and_by_no_more(put, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    paths = [put(name, sine(440, 0.5, 0.3)) for name in ("one/a.wav", "two/a.wav", "b.wav")]
    listening_test(paths, tmp_path / "t.html")
    card, _ = inside(tmp_path / "t.html")
    assert [sound["name"] for sound in card["sounds"]] == ["one/a.wav", "two/a.wav", "b.wav"]
    assert str(tmp_path) not in (tmp_path / "t.html").read_text()


def test_a_part(put):
    paths = [put("a.wav", np.concatenate([sine(300, 1, 0.3), sine(900, 1, 0.3)])), put("b.wav", sine(500, 2, 0.3))]
    made = comparable(paths, 1.0, 0.5, match=True)
    assert len(made[0].audio) == RATE // 2
    assert np.abs(np.fft.rfft(made[0].audio[:, 0])).argmax() * 2 == pytest.approx(900, abs=4)


def test_an_anchor_is_dull_and_not_late(put):
    noise = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)
    reference = comparable([put("a.wav", noise), put("b.wav", noise[::-1])], 0.0, None, match=True)[0]
    dull = lowpassed(reference, 3500)
    ratio = np.abs(np.fft.rfft(dull.audio[:, 0])) / np.abs(np.fft.rfft(reference.audio[:, 0]))
    assert np.median(ratio[100:3300]) == pytest.approx(1, abs=0.01) and np.median(ratio[3800:]) < 0.003
    lags = np.correlate(dull.audio[1000:9000, 0], reference.audio[1000:9000, 0], "full")
    assert lags.argmax() == 7999


def test_the_page_holds_the_sounds(pair, tmp_path):
    made = listening_test(pair, tmp_path / "t.html", trials=4, seed=9, title="</script><b>")
    card, found = inside(tmp_path / "t.html")
    assert [sound["name"] for sound in card["sounds"]] == ["a.wav", "b.wav"] and card["seed"] == 9
    assert card["anchors"] == ["anchor 3.5 kHz", "anchor 7 kHz"] and len(found) == 4
    wanted = comparable(pair, 0.0, None, match=True)
    for sound, (audio, rate) in zip(wanted, found):
        assert rate == RATE and np.abs(audio - sound.audio).max() < 2**-22
    text = (tmp_path / "t.html").read_text()
    assert made["bytes"] == (tmp_path / "t.html").stat().st_size and "</script><b>" not in text
    assert "default-src 'none'" in text and not re.search(r'(src|href)="', text)


@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        ("one", UsageError, "2 to 10 sounds, and 1 is given"),
        ("twice", UsageError, "given twice"),
        ("missing", VqsynthError, "no such file"),
        ("text", VqsynthError, "not readable as audio"),
        ("long", VqsynthError, "longer than 120 s"),
        ("silent", VqsynthError, "is silent there"),
        ("many channels", VqsynthError, "has 3 channels"),
        ("short", VqsynthError, "less than 0.2 s"),
    ],
)
def test_what_cannot_be_compared(kind, error, message, pair, put, tmp_path):
    other = {
        "one": lambda: None,
        "twice": lambda: pair[0],
        "missing": lambda: tmp_path / "no.wav",
        "text": lambda: tmp_path / "t.wav",
        "long": lambda: put("long.wav", np.tile(sine(440, 1.0, 0.3, 8000), 121), 8000),
        "silent": lambda: put("silent.wav", np.zeros(RATE, np.float32)),
        "many channels": lambda: put("three.wav", np.ones((RATE, 3), np.float32)),
        "short": lambda: put("short.wav", sine(440, 0.1, 0.3)),
    }[kind]()
    (tmp_path / "t.wav").write_text("no sound")
    paths = [pair[0]] if other is None else [pair[0], other]
    before = set(tmp_path.iterdir())
    with pytest.raises(error, match=message):
        listening_test(paths, tmp_path / "t.html")
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"trials": 0}, "trials 0: give 1 to 200"),
        ({"seed": -1}, "seed -1"),
        ({"start": 5.0}, "ends at 1.00 s"),
        ({"start": float("nan")}, "start nan"),
        ({"seconds": 0.0}, "duration 0.0"),
        ({"seconds": 1000.0}, "duration 1000.0"),
    ],
)
def test_wrong_requests(settings, message, pair, tmp_path):
    with pytest.raises(UsageError, match=message):
        listening_test(pair, tmp_path / "t.html", **settings)
    assert not (tmp_path / "t.html").exists()


def test_a_long_file_gives_a_part(put, pair):
    long = put("long.wav", np.tile(sine(440, 1.0, 0.3, 8000), 130), 8000)
    assert len(comparable([pair[0], long], 0.0, 0.5, match=True)[1].audio) == RATE // 2


def test_a_page_has_a_bound(pair, tmp_path, monkeypatch):
    monkeypatch.setattr("vqsynth.listening.write.LARGEST", 1000)
    with pytest.raises(VqsynthError, match="more than a page should hold"):
        listening_test(pair, tmp_path / "t.html")


def test_as_typed(command, pair, tmp_path):
    page = tmp_path / "test.html"
    code, out, err = command("abx", *pair, "-o", page, "--trials", 4)
    assert (code, err) == (0, "") and "b.wav: 4 trials against the reference" in out and "all at -20.0 LUFS" in out
    assert page.exists()
    code, _, err = command("abx", *pair, "-o", page, "--trials", 0)
    assert code == 2 and err.startswith("error: --trials 0: give 1 to 200")
    code, _, err = command("abx", pair[0], "-o", page)
    assert code == 2 and "2 to 10 sounds" in err
    code, _, err = command("abx", *pair, "-o", pair[0])
    assert code == 2 and "must end in .html" in err
