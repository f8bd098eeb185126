"""``vqsynth wavae transfer`` as typed."""

from __future__ import annotations

import re
import shutil

import pytest
import soundfile

RATE = 44_100


@pytest.fixture
def here(domain_folder, make_tone, tmp_path, monkeypatch):
    """A working folder with a sound, and a second model beside it."""
    monkeypatch.chdir(tmp_path)
    soundfile.write("cat.wav", make_tone(500.0, 0.5), RATE)
    shutil.copytree(domain_folder, tmp_path / "models" / "choir")
    return tmp_path


@pytest.fixture(scope="module")
def domain_folder():
    from vqsynth.wavae import load

    return load("strings").path


def test_one_sound_through_two_models(command, here):
    code, out, _ = command("wavae", "transfer", "cat.wav", "--to", "strings", "--to", "models/choir")
    assert code == 0
    for line, name in zip(out.splitlines(), ("strings", "choir"), strict=True):
        assert re.fullmatch(rf"cat_{name}\.wav: 0\.5 s, \d+% voiced, \d+\.\d std from {name}", line)
        assert soundfile.info(f"cat_{name}.wav").frames == RATE // 2
    assert (here / "cat_transfer.png").stat().st_size > 10_000


def test_options(command, here):
    (here / "out").mkdir()
    options = ["--output", "out", "--adapt", "0", "--level", "raw", "--bits", "32f", "--gain", "-6", "--no-figure"]
    assert command("wavae", "transfer", "cat.wav", "--to", "strings", *options)[0] == 0
    assert [path.name for path in (here / "out").iterdir()] == ["cat_strings.wav"]
    assert soundfile.info("out/cat_strings.wav").subtype == "FLOAT"


def test_a_folder_with_a_bad_file_does_the_rest_and_exits_with_1(command, here):
    (here / "in" / "deep").mkdir(parents=True)
    (here / "cat.wav").rename(here / "in" / "deep" / "cat.wav")
    (here / "in" / "empty.wav").touch()
    code, out, err = command("wavae", "transfer", "in", "--to", "strings")
    assert code == 1 and "empty.wav: the file is empty" in err
    assert out.startswith("in_transfer/deep/cat_strings.wav: 0.5 s")
    assert (here / "in_transfer" / "deep" / "cat_transfer.png").is_file()


def test_wrong_requests(command, here):
    before = sorted(path.name for path in here.iterdir())
    for arguments, expected, message in (
        (["cat.wav", "--to", "string"], 2, "did you mean strings"),
        (["cat.wav", "--to", "strings", "--to", "strings"], 2, "--to strings: is given twice"),
        (["cat.wav", "--to", "strings", "--adapt", "2"], 2, "--adapt 2"),
        (["cat.wav", "--to", "strings", "-o", "cat.wav"], 2, "--output cat.wav: is a folder"),
        (["dog.wav", "--to", "strings"], 1, "dog.wav: no such file"),
    ):
        code, _, err = command("wavae", "transfer", *arguments)
        assert code == expected and message in err
        assert err.startswith("error: ") and len(err.splitlines()) == 1
    assert command("wavae", "transfer", "cat.wav")[0] == 2
    assert sorted(path.name for path in here.iterdir()) == before
