"""Training from the command line, killed and interrupted for real."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
from safetensors.torch import load_file

from vqsynth.cli.training import parse_time
from vqsynth.errors import UsageError
from vqsynth.library import timbre as folder

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def command(recordings, output, *options):
    train = [
        "train",
        str(recordings),
        "--timbre",
        "t",
        "--output",
        str(output),
        "--preset",
        "small",
        "--batch-size",
        "2",
        "--threads",
        "1",
    ]
    return [sys.executable, "-m", "vqsynth", *train, "--vary", "off", *options]


def run(*arguments):
    return subprocess.run(command(*arguments), capture_output=True, text=True, env=ENVIRONMENT, timeout=300)


def wait_for(path, process):
    for _ in range(1200):
        if path.exists() or process.poll() is not None:
            break
        time.sleep(0.1)
    assert path.exists(), process.stderr.read()


def test_killed_and_resumed_is_the_same_timbre(recordings, tmp_path):
    steps = ["--steps", "12"]
    whole = run(recordings, tmp_path / "whole", *steps)
    assert whole.returncode == 0, whole.stderr
    checkpoint = tmp_path / "killed" / "t" / "training" / "checkpoint.safetensors"
    process = subprocess.Popen(
        command(recordings, tmp_path / "killed", *steps), stderr=subprocess.PIPE, env=ENVIRONMENT
    )
    wait_for(checkpoint, process)
    process.kill()
    process.wait()
    process.stderr.close()
    assert not (tmp_path / "killed" / "t" / "timbre.toml").exists()
    refused = run(recordings, tmp_path / "killed", *steps)
    assert refused.returncode == 2 and "--resume" in refused.stderr
    resumed = run(recordings, tmp_path / "killed", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    a, b = (load_file(tmp_path / name / "t" / "model.safetensors") for name in ("whole", "killed"))
    assert a.keys() == b.keys() and all((a[key] == b[key]).all() for key in a)
    timbre = folder.load(tmp_path / "killed" / "t")
    timbre.verify()
    assert np.isfinite(timbre.table.column("centroid")).any()
    assert len(list((tmp_path / "whole" / "t" / "training" / "previews").glob("*.png"))) > 0


def test_ctrl_c_keeps_the_run_and_finish_builds_it(recordings, tmp_path):
    # A shell ignores the signal in what it runs in the background, and processes inherit that.
    heed = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(
        command(recordings, tmp_path, "--steps", "100000"), stderr=subprocess.PIPE, env=ENVIRONMENT, preexec_fn=heed
    )
    wait_for(tmp_path / "t" / "training" / "checkpoint.safetensors", process)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    try:
        error = process.communicate(timeout=60)[1].decode()
    finally:
        process.kill()
    assert process.returncode == 130 and "--resume" in error and "Traceback" not in error
    early = run(recordings, tmp_path, "--finish")
    assert early.returncode == 1 and "too short" in early.stderr  # the codebook starts later


def test_two_processes_train_one_model(recordings, tmp_path):
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    result = subprocess.run(
        launcher + command(recordings, tmp_path, "--steps", "8")[2:],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    timbre = folder.load(tmp_path / "t")
    timbre.verify()
    assert timbre.card["training"]["processes"] == 2


def test_a_folder_without_audio_says_what_is_in_it(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").write_text("hello")
    result = run(tmp_path / "in", tmp_path / "out", "--steps", "2")
    assert result.returncode == 1 and ".txt" in result.stderr and "Traceback" not in result.stderr


def test_silence_cannot_be_learned(tmp_path):
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / "silence.wav", np.zeros(44_100), 44_100)
    result = run(tmp_path / "in", tmp_path / "out", "--steps", "2")
    assert result.returncode == 1 and "corpus check" in result.stderr


@pytest.mark.parametrize(
    "options",
    [["--steps", "2", "--time", "3m"], ["--time", "soon"], ["--steps", "2", "--device", "abacus"], ["--resume"]],
)
def test_wrong_requests(recordings, tmp_path, options):
    result = run(recordings, tmp_path, *options)
    assert result.returncode == 2 and "Traceback" not in result.stderr


def test_lengths_of_time():
    assert [parse_time(text) for text in ("90", "90s", "30m", "1h30m", "1.5h")] == [90, 90, 1800, 5400, 5400]
    with pytest.raises(UsageError):
        parse_time("-3m")


def test_a_full_disk_names_the_folder(recordings, tmp_path):
    limited = ["bash", "-c", 'ulimit -f 500; exec "$@"', "bash", *command(recordings, tmp_path, "--steps", "2")]
    result = subprocess.run(limited, capture_output=True, text=True, env=ENVIRONMENT, timeout=300)
    assert result.returncode == 1 and "do not fit" in result.stderr and str(tmp_path) in result.stderr
    assert not (tmp_path / "t" / "timbre.toml").exists()
