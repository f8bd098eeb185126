"""Training the continuous model from the command line, killed and refused for real."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest
from safetensors.torch import load_file

from vqsynth.wavae import load

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "300"}
STEPS = ("--steps", "9")


def arguments(recordings, output, *options):
    train = ["train", str(recordings), "--name", "t", "--output", str(output), "--preset", "small", "--threads", "1"]
    return [sys.executable, "-m", "vqsynth", "wavae", *train, *options]


def run(*options):
    return subprocess.run(arguments(*options), capture_output=True, text=True, env=ENVIRONMENT, timeout=300)


@pytest.fixture(scope="module")
def whole(recordings, tmp_path_factory):
    """A run of nine steps and what it printed."""
    output = tmp_path_factory.mktemp("whole")
    result = run(recordings, output, *STEPS)
    assert result.returncode == 0, result.stderr
    return output / "t", result


def test_one_command_trains_all_phases(whole, note):
    folder, result = whole
    for phase in ("vocoder", "vae", "adversarial", "latency 2559 samples"):
        assert phase in result.stderr
    domain = load(folder)
    domain.verify()
    assert domain.card["training"]["steps"] == 9
    assert domain.card["training"]["held_out"]
    assert domain.card["quality"]["log_mel_distance_db"] > 0
    assert domain.pca.std[0] >= domain.pca.std[-1] > 0
    assert np.allclose(domain.pca.components @ domain.pca.components.T, np.eye(16), atol=1e-4)
    assert {p.name for p in (folder / "figures").iterdir()} == {"axes.png", "resynthesis.png"}
    assert list((folder / "training" / "previews").glob("*.wav"))
    assert len(domain.decode(domain.encode(note))) == len(note)


def test_killed_and_resumed_is_the_same_model(whole, recordings, tmp_path):
    checkpoint = tmp_path / "t" / "training" / "checkpoint.safetensors"
    process = subprocess.Popen(arguments(recordings, tmp_path, *STEPS), stderr=subprocess.PIPE, env=ENVIRONMENT)
    for _ in range(1200):
        if checkpoint.exists() or process.poll() is not None:
            break
        time.sleep(0.1)
    process.kill()
    process.communicate()
    assert checkpoint.exists() and not (tmp_path / "t" / "wavae.toml").exists()
    refused = run(recordings, tmp_path, *STEPS)
    assert refused.returncode == 2 and "--resume" in refused.stderr
    resumed = run(recordings, tmp_path, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    a, b = (load_file(folder / "model.safetensors") for folder in (whole[0], tmp_path / "t"))
    assert a.keys() == b.keys()
    for key in a:
        assert np.array_equal(a[key].numpy(), b[key].numpy()), key


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--time", "1m", "--steps", "3"), 2, "give one of them"),
        (("--time", "soon"), 2, "not a length of time"),
        (("--resume",), 2, "no run to go on with"),
        (("--preset", "huge"), 2, "huge"),
        (("--device", "abacus", "--steps", "3"), 2, "abacus"),
    ],
)
def test_wrong_requests(command, recordings, tmp_path, options, code, words):
    got, _, err = command("wavae", "train", recordings, "--name", "t", "--output", tmp_path, *options)
    assert got == code and words in err
    assert not (tmp_path / "t" / "wavae.toml").exists()


def test_a_name_is_no_path(command, recordings, tmp_path):
    code, _, err = command("wavae", "train", recordings, "--name", "a/b", "--output", tmp_path, *STEPS)
    assert code == 2 and "--output" in err


def test_a_folder_without_sound(command, tmp_path):
    (tmp_path / "empty").mkdir()
    code, _, err = command("wavae", "train", tmp_path / "empty", "--name", "t", "--output", tmp_path, *STEPS)
    assert code == 1 and "empty" in err
    assert not (tmp_path / "t" / "wavae.toml").exists()


def test_a_finished_model_is_not_overwritten(whole, command, recordings):
    code, _, err = command("wavae", "train", recordings, "--name", "t", "--output", whole[0].parent, *STEPS)
    assert code == 2 and "--overwrite" in err
    load(whole[0]).verify()


def test_models_and_info(whole, command, monkeypatch, tmp_path):
    (tmp_path / "wavae").mkdir()
    (tmp_path / "wavae" / "t").symlink_to(whole[0])
    monkeypatch.setenv("VQSYNTH_CODEBOOKS", str(tmp_path))
    code, out, _ = command("wavae", "models")
    assert code == 0 and "58 ms" in out and "strings" in out
    code, out, _ = command("wavae", "info", "t")
    assert code == 0 and "all files match" in out and "vae_batch_size" in out
    code, _, err = command("wavae", "info", "strongs")
    assert code == 2 and "strings" in err
