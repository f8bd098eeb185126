"""``vqsynth render`` as it is typed."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from vqsynth.cli import main


@pytest.fixture(scope="module")
def vqsynth(tiny_timbre):
    """Runs the command with the small timbre on the search path."""
    environment = {**os.environ, "VQSYNTH_CODEBOOKS": str(tiny_timbre.path.parent), "OMP_NUM_THREADS": "1"}

    def run(*arguments, cwd=None):
        command = [sys.executable, "-m", "vqsynth", "render", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cwd, timeout=120)

    return run


def test_two_targets_with_everything_beside_the_sound(vqsynth, tmp_path):
    done = vqsynth(
        "tiny",
        "--descriptor",
        "centroid",
        "--target",
        "sin",
        "--descriptor",
        "f0",
        "--target",
        "line",
        "--range",
        "f0=p30:p70",
        "--weight",
        "f0=2",
        "--duration",
        "3",
        "-o",
        tmp_path / "out.flac",
        "--bits",
        "24",
        "--codes",
        tmp_path / "codes.npz",
    )
    assert done.returncode == 0, done.stderr
    assert {p.name for p in tmp_path.iterdir()} == {"out.flac", "out.png", "out.csv", "out.json", "codes.npz"}
    assert soundfile.info(tmp_path / "out.flac").subtype == "PCM_24"
    for word in ("centroid", "f0", "p30:p70", "trims used", "roughness"):
        assert word in done.stdout
    assert set(json.loads((tmp_path / "out.json").read_text())["descriptors"]) == {"centroid", "f0"}
    again = vqsynth("tiny", "--codes", tmp_path / "codes.npz", "-o", tmp_path / "again.wav", "--no-figure")
    assert again.returncode == 0, again.stderr
    assert np.abs(soundfile.read(tmp_path / "again.wav")[0]).max() > 0.02


def test_the_shortest_command_names_its_own_output(vqsynth, tmp_path):
    done = vqsynth("tiny", "--target", "sin:2", "--duration", "2", "--no-figure", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "tiny_centroid_sin-2.wav" in done.stdout and (tmp_path / "tiny_centroid_sin-2.wav").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["tinny", "--target", "sin"], 2, "did you mean tiny"),
        (["tiny", "--target", "sine"], 2, "sin"),
        (["tiny", "--target", "sin", "--range", "10:20"], 2, "this timbre reaches"),
        (["tiny", "--target", "sin", "--range", "10"], 2, "two ends"),
        (["tiny", "--descriptor", "f0", "--target", "C9"], 2, "asks for 8372 Hz"),
        (["tiny", "--target", "nan.csv"], 2, "not a finite number|is not a"),
        (["tiny", "--target", "sin", "-o", "nan.csv/out.wav"], 1, "cannot be made"),
        (["tiny", "--target", "sin", "-o", "out.wav", "--codes", "broken.npz"], 1, "damaged"),
        (["tiny", "--target", "sin", "--duration", "0"], 2, "--duration 0"),
    ],
)
def test_bad_requests_are_one_clear_sentence(tiny_timbre, tmp_path, monkeypatch, capsys, arguments, code, said):
    (tmp_path / "nan.csv").write_text("0,1000\n1,nan\n")
    (tmp_path / "broken.npz").write_bytes(b"PK not really")
    monkeypatch.setenv("VQSYNTH_CODEBOOKS", str(tiny_timbre.path.parent))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["vqsynth", "render", *arguments])
    with pytest.raises(SystemExit) as exit_:
        main()
    error = capsys.readouterr().err
    assert exit_.value.code == code
    assert any(word in error for word in said.split("|")) and "Traceback" not in error
    assert error.count("error:") == 1 and not (tmp_path / "out.wav").exists()


def test_out_of_reach_is_cut_with_a_warning_when_asked(vqsynth, tmp_path):
    done = vqsynth(
        "tiny",
        "--target",
        "line",
        "--range",
        "10:4000",
        "--clamp",
        "--duration",
        "2",
        "-o",
        tmp_path / "o.wav",
        "--no-figure",
    )
    assert done.returncode == 0 and "warning:" in done.stderr and "were cut" in done.stderr


def test_chords_and_their_voices_as_they_are_typed(vqsynth, midi, tmp_path):
    path = midi.save(tmp_path / "chord.mid", midi.note(0, 1, 57) + midi.note(0, 1, 62))
    options = ["-o", tmp_path / "out.wav", "--no-figure", "--clamp", "--voice-target", "2:centroid=line@300:400"]
    done = vqsynth("tiny", "-t", path, "--stems", *options)
    assert done.returncode == 0, done.stderr
    for word in ("f0_1", "f0_2", "centroid_2", "voice 1: 1 notes", "out_2.wav"):
        assert word in done.stdout
    assert (tmp_path / "out_1.wav").is_file() and (tmp_path / "out_2.wav").is_file()
    for wrong, said in [
        (["--voices", "none"], "--voices none: give auto"),
        (["--voice-target", "centroid=line"], "--voice-target centroid=line: write a voice"),
        (["--voice-target", "4:centroid=line"], "--voice-target 4: there are 2 voices"),
    ]:
        failed = vqsynth("tiny", "-t", path, *wrong, "-o", tmp_path / "no.wav")
        assert failed.returncode == 2 and said in failed.stderr
