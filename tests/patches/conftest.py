"""Patches of a timbre and of a continuous model, and a Pure Data that opens them."""

from __future__ import annotations

import pytest

from benchmarks.realtime import pure_data


@pytest.fixture(scope="session")
def cards():
    """Cards of the models by their kind."""
    from vqsynth.export.models import find, instrument_of

    return {name: instrument_of(find(name))[1] for name in ("violin", "strings")}


@pytest.fixture(scope="session")
def patches(cards, tmp_path_factory):
    """The folder of each model's patches, by its name."""
    from vqsynth.patches.write import files_of

    folder = tmp_path_factory.mktemp("patches")
    for name, card in cards.items():
        (folder / name).mkdir()
        for file, text in files_of(card).items():
            (folder / name / file).write_text(text, encoding="utf-8")
    return {name: folder / name for name in cards}


@pytest.fixture
def play(tmp_path):
    """Opens a patch in Pure Data and plays it: what the console says, and where the stand-in's recordings are."""
    if not pure_data.installed():
        pytest.skip("Pure Data (pd) is not installed")

    def run(patch, events=(), seconds=0.5):
        return pure_data.play(patch, tmp_path, events, seconds), tmp_path

    return run
