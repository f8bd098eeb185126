"""The frame of the command line: help, versions, errors as one sentence with their exit code."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

import vqsynth
from vqsynth import cli
from vqsynth.errors import UsageError, VqsynthError

COMMANDS = ("timbres", "info", "units", "corpus", "train", "analyze", "render", "sweep", "transfer", "encode", "decode")
HEAVY = ("torch", "librosa", "numpy", "scipy", "matplotlib", "faiss", "onnxruntime", "soundfile", "pydantic", "joblib")


def test_help_names_every_command_and_comes_at_once():
    command = [sys.executable, "-m", "vqsynth", "--help"]
    subprocess.run(command, capture_output=True, check=True)
    seconds = []
    for _ in range(5):
        # Processor time: other work on the machine does not count.
        before = os.times()
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        after = os.times()
        seconds.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert all(name in result.stdout for name in COMMANDS)
    assert min(seconds) < 0.5


def test_help_loads_nothing_heavy():
    program = f"import sys, vqsynth, vqsynth.cli; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
        == "[]"
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(command, name):
    code, out, _ = command(name, "--help")
    assert code == 0 and name in out and len(out.splitlines()) > 8


def test_version(command):
    assert command("--version")[:2] == (0, f"vqsynth {vqsynth.__version__}\n")


def test_wrong_commands_and_options_exit_with_2(command):
    assert command("rendr")[0] == 2
    assert command("timbres", "--colour")[0] == 2
    code, _, err = command("info")
    assert code == 2 and "name" in err.lower()


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (VqsynthError("a.wav: broken; replace it"), 1, "error: a.wav: broken; replace it\n"),
        (UsageError("--target x: unknown"), 2, "error: --target x: unknown\n"),
        (OSError(errno.ENOSPC, "No space left on device", "out.wav"), 1, "error: out.wav: No space left on device\n"),
        (PermissionError(errno.EACCES, "Permission denied", "out"), 1, "error: out: Permission denied\n"),
        (MemoryError(), 1, "out of memory"),
        (
            ZeroDivisionError("division by zero"),
            1,
            "unexpected ZeroDivisionError: division by zero; run it again with --debug",
        ),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_errors_are_one_sentence_and_a_code(command, monkeypatch, error, code, message):
    def fail(**options):
        raise error

    monkeypatch.setattr(cli, "app", fail)
    got, _, err = command("timbres")
    assert got == code and message in err and "Traceback" not in err


def test_debug_shows_the_traceback_wherever_it_stands():
    for arguments in (["--debug", "info", "nobody"], ["info", "nobody", "--debug"]):
        result = subprocess.run([sys.executable, "-m", "vqsynth", *arguments], capture_output=True, text=True)
        assert result.returncode != 0 and "Traceback" in result.stderr and "UsageError" in result.stderr


def test_a_closed_pipe_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = subprocess.run(
            [sys.executable, "-m", "vqsynth", "--help"], stdout=writer, stderr=subprocess.PIPE, text=True
        )
    finally:
        os.close(writer)
    assert "Traceback" not in result.stderr
