"""Training the continuous model from the command line."""

import os
import subprocess
import sys

import numpy as np
import pytest

from vqsynth.wavae import load

STEPS = ("--steps", "9")
TINY = {"width": 16, "encoder_blocks": 1, "decoder_blocks": 1, "vocoder_width": 16, "vocoder_blocks": 1, "n_mels": 16}
PROGRAM = f"""
from vqsynth import cli
from vqsynth.wavae.network import config
config.PRESETS["small"] = config.WavaeConfig(**{TINY!r})
cli.main()
"""
"""The command line, with a preset that trains at once."""


@pytest.fixture(scope="module")
def whole(recordings, tmp_path_factory):
    """A run of nine steps and what it printed."""
    output = tmp_path_factory.mktemp("whole")
    train = ["train", str(recordings), "--name", "t", "--output", str(output), "--preset", "small", "--threads", "1"]
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, "wavae", *train, *STEPS],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "300"},
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    return output / "t", result


def test_one_command_trains_all_phases(whole, note):
    folder, result = whole
    for phase in ("vocoder", "vae", "joint", "latency 2559 samples"):
        assert phase in result.stderr
    domain = load(folder)
    domain.verify()
    assert domain.card["training"]["steps"] == 9
    assert domain.card["training"]["held_out"]
    assert domain.card["quality"]["log_mel_distance_db"] > 0
    assert domain.pca.std[0] >= domain.pca.std[-1] > 0
    assert np.allclose(domain.pca.components @ domain.pca.components.T, np.eye(len(domain.pca.std)), atol=1e-4)
    assert {p.name for p in (folder / "figures").iterdir()} == {"axes.png", "resynthesis.png"}
    assert list((folder / "training" / "previews").glob("*.wav"))
    assert len(domain.decode(domain.encode(note))) == len(note)
    assert 100 < len(domain.corpus_latents.latents) <= 6000


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
