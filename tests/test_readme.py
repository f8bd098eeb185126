"""Every command and every program of the README runs, in the order it stands there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RATE = 44_100


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.M | re.S)


COMMANDS = [
    line.split("  #")[0].strip() for block in blocks("(?:bash|console)") for line in block.splitlines() if line.strip()
]
INSTALL = [command for command in COMMANDS if command.startswith("pip install")]
RUN = [command for command in COMMANDS if command not in INSTALL]
assert len(RUN) > 15


@pytest.fixture(scope="module")
def folder(tmp_path_factory, make_tone):
    """A working folder with the files that the README says the reader has."""
    folder = tmp_path_factory.mktemp("readme")
    melody = np.concatenate([make_tone(f0, 0.5, 0.8) for f0 in (220.0, 247.0, 262.0, 196.0)])
    soundfile.write(folder / "voice.wav", melody, RATE)
    (folder / "takes" / "first").mkdir(parents=True)
    soundfile.write(folder / "takes" / "first" / "low.wav", make_tone(130.0, 1.0), RATE)
    soundfile.write(folder / "takes" / "high.flac", make_tone(500.0, 1.0), RATE)
    for name, f0, seconds in (("A.wav", 147.0, 1.6), ("B.wav", 370.0, 2.0)):
        soundfile.write(folder / name, make_tone(f0, seconds), RATE)
    (folder / "axis.csv").write_text("time,value\n0,-1\n1,1.5\n2,0\n")
    (folder / "level.csv").write_text("time,value\n0,-40\n0.5,-20\n2,-35\n")
    (folder / "frequency.csv").write_text("time,value\n0,300\n25,4000\n55,500\n")
    (folder / "factor.csv").write_text("time,value\n0,1.5\n40,3\n55,0.5\n")
    (folder / "tune.csv").write_text("time,value\n0,220\n1,330\n2,262\n")
    (folder / "plane.csv").write_text("time,x,y\n0,0,0\n1,1,0\n2,1,1\n")
    (folder / "curve.csv").write_text("time,value\n0,2200\n2,3000\n3,2400\n6,2800\n")
    (folder / "script.txt").write_text("0 /note A4 0.8\n1.5 /descriptor/centroid 2400\n3 /note A4 0\n")
    song = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack()
    for note in (69, 72, 76, 74):
        track.append(mido.Message("note_on", note=note, velocity=90, time=0))
        track.append(mido.Message("note_off", note=note, velocity=0, time=480))
    song.tracks.append(track)
    song.save(folder / "melody.mid")
    return folder


@pytest.fixture(scope="module")
def environment():
    """The environment of a reader who has installed the package: its command is on the path."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "COLUMNS": "200"}


def run(command: list[str] | str, folder: Path, environment: dict[str, str]) -> str:
    result = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        shell=isinstance(command, str),
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.mark.parametrize("command", ["vqsynth render --target sin", *RUN])
def test_command(command, folder, environment):
    if "clarinet" in command and not (shutil.which("npm") or (folder / "recordings").is_dir()):
        pytest.skip("npm, the client of this sample pack, is not installed")
    before = set(folder.rglob("*"))
    run(command, folder, environment)
    output = re.search(r" -o (\S+)", command)
    if output:
        assert (folder / output.group(1)).exists()
    if command.startswith("vqsynth render"):
        fresh = set(folder.rglob("*")) - before
        assert {".wav", ".flac"} & {path.suffix for path in fresh}
        assert {".png", ".csv", ".json"} <= {path.suffix for path in fresh}


@pytest.mark.parametrize("program", blocks("python"))
def test_program(program, folder, environment):
    out = run([sys.executable, "-c", program], folder, environment)
    written = re.findall(r'write\("(\S+?)"', program)
    assert out or written
    assert not out or float(out) > 0.99
    for name in written:
        audio, _ = soundfile.read(folder / name)
        assert len(audio) and 0.01 < np.abs(audio).max() <= 1


def test_installation_is_what_the_continuous_integration_does():
    assert INSTALL == [
        "pip install -c constraints.txt . && vqsynth render --target sin",
        "pip install -c constraints.txt '.[test]' && pytest",
    ]
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "-c constraints.txt '.[dev]'" in script and re.search(r"^ .*pytest -q", script, re.M)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'dev = ["vqsynth[test]", ' in project


def test_links_lead_somewhere():
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert link.startswith("http") or (ROOT / link).exists(), link
