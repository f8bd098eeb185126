"""``vqsynth transfer``, ``encode`` and ``decode`` as typed."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile


@pytest.fixture
def here(tiny_timbre, make_tone, tmp_path, monkeypatch):
    """A working folder with a sound of half a second, and the timbre's path."""
    monkeypatch.chdir(tmp_path)
    soundfile.write("note.wav", make_tone(110.0, 0.5), 44_100)
    return str(tiny_timbre.path)


def test_transfer_names_its_output_after_both(command, here, tmp_path):
    code, out, _ = command("transfer", "note.wav", "--timbre", here, "--figure")
    assert code == 0 and "note_tiny.wav: 0.5 s" in out and "octaves" in out
    assert (tmp_path / "note_tiny.png").is_file()
    assert soundfile.info("note_tiny.wav").duration == pytest.approx(0.5, abs=0.02)


def test_encode_and_decode_are_transfer_in_two_steps(command, here):
    assert command("transfer", "note.wav", "--timbre", here, "-o", "whole.wav")[0] == 0
    code, out, _ = command("encode", "note.wav", "--timbre", here)
    assert code == 0 and out.startswith("note.npz: 44 frames")
    assert command("decode", "note.npz", "--timbre", here, "-o", "steps.wav")[0] == 0
    np.testing.assert_array_equal(soundfile.read("whole.wav")[0], soundfile.read("steps.wav")[0])


def test_gain_and_bits(command, here):
    command("transfer", "note.wav", "--timbre", here, "-o", "a.wav", "--bits", "32f")
    command("transfer", "note.wav", "--timbre", here, "-o", "b.flac", "--bits", "24", "--gain", "-6")
    louder, softer = soundfile.read("a.wav")[0], soundfile.read("b.flac")[0]
    assert soundfile.info("b.flac").subtype == "PCM_24"
    assert 20 * np.log10(np.std(louder) / np.std(softer)) == pytest.approx(6.0, abs=0.05)


def test_a_folder_with_a_bad_file_does_the_rest_and_exits_with_1(command, here, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "note.wav").rename(tmp_path / "in" / "note.wav")
    (tmp_path / "in" / "empty.wav").touch()
    code, out, err = command("transfer", "in", "--timbre", here)
    assert code == 1 and "in_tiny/note.wav" in out and "empty.wav: the file is empty" in err
    assert (tmp_path / "in_tiny" / "note.wav").is_file()


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda p: p.touch(), "empty"),
        (lambda p: soundfile.write(p, np.zeros(9000), 44_100), "silence"),
        (lambda p: soundfile.write(p, np.full(9000, np.nan), 44_100, subtype="FLOAT"), "NaN"),
        (lambda p: soundfile.write(p, np.zeros(1), 44_100), "1 sample"),
        (lambda p: p.write_bytes(b"RIFF\x00\x01"), "not readable"),
    ],
)
def test_bad_sounds_are_named_and_nothing_is_written(command, here, tmp_path, write, message):
    write(tmp_path / "bad.wav")
    for name in ("transfer", "encode"):
        code, _, err = command(name, "bad.wav", "--timbre", here)
        assert code == 1 and "bad.wav" in err and message in err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.wav", "note.wav"]


def test_wrong_requests_exit_with_2(command, here, tmp_path):
    for arguments in (
        ["transfer", "note.wav", "--timbre", "nobody"],
        ["transfer", "note.wav", "--timbre", here, "-o", "a.mp3"],
        ["transfer", "note.wav", "--timbre", here, "--octaves", "9"],
        ["encode", "note.wav", "--timbre", here, "-o", "a.wav"],
    ):
        assert command(*arguments)[0] == 2
    code, _, err = command("transfer", "note.wav", "--timbre", here, "-o", "note.wav/a.wav")
    assert code == 1 and "cannot be made" in err
    code, _, err = command("transfer", "missing.wav", "--timbre", here)
    assert code == 1 and "missing.wav: no such file" in err
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").touch()
    code, _, err = command("transfer", "docs", "--timbre", here)
    assert code == 1 and "1 .txt" in err
