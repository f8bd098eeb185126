"""Training from the command line: in this process, and in others for interrupts and for several processes."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from vqsynth.cli.training import parse_time
from vqsynth.errors import UsageError
from vqsynth.library import timbre as folder
from vqsynth.vqvae import config

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "300"}
TINY = {"width": 16, "encoder_blocks": 1, "decoder_blocks": 1, "n_mels": 16, "n_codes": 8, "code_dim": 4}
PROGRAM = f"""
from vqsynth import cli
from vqsynth.vqvae import config
config.PRESETS["small"] = config.ModelConfig(**{TINY!r})
cli.main()
"""
"""The command line, with a preset that trains at once."""


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setitem(config.PRESETS, "small", config.ModelConfig(**TINY))


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def arguments(recordings, output, *options):
    chosen = ("--preset", "small", "--batch-size", "1", "--threads", "1", "--vary", "off")
    return ["train", str(recordings), "--timbre", "t", "--output", str(output), *chosen, *options]


def test_one_command_trains_a_timbre(command, recordings, tmp_path):
    code, out, err = command(*arguments(recordings, tmp_path, "--steps", "4", "--description", "glides"))
    assert code == 0, err
    assert f"vqsynth render {tmp_path / 't'}" in out
    timbre = folder.load(tmp_path / "t")
    timbre.verify()
    assert timbre.header["description"] == "glides" and timbre.card["training"]["steps"] == 4
    assert np.isfinite(timbre.table.column("centroid")).any()
    assert list((tmp_path / "t" / "training" / "previews").glob("*.png"))
    code, _, err = command(*arguments(recordings, tmp_path, "--steps", "4"))
    assert code == 2 and "--overwrite" in err


def test_ctrl_c_keeps_the_run_and_finish_builds_it(command, recordings, tmp_path, program):
    # A shell ignores the signal in what it runs in the background, and processes inherit that.
    heed = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(
        [sys.executable, program, *arguments(recordings, tmp_path, "--steps", "1000000")],
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        preexec_fn=heed,
    )
    try:
        assert process.stderr is not None
        said = ""
        while "held-out spectral loss" not in said:  # the first step is done
            line = process.stderr.readline()
            assert line, said
            said += line
        process.send_signal(signal.SIGINT)
        error = process.communicate(timeout=60)[1]
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130 and "--resume" in error and "Traceback" not in error
    code, _, err = command(*arguments(recordings, tmp_path, "--steps", "4"))
    assert code == 2 and "--resume" in err
    code, _, err = command("train", recordings, "--timbre", "t", "--output", tmp_path, "--finish")
    assert code == 1 and "too short" in err and "--resume" in err  # the codebook starts later


def test_two_processes_train_one_model(recordings, tmp_path, program):
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    result = subprocess.run(
        [*launcher, program, *arguments(recordings, tmp_path, "--steps", "4")],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    timbre = folder.load(tmp_path / "t")
    timbre.verify()
    assert timbre.card["training"]["processes"] == 2


def test_a_folder_without_audio_says_what_is_in_it(command, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").write_text("hello")
    code, _, err = command(*arguments(tmp_path / "in", tmp_path / "out", "--steps", "2"))
    assert code == 1 and ".txt" in err
    assert not (tmp_path / "out").exists()


def test_silence_cannot_be_learned(command, tmp_path):
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / "silence.wav", np.zeros(44_100), 44_100)
    code, _, err = command(*arguments(tmp_path / "in", tmp_path / "out", "--steps", "2"))
    assert code == 1 and "corpus check" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--steps", "2", "--time", "3m"], "--time and --steps: give one of them"),
        (["--time", "soon"], "--time soon"),
        (["--steps", "2", "--device", "abacus"], "--device abacus"),
        (["--steps", "2", "--seed", "-1"], "seed"),
        (["--steps", "2", "--timbre", "a/b"], "--output"),
        (["--resume"], "no run to go on with"),
        (["--finish"], "no run to go on with"),
    ],
)
def test_wrong_requests(command, recordings, tmp_path, options, words):
    code, _, err = command(*arguments(recordings, tmp_path / "out", *options))
    assert code == 2 and words in err
    assert not (tmp_path / "out").exists()


def test_lengths_of_time():
    assert [parse_time(text) for text in ("90", "90s", "30m", "1h30m", "1.5h")] == [90, 90, 1800, 5400, 5400]
    for text in ("-3m", "0", "", "1" * 5000, "٣m"):
        with pytest.raises(UsageError, match="not a length of time"):
            parse_time(text)


def test_a_full_disk_names_the_folder(command, recordings, tmp_path):
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, limits[1]))
    try:
        code, _, err = command(*arguments(recordings, tmp_path / "out", "--steps", "2"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert code == 1 and "do not fit" in err and str(tmp_path) in err
    assert not (tmp_path / "out").exists()
