"""Locks of folders, with real processes."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vqsynth.errors import VqsynthError
from vqsynth.storage.lock import NAME, locked

HOLDER = """
import sys, time
from pathlib import Path
from vqsynth.storage.lock import locked
with locked(Path(sys.argv[1]), "sweep"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def hold(folder: Path) -> subprocess.Popen[str]:
    """A process that holds the folder's lock until a line comes."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def test_another_process_is_named_and_the_lock_ends_with_it(tmp_path: Path) -> None:
    process = hold(tmp_path)
    try:
        taken = f"another sweep is writing here .process {process.pid}."
        with pytest.raises(VqsynthError, match=taken), locked(tmp_path, "training"):
            pytest.fail("two hold one lock")
        process.communicate("\n", timeout=30)
    finally:
        process.kill()
        process.wait()
    assert os.listdir(tmp_path) == []
    with locked(tmp_path, "training"):
        assert os.listdir(tmp_path) == [NAME]
    assert os.listdir(tmp_path) == []


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    process = hold(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert (tmp_path / NAME).exists()
    with locked(tmp_path, "sweep"):
        pass
    assert os.listdir(tmp_path) == []


def test_threads_of_a_process_exclude_each_other_and_errors_free_the_lock(tmp_path: Path) -> None:
    with contextlib.suppress(ZeroDivisionError), locked(tmp_path, "sweep"):
        with pytest.raises(VqsynthError, match=f"process {os.getpid()}"), locked(tmp_path, "sweep"):
            pytest.fail("two hold one lock")
        _ = 1 / 0
    with locked(tmp_path, "sweep"):
        pass


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(VqsynthError, match="cannot write here"), locked(tmp_path / "no", "sweep"):
        pytest.fail("locked nothing")
