"""The user's guide: every page is followed from its first command to its last; what it links to is there and sounds."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).resolve().parents[1]
GUIDE = ROOT / "docs" / "guide"
LARGEST, LARGEST_OF_ALL = 300_000, 4_000_000


@pytest.fixture(scope="module")
def make():
    """The script that makes the guide's sounds."""
    spec = importlib.util.spec_from_file_location("make_guide", GUIDE / "make.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


PAGES = sorted(path.name for path in GUIDE.glob("*.md") if path.name != "README.md")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_followed(make, name, tmp_path):
    make.follow(GUIDE / name, tmp_path)
    for kind, linked in make.LINK.findall((GUIDE / name).read_text(encoding="utf-8")):
        suffix = ".wav" if kind == "sounds" else ".png"
        made = list(tmp_path.rglob(Path(linked).stem + suffix))
        assert made, f"{linked}: no command makes it"
        if kind == "sounds":
            audio, _ = soundfile.read(made[0])
            assert 0.02 < np.abs(audio).max() <= 1


@pytest.mark.parametrize("name", PAGES)
def test_lines_that_are_only_shown_are_known_to_the_program(make, name):
    for step in make.steps(GUIDE / name):
        if step.kind == "shown":
            words = step.text.split()
            assert words[0] == "vqsynth"
            done = subprocess.run(
                [sys.executable, "-m", "vqsynth", words[1], "--help"], capture_output=True, text=True, check=True
            )
            assert all(word in done.stdout for word in words if word.startswith("--")), step.text


def test_links_lead_somewhere():
    for page in GUIDE.glob("*.md"):
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert link.startswith("http") or (page.parent / link).exists(), f"{page.name}: {link}"
    index = (GUIDE / "README.md").read_text(encoding="utf-8")
    assert all(f"({name})" in index for name in PAGES)


def test_sounds_and_pictures_are_small_and_all_are_used(make):
    linked = {
        f"{kind}/{name}" for page in make.PAGES for kind, name in make.LINK.findall(page.read_text(encoding="utf-8"))
    }
    there = [path for kind in ("sounds", "pictures") for path in (GUIDE / kind).iterdir()]
    assert {str(path.relative_to(GUIDE)) for path in there} == linked
    assert all(path.stat().st_size < LARGEST for path in there)
    assert sum(path.stat().st_size for path in there) < LARGEST_OF_ALL
    for path in there:
        if path.suffix == ".ogg":
            audio, _ = soundfile.read(path)
            assert np.abs(audio).max() > 0.02 and len(audio) > 44_100
