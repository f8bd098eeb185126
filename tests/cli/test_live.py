"""``vqsynth live``: offline, and what it says."""

from __future__ import annotations

import numpy as np
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
