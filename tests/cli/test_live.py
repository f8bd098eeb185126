"""``vqsynth live``: offline, and what it says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE = 44_100


def test_offline_plays_a_script(command, tmp_path):
    (tmp_path / "s.txt").write_text("0 /note A4 0.8\n0.5 /note A4 0\n")
    out = tmp_path / "out.wav"
    code, text, error = command(
        "live", "violin", "--offline", "none", out, "--osc-script", tmp_path / "s.txt", "-d", 1.2
    )
    assert code == 0, error
    audio, rate = soundfile.read(out)
    assert rate == RATE and len(audio) == round(1.2 * RATE)
    assert np.abs(audio[2000:20_000]).max() > 0.02 and np.abs(audio[48_000:]).max() == 0
    assert "343 samples (7.8 ms) late" in text


def test_offline_plays_a_sound_through_a_model(command, tmp_path, note):
    soundfile.write(tmp_path / "in.wav", note, RATE)
    (tmp_path / "s.txt").write_text("1 /gain -100\n")
    paths = tmp_path / "in.wav", tmp_path / "out.wav"
    code, _, error = command("live", "strings", "--offline", *paths, "--osc-script", tmp_path / "s.txt", "--block", 100)
    assert code == 0, error
    audio, _ = soundfile.read(tmp_path / "out.wav")
    assert len(audio) == len(note)
    assert np.abs(audio[:RATE]).max() > 0.05 and np.abs(audio[RATE + 3000 :]).max() < 1e-3


def test_what_is_wrong_is_said(command, tmp_path):
    out = tmp_path / "out.wav"
    for arguments, words in (
        (("vioola", "--offline", "none", out, "-d", 1), "violin"),
        (("violin", "--offline", "none", out), "nothing to play"),
        (("violin", "--offline", "none", out, "-d", 1, "--block", 0), "--block"),
        (("violin", "--offline", "none", out, "-d", "nan"), "--duration"),
        ((), "name a model"),
    ):
        code, _, error = command("live", *arguments)
        assert code == 2 and words in error, error
        assert not out.exists()


def test_the_list_of_addresses(command):
    code, text, _ = command("live", "--osc-help")
    assert code == 0 and "/descriptor/NAME" in text and "/feedback Hz Q gain" in text


def test_the_list_of_the_page_is_that_of_the_command(command):
    page = (Path(__file__).parents[2] / "docs" / "live.md").read_text(encoding="utf-8")
    _, text, _ = command("live", "--osc-help")
    shown = page.split("<!-- begin addresses -->")[1].split("<!-- end addresses -->")[0]
    assert shown.strip().strip("`").strip() == text.strip()


def test_scripts_and_mappings_of_the_page_can_be_read(tmp_path):
    from vqsynth.live.ports.midi_player import read_map
    from vqsynth.live.script import read_script

    page = (Path(__file__).parents[2] / "docs" / "live.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", page, re.M | re.S)
    (tmp_path / "map.toml").write_text(next(text for kind, text in blocks if kind == "toml"))
    assert read_map(tmp_path / "map.toml")["cc 21"] == ("/latent/3", -2.0, 2.0)
    (tmp_path / "s.txt").write_text(next(text for _, text in blocks if text.startswith("0.0")))
    assert len(read_script(tmp_path / "s.txt")) == 3


def test_a_session_on_a_clock_is_kept_and_said(command, tmp_path):
    take = tmp_path / "take.wav"
    arguments = ("--no-input", "--output", "none", "--osc-port", "0", "-d", "1", "--record", take)
    code, text, error = command("live", "violin", *arguments)
    assert code == 0, error
    assert "OSC none" in text and "xruns" in text and take.exists() and (tmp_path / "take.txt").exists()


def test_a_check_is_a_report(command, monkeypatch):
    monkeypatch.setattr("vqsynth.live.check.SECONDS", 1.0)
    monkeypatch.setattr("vqsynth.live.check.BLOCKS", (256, 1024))
    code, text, error = command("live", "violin", "--check", "--no-input", "--output", "none")
    assert code == 0, error
    rows = [line.split() for line in text.splitlines() if re.match(r" +(256|1024) ", line)]
    assert [row[:2] for row in rows] == [["256", "44100"], ["1024", "44100"], ["256", "48000"], ["1024", "48000"]]
    assert all(0 < float(row[2].rstrip("%")) < 400 for row in rows)


def test_without_the_extra_one_sentence_says_so(command, monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    code, _, error = command("live", "violin", "--no-input")
    assert code == 1 and "pip install 'vqsynth[live]'" in error and error.count("\n") == 1


def test_a_device_that_is_not_there_is_said(command):
    sounddevice = pytest.importorskip("sounddevice", exc_type=OSError)
    assert sounddevice
    code, _, error = command("live", "violin", "--no-input", "--output", "no such thing")
    assert code == 2 and "--output no such thing" in error
