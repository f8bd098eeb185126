"""Files of users: what is read, and what is refused before it is opened."""

from __future__ import annotations

import hashlib
import os
import time

import pytest

from vqsynth.errors import UsageError, VqsynthError
from vqsynth.storage.reading import is_file, read_bytes, read_text, read_toml, regular_file, sha256


@pytest.fixture
def oddities(tmp_path):
    """A pipe, a folder, a device, a loop of links, a name that cannot be, one that is too long, and nothing."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    return {
        tmp_path / "pipe": "pipe or a device",
        tmp_path / "folder": "this is a folder, not a path",
        "/dev/zero": "pipe or a device",
        tmp_path / "loop": "cannot be read",
        "zero\0byte": "no name of a file",
        "x" * 5000: "cannot be read",
        tmp_path / "none": "no such file",
        "/dev/null/below": "no such file",
    }


def test_what_is_no_regular_file_is_refused_at_once(oddities):
    for path, message in oddities.items():
        assert not is_file(path)
        with pytest.raises(UsageError, match=message):
            regular_file(path, "a path", error=UsageError)
        for read in (read_bytes, read_text, read_toml):
            with pytest.raises(VqsynthError):
                read(path)


def test_a_link_to_a_file_is_a_file(tmp_path):
    (tmp_path / "a").write_text("x")
    (tmp_path / "b").symlink_to("a")
    assert is_file(tmp_path / "b") and regular_file(tmp_path / "b") == tmp_path / "b"


def test_texts_of_any_system_and_their_bounds(tmp_path):
    file = tmp_path / "t.txt"
    file.write_bytes("\ufeffä\r\nb\rc\n".encode())
    assert read_text(file) == "ä\nb\nc\n"
    with pytest.raises(VqsynthError, match=r"11 bytes are more than a curve can have \(10\)"):
        read_text(file, "a curve", 10)
    file.write_bytes(b"\xff\x00")
    with pytest.raises(VqsynthError, match="not a text file"):
        read_text(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = " + "[" * 1000 + "]" * 1000, "too deep"),
        ("a = " + "9" * 5000, "not valid TOML"),
        ("a = ", "not valid TOML"),
        (".".join(["a"] * 50_000) + " = 1", "dotted parts"),
        (' . "," . '.join(["'='"] * 50_000) + " = 1", "dotted parts"),
        ("# " + "x" * 2_000_000, "bytes are more than"),
    ],
)
def test_toml_that_would_take_long_or_deep(tmp_path, text, message):
    (tmp_path / "t.toml").write_text(text)
    start = time.process_time()
    with pytest.raises(VqsynthError, match=message):
        read_toml(tmp_path / "t.toml")
    assert time.process_time() - start < 5


def test_a_key_of_some_parts_is_read(tmp_path):
    (tmp_path / "t.toml").write_text(".".join("abcdefgh") + ' = 1\ntext = "' + "a sentence. " * 100 + '"')
    assert read_toml(tmp_path / "t.toml")["a"]["b"]["c"]["d"]["e"]["f"]["g"]["h"] == 1


def test_the_checksum_is_that_of_the_whole_file(tmp_path):
    data = os.urandom(3_000_001)
    (tmp_path / "f").write_bytes(data)
    assert sha256(tmp_path / "f") == hashlib.sha256(data).hexdigest()
