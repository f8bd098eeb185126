"""``vqsynth units``: what is there, made and added from the command line."""

import shutil

import pytest
import soundfile

import vqsynth


@pytest.fixture
def folder(tiny_timbre, tmp_path):
    shutil.copytree(tiny_timbre.path, tmp_path / "tiny")
    return tmp_path / "tiny"


@pytest.mark.parametrize("words", [("units",), ("units", "show")])
def test_shows_what_is_there(command, words):
    code, out, err = command(*words, "violin")
    assert code == 0, err
    assert "violin: 15 recordings, 3:21 min" in out and "licence CC-BY-3.0" in out and "MB" in out
    assert "pitch G3" in out


def test_lists_recordings_and_the_places_of_a_code(command):
    code, out, _ = command("units", "trumpet", "--recordings")
    assert code == 0
    assert all(recording.name in out for recording in vqsynth.load("trumpet").units.recordings)
    played = int(vqsynth.load("trumpet").units.code[100])
    code, out, _ = command("units", "trumpet", "--code", played)
    assert code == 0 and f"code {played}: A3.wav from" in out and "(CC-BY-3.0)" in out
    code, _, err = command("units", "trumpet", "--code", 5000)
    assert code == 2 and err.startswith("error: --code 5000: the codes of this timbre are 0 to 1023")


def test_builds_and_adds(command, folder, recordings, make_tone, tmp_path):
    code, _, err = command("units", "build", folder, recordings)
    assert code == 2 and err.startswith("error: --overwrite: tiny has units already")
    assert command("units", "build", folder, recordings, "--overwrite")[0] == 0
    soundfile.write(tmp_path / "new.wav", make_tone(300.0, 1.0), 44_100)
    code, out, err = command("units", "add", folder, tmp_path / "new.wav")
    assert code == 0, err
    assert "tiny: 9 recordings, 17.1 s" in out and "own recordings" in out
    code, _, err = command("units", "add", folder, tmp_path / "new.wav")
    assert code == 2 and "already; give others" in err


def test_a_timbre_without_units_says_how_to_make_them(command, folder):
    timbre = vqsynth.load(folder)
    timbre.card["files"].pop("units.safetensors")
    timbre.write_card(folder, timbre.card)
    code, _, err = command("units", folder)
    assert code == 2 and "vqsynth units build" in err
    assert command("units", "violn")[0] == 2
