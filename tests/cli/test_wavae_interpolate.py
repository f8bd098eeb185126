"""``vqsynth wavae interpolate`` as typed."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

RATE = 44_100


@pytest.fixture
def here(make_tone, tmp_path, monkeypatch):
    """A working folder with four sounds."""
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate("ABCD"):
        soundfile.write(f"{name}.wav", make_tone(150.0 * (number + 1), 0.3 + 0.1 * number), RATE)
    return tmp_path


def test_two_sounds_with_figure_and_demonstration(command, here):
    code, out, _ = command("wavae", "interpolate", "A.wav", "B.wav", "--model", "strings", "-o", "AtoB.wav", "--demo")
    assert (code, out) == (0, "AtoB.wav, AtoB.png, AtoB_demo.wav: 0.4 s, 19 frames\n")
    assert soundfile.info("AtoB.wav").frames == round(0.4 * RATE)
    assert soundfile.info("AtoB_demo.wav").frames == round((0.3 + 0.5 + 0.4 + 0.5 + 0.4) * RATE)
    assert (here / "AtoB.png").stat().st_size > 10_000


def test_names_by_default_and_options(command, here):
    options = [
        "--model",
        "strings",
        "--curve",
        "sin:3",
        "--length",
        "0.5",
        "--gain",
        "-6",
        "--bits",
        "24",
        "--no-figure",
    ]
    assert command("wavae", "interpolate", "A.wav", "B.wav", *options)[0] == 0
    info = soundfile.info("A_to_B.wav")
    assert (info.frames, info.subtype) == (RATE // 2, "PCM_24")
    assert not (here / "A_to_B.png").exists()


def test_four_sounds(command, here):
    (here / "plane.csv").write_text("time,x,y\n0,0,0\n0.6,1,1\n")
    four = [f"{name}.wav" for name in "ABCD"]
    assert command("wavae", "interpolate", *four, "--model", "strings", "--plane", "0.5,0.25")[1].startswith(
        "plane.wav, plane.png: 0.6 s"
    )
    assert (
        command("wavae", "interpolate", *four, "-m", "strings", "--path", "plane.csv", "-o", "way.flac", "--no-figure")[
            0
        ]
        == 0
    )
    still, moving = (soundfile.read(name)[0] for name in ("plane.wav", "way.flac"))
    assert len(still) == len(moving) and np.abs(still - moving).max() > 0.01


def test_wrong_requests(command, here):
    (here / "bad.csv").write_text("0,0,0\n1,nan,1\n")
    soundfile.write("short.wav", 0.1 * np.ones(500), RATE)
    two, four = ["A.wav", "B.wav"], ["A.wav", "B.wav", "C.wav", "D.wav"]
    before = sorted(path.name for path in here.iterdir())
    for arguments, expected, message in (
        ([*two, "--model", "string"], 2, "did you mean strings"),
        (["A.wav", "--model", "strings"], 2, "1 sound(s): give two"),
        ([*four, "--model", "strings"], 2, "give either --plane x,y or --path"),
        ([*four, "--model", "strings", "--plane", "1,2"], 2, "--plane 1,2: lies outside the plane"),
        ([*four, "--model", "strings", "--path", "bad.csv"], 2, "bad.csv, line 2: x 'nan' is not a finite number"),
        ([*two, "--model", "strings", "--length", "ever"], 2, "--length ever"),
        ([*two, "--model", "strings", "--curve", "2"], 2, "--curve 2"),
        ([*two, "--model", "strings", "-o", "out.mp3"], 2, "must end in .wav or .flac"),
        ([*two, "--model", "strings", "-o", "A.wav"], 2, "is the input"),
        ([*two, "--model", "strings", "-o", "A.wav/out.wav"], 1, "A.wav: this folder cannot be made"),
        (["A.wav", "none.wav", "--model", "strings"], 1, "none.wav: no such file"),
        (["short.wav", "A.wav", "--model", "strings"], 1, "short.wav: 500 samples are shorter than one latent frame"),
    ):
        code, _, err = command("wavae", "interpolate", *arguments)
        assert code == expected and message in err
        assert err.startswith("error: ") and len(err.splitlines()) == 1
    assert sorted(path.name for path in here.iterdir()) == before
