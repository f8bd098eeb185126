"""What CONTRIBUTING.md says works: its examples are tried, its commands are run or at least understood."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vqsynth import descriptors
from vqsynth.control.targets import parse_target, shapes
from vqsynth.descriptors import _base

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
DESCRIPTOR, SHAPE = re.findall(r"^```python\n(.*?)^```$", TEXT, re.M | re.S)
COMMANDS = [
    part.strip()
    for block in re.findall(r"^```bash\n(.*?)^```$", TEXT, re.M | re.S)
    for line in block.splitlines()
    for part in line.split("  #")[0].split("&&")
]
ASKED = [command for command in COMMANDS if "crossings" in command]
LONG = [command for command in COMMANDS if re.match(r"vqsynth|python -m|pytest", command) and command not in ASKED]
RATE = 8000


def run(command: list[str], folder: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_example_of_a_descriptor_measures():
    example = {"__name__": "example"}
    exec(DESCRIPTOR, example)
    descriptor = example["DESCRIPTOR"]
    assert isinstance(descriptor, _base.Descriptor)
    times = np.arange(4 * RATE) / RATE
    measured = descriptor.measure(np.sin(2 * np.pi * 440 * times + 0.1).astype(np.float32), RATE)
    assert len(measured.values) == 1 + 4 * RATE // 512 == len(measured.valid)
    assert np.allclose(measured.values[4:-4], 880, rtol=0.01) and measured.valid[4:-4].all()
    assert not descriptor.measure(np.zeros(RATE, np.float32), RATE).valid.any()


def test_the_example_of_a_descriptor_is_followed(tiny_timbre, tmp_path):
    """Its two commands, on a copy of a small timbre, with the file where a new one would stand."""
    (tmp_path / "rooms").mkdir()
    (tmp_path / "rooms" / "crossings.py").write_text(DESCRIPTOR)
    shutil.copytree(tiny_timbre.path, tmp_path / "codebooks" / "violin")
    assert len(ASKED) == 2
    for command in ASKED:
        program = (
            f"import sys, vqsynth.descriptors as d; d.__path__.append({str(tmp_path / 'rooms')!r})\n"
            f"from vqsynth.cli import main; sys.argv = {command.split()!r}; main()"
        )
        run([sys.executable, "-c", program], tmp_path)
    assert "crossings" in (tmp_path / "codebooks" / "violin" / "descriptors.csv").read_text().splitlines()[0]
    assert list(tmp_path.glob("*.wav"))


def test_the_example_of_a_shape_is_a_target(monkeypatch):
    example = {"np": np}
    exec(SHAPE, example)
    monkeypatch.setitem(shapes.PLAIN, "pulse", example["pulse"])
    monkeypatch.setattr(shapes, "NAMES", (*shapes.PLAIN, "steps", "walk"))
    values = parse_target("pulse:2").values(np.array([0.5, 1.5, 2.5, 3.5]), 4.0, 100.0, 200.0)
    assert values.tolist() == [200.0, 100.0, 200.0, 100.0]
    assert "vqsynth render --target pulse:2" in TEXT


@pytest.mark.parametrize("command", LONG)
def test_a_command_that_takes_long_has_its_options(command):
    words = command.split()
    if words[0] == "pytest":
        named = [word for word in words[1:] if "/" in word]
        assert named and all((ROOT / name).exists() for name in named)
        if "--hypothesis-profile" in words:
            run([sys.executable, "-m", "pytest", "--co", "-q", *words[1:]])
        return
    start = [sys.executable, "-m", "vqsynth"] if words[0] == "vqsynth" else [sys.executable, *words[1:3]]
    helped = run([*start, *(word for word in words[1:3] if word.isalpha() and words[0] == "vqsynth"), "--help"])
    options = {word for word in words if word.startswith("--")}
    assert all(option in helped for option in options)


def test_everything_else_is_what_continuous_integration_does():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    rest = [command for command in COMMANDS if command not in LONG + ASKED]
    assert rest[:2] == ["pip install -c constraints.txt -e '.[dev]'", "pre-commit install"]
    for command in rest[2:]:
        assert command == ".ci/run" or command in script
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert all(f"entry: {program}" in hooks for program in ("ruff check", "ruff format", "mypy"))


def test_the_rooms_are_those_of_the_package():
    table = re.findall(r"^\| `(\w+)/` \|", TEXT, re.M)
    rooms = {path.parent.name for path in (ROOT / "vqsynth").glob("*/__init__.py")}
    assert set(table) == rooms and len(table) == len(rooms)


@pytest.mark.parametrize(
    "page",
    [
        "CONTRIBUTING.md",
        "README.md",
        "docs/method.md",
        "docs/wavae.md",
        "benchmarks/README.md",
        "targets/README.md",
    ],
)
def test_links_and_paths_exist(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert link.startswith("http") or ((ROOT / page).parent / link).exists(), link
    for path in re.findall(r"`((?:vqsynth|tests|benchmarks|targets)/[\w./]+)`", text):
        assert (ROOT / path).exists(), path


def test_the_example_is_none_that_ships():
    assert "crossings" not in descriptors.names()
