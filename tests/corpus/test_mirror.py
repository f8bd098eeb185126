"""Work on folders goes on whatever one file does."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from vqsynth.corpus.mirror import each, outputs
from vqsynth.errors import VqsynthError


class Silent:
    """A display that shows nothing."""

    def file(self, name: str, number: int = 1, total: int = 1) -> None: ...

    def part(self, task: str, share: float) -> None: ...


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for name in (b"a.wav", b"b.wav", b"caf\xe9.wav", b"d.wav", b"e.wav"):
        soundfile.write(os.fsencode(tmp_path / "in") + b"/" + name, np.zeros(9000), 44_100)
    return tmp_path / "in"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (VqsynthError("holds nothing; choose another"), "holds nothing"),
        (soundfile.LibsndfileError(5), "could not be used .LibsndfileError"),
        (ValueError("array of 3"), "could not be used .ValueError: array of 3"),
        (MemoryError(), "does not fit into memory"),
        (OSError(5, "Input/output error"), "Input/output error"),
    ],
)
def test_any_error_of_a_file_is_told_and_the_rest_done(
    folder: Path, warned: list[str], error: Exception, said: str
) -> None:
    seen: list[str] = []

    def work(path: Path, target: Path) -> str:
        seen.append(path.name)
        if path.name == "b.wav":
            raise error
        return target.name

    done, failed = each(folder, outputs(folder, folder.parent / "out", "x"), Silent(), work)
    odd = os.fsdecode(b"caf\xe9.wav")
    assert seen == ["a.wav", "b.wav", odd, "d.wav", "e.wav"]
    assert done == ["a.wav", odd, "d.wav", "e.wav"] and failed == [folder / "b.wav"]
    assert len(warned) == 1 and "b.wav: " in warned[0] and said.split(" .")[0] in warned[0]


def test_an_interruption_ends_all(folder: Path) -> None:
    seen: list[str] = []

    def work(path: Path, target: Path) -> None:
        seen.append(path.name)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        each(folder, outputs(folder, folder.parent / "out", "x"), Silent(), work)
    assert seen == ["a.wav"]


def test_a_single_file_raises(folder: Path) -> None:
    source = folder / "a.wav"

    def work(path: Path, target: Path) -> None:
        raise ValueError("array of 3")

    with pytest.raises(ValueError, match="array of 3"):
        each(source, outputs(source, folder.parent / "out.wav", "x"), Silent(), work)
