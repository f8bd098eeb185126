"""``vqsynth wavae feedback`` as typed."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

RATE = 44_100


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_sound_figure_and_report(command, here):
    (here / "f.csv").write_text("0,300\n0.5,1500\n1,300\n")
    (here / "g.csv").write_text("time,value\n0,8\n0.3,2\n1,1.2\n")
    curves = ["--frequency", "f.csv", "--q", "5", "--feedback", "g.csv"]
    code, out, err = command("wavae", "feedback", "--model", "strings", *curves, "-o", "OUT.wav")
    assert (code, err) == (0, "")
    assert out.startswith("OUT.wav, OUT.json, OUT.png: 1.0 s, peak -")
    assert soundfile.info("OUT.wav").frames == RATE
    assert json.loads((here / "OUT.json").read_text())["settings"]["feedback"] == "g.csv"


def test_names_by_default_and_an_input(command, here, make_tone):
    soundfile.write("call.wav", make_tone(300.0, 0.4), RATE)
    arguments = [
        "wavae",
        "feedback",
        "-m",
        "strings",
        "-i",
        "call.wav",
        "-f",
        "line@200:4000",
        "--delay",
        "50",
        "--no-figure",
        "--bits",
        "24",
    ]
    assert command(*arguments)[0] == 0
    first = soundfile.read("strings_feedback.wav")[0]
    assert len(first) == round(0.4 * RATE)
    assert not (here / "strings_feedback.png").exists()
    assert command(*arguments, "--seed", "1", "-o", "other.flac")[0] == 0
    assert np.abs(first - soundfile.read("other.flac")[0]).max() > 1e-4


def test_curves_that_ship(command, here):
    curves = ["-f", "feedback", "--q", "feedback", "--feedback", "feedback"]
    assert command("wavae", "feedback", "-m", "strings", *curves, "-d", "0.3", "--no-figure")[0] == 0
    curves = json.loads((here / "strings_feedback.json").read_text())["curves"]
    assert (curves["frequency"]["low"], curves["q"]["low"], curves["feedback"]["low"]) == (220, 2.65, 5.2)


def test_wrong_requests(command, here):
    (here / "bad.csv").write_text("0,1\n1,nan\n")
    for arguments, expected, message in (
        (["--model", "string"], 2, "did you mean strings"),
        (["--model", "strings", "--feedback", "1e6"], 2, "--feedback 1e6: asks for 1e+06 at 0.00 s; give 0 to 100"),
        (["--model", "strings", "--feedback", "bad.csv"], 2, "bad.csv, line 2"),
        (["--model", "strings", "--frequency", "none.csv"], 2, "none.csv: no such file"),
        (["--model", "strings", "--block", "1"], 2, "--block 1: give 16 to 16384 samples"),
        (["--model", "strings", "--input", "none.wav"], 1, "none.wav"),
        (["--model", "strings", "-o", "out.mp3"], 2, "must end in .wav or .flac"),
    ):
        code, out, err = command("wavae", "feedback", *arguments)
        assert (code, out) == (expected, ""), err
        assert err.startswith("error: ") and err.count("\n") == 1 and message in err
    assert [path.name for path in here.iterdir()] == ["bad.csv"]


def test_help_teaches(command):
    code, out, _ = command("wavae", "feedback", "--help")
    assert code == 0
    for word in ("--frequency", "--q", "--feedback", "sin:3@200:4000", "--duration 55", "ceiling"):
        assert word in out
