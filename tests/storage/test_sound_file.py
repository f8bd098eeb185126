"""Sound is written whole or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from vqsynth.errors import UsageError, VqsynthError
from vqsynth.storage.atomic import write_text
from vqsynth.storage.sound_file import check_output, open_sound


@pytest.mark.parametrize(
    ("name", "bits", "error"),
    [("a.wav", "16", 1 / 32768), ("a.wav", "24", 1e-6), ("a.wav", "32f", 0), ("a.flac", "24", 1e-6)],
)
def test_blocks_become_one_file(tmp_path, name, bits, error):
    audio = np.random.default_rng(0).uniform(-0.9, 0.9, 5000).astype(np.float32)
    with open_sound(tmp_path / name, 44_100, bits) as sound:
        for start in range(0, 5000, 999):
            sound.write(audio[start : start + 999])
    read, rate = soundfile.read(tmp_path / name, dtype="float32")
    assert rate == 44_100
    np.testing.assert_allclose(read, audio, atol=error)
    assert sound.peak == pytest.approx(np.abs(audio).max())


def test_too_loud_is_clipped_or_kept_with_a_warning(tmp_path, warned):
    loud = np.array([0.5, 2.0, -4.0], np.float32)
    for bits, expected in (("16", 1.0), ("32f", 4.0)):
        with open_sound(tmp_path / "a.wav", 44_100, bits) as sound:
            sound.write(loud)
        assert np.abs(soundfile.read(tmp_path / "a.wav")[0]).max() == pytest.approx(expected, abs=1e-4)
    clipped, kept = warned
    assert "12.0 dB over full scale were clipped" in clipped and "12.0 dB over full scale are kept" in kept


@pytest.mark.parametrize("bits", ["16", "24", "32f"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
def test_nothing_that_is_not_finite_is_written(tmp_path, bits, value):
    audio = np.zeros(22_050)
    audio[11_025] = value

    def write() -> None:
        with open_sound(tmp_path / "new" / "a.wav", 22_050, bits) as sound:
            for block in (np.zeros(16_532), np.zeros(5), audio):
                sound.write(block)

    with pytest.raises(VqsynthError, match=r"a.wav: was not written, since the sound is not finite from 1.25 s on"):
        write()
    assert not list(tmp_path.iterdir())


def test_an_error_leaves_what_was_there(tmp_path):
    (tmp_path / "a.wav").write_text("before")

    def write_and_fail():
        with open_sound(tmp_path / "a.wav", 44_100) as sound:
            sound.write(np.zeros(100, np.float32))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert (tmp_path / "a.wav").read_text() == "before"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path):
    pytest.importorskip("resource", reason="needs POSIX resource limits")
    program = f"""
import resource, signal, numpy as np
from vqsynth.storage.atomic import write_text
from vqsynth.storage.sound_file import check_output, open_sound
from vqsynth.errors import VqsynthError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    with open_sound({str(tmp_path / "a.wav")!r}, 44_100) as sound:
        for _ in range(20):
            sound.write(np.zeros(44_100, np.float32))
except VqsynthError as error:
    print(error)
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "disk full" in result.stdout
    assert not list(tmp_path.iterdir())


def test_formats_and_folders_are_checked_first(tmp_path):
    for name, bits, message in (
        ("a.ogg", "16", "must end in"),
        ("a.flac", "32f", "bits 32f"),
        ("a.wav", "8", "bits 8"),
    ):
        with pytest.raises(UsageError, match=message), open_sound(tmp_path / name, 44_100, bits):
            pass
    (tmp_path / "file").touch()
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(VqsynthError, match="cannot be made"), open_sound(tmp_path / "file" / "a.wav", 44_100):
        pass
    with pytest.raises(VqsynthError, match="is a folder"):
        check_output(tmp_path / "folder.wav")


def test_names_that_are_not_utf_8_are_written_and_told_as_json(tmp_path):
    odd = tmp_path / os.fsdecode(b"caf\xe9.wav")
    with open_sound(odd, 44_100) as sound:
        sound.write(np.zeros(100, np.float32))
    assert soundfile.info(os.fsencode(odd)).frames == 100
    write_text(tmp_path / "a.json", json.dumps({"file": str(odd)}, ensure_ascii=False))
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"file": str(odd)}
