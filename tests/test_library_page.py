"""Every program of the page on the library runs, and the public names are what it says."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

import vqsynth
import vqsynth.wavae
from vqsynth import descriptors

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, make_tone):
    folder = tmp_path_factory.mktemp("library")
    for name, f0 in (("voice.wav", 220.0), ("A.wav", 147.0), ("B.wav", 370.0)):
        soundfile.write(folder / name, make_tone(f0, 0.8), 44_100)
    return folder


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_program(number, folder):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "VQSYNTH_CODEBOOKS": str(ROOT / "codebooks")}
    command = [sys.executable, "-W", "error::DeprecationWarning:vqsynth", "-c", PROGRAMS[number]]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", [vqsynth, vqsynth.wavae], ids=lambda module: module.__name__)
def test_public_names_are_there(module):
    for name in module.__all__:
        assert getattr(module, name) is not None
        assert name in PAGE or name == "__version__" or module is vqsynth.wavae or name in ("Request", "Timbre"), name


def test_every_shipped_descriptor_is_a_keyword():
    assert set(descriptors.names()) <= set(inspect.signature(vqsynth.Timbre.render).parameters)
