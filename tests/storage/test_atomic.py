"""Files appear whole, in groups or alone, and nothing else stays: not after errors, not after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vqsynth.errors import UsageError, VqsynthError
from vqsynth.storage.arrays import write_arrays
from vqsynth.storage.atomic import (
    atomic_path,
    check_apart,
    check_folder,
    json_text,
    output_folder,
    together,
    write_text,
)

WRITER = """
import sys
from vqsynth.storage.atomic import atomic_path, together, write_text
with together():
    write_text(sys.argv[1] + "/new/a.txt", "a")
    with atomic_path(sys.argv[1] + "/new/b.txt") as temporary:
        temporary.write_text("half")
        print("open", flush=True)
        sys.stdin.readline()
"""


def interrupted(*files: Path) -> None:
    """Write some files, then be interrupted."""
    for file in files:
        write_text(file, "after")
    raise KeyboardInterrupt


def test_missing_folders_are_made_for_a_file_and_go_with_it(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b" / "c.txt", "text")
    assert (tmp_path / "a" / "b" / "c.txt").read_text() == "text"
    (tmp_path / "kept").mkdir()
    with pytest.raises(KeyboardInterrupt), atomic_path(tmp_path / "kept" / "x" / "y" / "c.txt"):
        interrupted()
    assert os.listdir(tmp_path / "kept") == []


def test_folders_with_something_in_them_stay(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    with pytest.raises(KeyboardInterrupt), output_folder(folder):
        interrupted(folder.parent / "done.txt")
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["done.txt"]


def test_a_group_appears_in_order_at_its_end(tmp_path: Path) -> None:
    with together():
        write_text(tmp_path / "new" / "a.wav", "1")
        with together():
            write_text(tmp_path / "new" / "a.json", "2")
        write_text(tmp_path / "new" / "a.wav", "3")
        assert not (tmp_path / "new" / "a.wav").exists() and not (tmp_path / "new" / "a.json").exists()
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["a.json", "a.wav"]
    assert (tmp_path / "new" / "a.wav").read_text() == "3"
    write_text(tmp_path / "later.txt", "")
    assert (tmp_path / "later.txt").exists()


def test_a_group_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("before")
    with pytest.raises(KeyboardInterrupt), together():
        interrupted(tmp_path / "a.wav", tmp_path / "new" / "b.json")
    assert [p.name for p in tmp_path.iterdir()] == ["a.wav"] and (tmp_path / "a.wav").read_text() == "before"
    (tmp_path / "a.json").mkdir()

    def write_both() -> None:
        with together():
            write_text(tmp_path / "a.wav", "after")
            write_text(tmp_path / "a.json", "{}")

    with pytest.raises(VqsynthError, match=r"a.json: could not be written"):
        write_both()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "a.wav"]
    assert (tmp_path / "a.wav").read_text() == "before"


@pytest.mark.skipif(sys.platform == "win32", reason="asks for processes as POSIX has them")
def test_what_a_killed_process_left_goes_with_the_next_file(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        left = os.listdir(tmp_path / "new")
        assert len(left) == 2 and all(name.startswith(".vqsynth-tmp-") for name in left)
        write_text(tmp_path / "other" / "a.txt", "")
        process.send_signal(signal.SIGKILL)
    foreign = tmp_path / "new" / ".vqsynth-tmp-elsewhere-1-abc.txt"
    foreign.touch()
    running = tmp_path / "new" / left[0].replace(f"-{process.pid}-", f"-{os.getpid()}-")
    running.touch()
    write_text(tmp_path / "new" / "a.txt", "whole")
    assert sorted(os.listdir(tmp_path / "new")) == sorted([foreign.name, running.name, "a.txt"])


def test_folders_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "deep"):
        with pytest.raises(VqsynthError, match="cannot be made"):
            check_folder(place)
        with pytest.raises(VqsynthError, match="cannot be made"):
            write_text(place / "a.txt", "")
    check_folder(tmp_path / "a" / "b")
    assert os.listdir(tmp_path) == ["file"]


def test_an_output_is_known_as_an_input_through_links(tmp_path: Path) -> None:
    source = tmp_path / "a.wav"
    source.touch()
    (tmp_path / "soft.wav").symlink_to(source)
    os.link(source, tmp_path / "hard.wav")
    for name in ("a.wav", "soft.wav", "hard.wav", "../" + tmp_path.name + "/a.wav"):
        with pytest.raises(UsageError, match=r"output .*is the input .*a.wav"):
            check_apart(tmp_path / name, None, tmp_path / "none.wav", source)
    check_apart(tmp_path / "b.wav", source)


def test_numbers_that_are_not_finite_are_named_before_anything_is_written(tmp_path: Path) -> None:
    assert json.loads(json_text({"a": [1.5, None], "é": "x"})) == {"a": [1.5, None], "é": "x"}
    with pytest.raises(VqsynthError, match=r"descriptors.f0.range\[1\] came out as inf"):
        json_text({"descriptors": {"f0": {"range": [1.0, float("inf")]}}})
    with pytest.raises(VqsynthError, match="its f0 would not be finite"):
        write_arrays(tmp_path / "a.npz", {"codes": np.arange(3), "f0": np.array([1.0, np.nan])})
    assert os.listdir(tmp_path) == []
