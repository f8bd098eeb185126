"""``vqsynth corpus`` as a user sees it."""

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from vqsynth.cli.corpus import corpus_app
from vqsynth.errors import UsageError, VqsynthError

RATE = 44100


def run(*arguments):
    return CliRunner().invoke(corpus_app, [str(a) for a in arguments])


def test_check_prints_a_row_a_reason_and_totals(tmp_path):
    t = np.arange(RATE) / RATE
    soundfile.write(tmp_path / "tone.wav", 0.3 * np.sin(2 * np.pi * 440 * t), RATE)
    soundfile.write(tmp_path / "other.wav", 0.3 * np.sin(2 * np.pi * 660 * t), RATE)
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    result = run("check", tmp_path, "--csv", tmp_path / "out.csv")
    assert result.exit_code == 0, result.output
    for words in ("tone.wav", "varied", "A4", "left out: silent.wav: silent", "3 files: 0 used, 2 varied, 1 left out"):
        assert words in result.output
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 4


def test_check_of_one_file(tmp_path):
    soundfile.write(tmp_path / "noise.wav", np.random.default_rng(0).uniform(-0.2, 0.2, RATE), RATE)
    result = run("check", tmp_path / "noise.wav")
    assert result.exit_code == 0 and "1 used" in result.output


def test_check_fails_when_nothing_can_be_used(tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    assert run("check", tmp_path).exit_code == 1
    result = run("check", tmp_path / "nowhere")
    assert isinstance(result.exception, VqsynthError)


def test_fetch_lists_packs_and_refuses_unknown_ones():
    result = run("fetch")
    assert result.exit_code == 0
    assert "violin" in result.output and "CC-BY-3.0" in result.output
    with pytest.raises(UsageError, match="violin"):
        raise run("fetch", "violln").exception
