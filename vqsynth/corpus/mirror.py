"""Work on one file or on a whole folder, with the folder's tree kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from vqsynth.corpus.files import find_audio
from vqsynth.errors import UsageError, VqsynthError, warn

Result = TypeVar("Result")


class Display(Protocol):
    """Told of each file and how far it is."""

    def file(self, name: str, number: int = 1, total: int = 1) -> None: ...

    def part(self, task: str, share: float) -> None: ...


class Silent:
    """A display that shows nothing."""

    def file(self, name: str, number: int = 1, total: int = 1) -> None:
        """A file begins."""

    def part(self, task: str, share: float) -> None:
        """A share of a task is done."""


def outputs(source: Path, output: Path | None, suffix: str) -> list[tuple[Path, Path]]:
    """Which file becomes which.

    A file becomes ``output``, or ``NAME_SUFFIX.wav`` in it if it is a folder, or in the working folder; a folder
    becomes the folder ``output`` with the same tree. Two files that differ in their suffix alone keep it in
    their names.

    Raises:
        VqsynthError: nothing is there, or no audio.
        UsageError: ``output`` cannot be what it would have to be.
    """
    files = find_audio(source)
    if source.is_file():
        if output is None or output.is_dir():
            output = (output or Path()) / f"{source.stem}_{suffix}.wav"
        return [(source, output)]
    folder = output or Path(f"{source.resolve().name}_{suffix}")
    if folder.is_file() or folder.suffix.lower() in (".wav", ".flac"):
        raise UsageError(f"{source} is a folder, so this must be one too", field="output", value=folder)
    if folder.resolve().is_relative_to(source.resolve()):
        raise UsageError(
            f"lies within {source}, which would be transferred again; choose another folder",
            field="output",
            value=folder,
        )
    stems = [path.with_suffix("") for path in files]
    names = [p.name if stems.count(stem) > 1 else p.stem for p, stem in zip(files, stems)]
    return [(p, folder / p.relative_to(source).parent / f"{name}.wav") for p, name in zip(files, names)]


def each(
    source: Path, jobs: Sequence[tuple[Path, Path]], display: Display, work: Callable[[Path, Path], Result]
) -> tuple[list[Result], list[Path]]:
    """Do ``work(file, its output)`` for every job; whoever writes makes the folders.

    A file of a folder that fails, however it fails, is reported and the others are done; a single file raises.

    Args:
        source: the file or folder that the jobs came from.
        jobs: files and what they become.
        display: told of every file.
        work: done for each.

    Returns:
        What the work returned, and the files that failed.
    """
    done, failed = [], []
    for number, (path, target) in enumerate(jobs, 1):
        display.file(path.name, number, len(jobs))
        try:
            done.append(work(path, target))
        except Exception as error:
            if not source.is_dir():
                raise
            warn(_sentence(path, error))
            failed.append(path)
    return done, failed


def _sentence(path: Path, error: Exception) -> str:
    """What became of a file, in a sentence that names it."""
    if isinstance(error, VqsynthError):
        text = str(error)
        return text if str(path) in text else f"{path}: {text}"
    if isinstance(error, MemoryError):
        return f"{path}: does not fit into memory; cut it into shorter files"
    return f"{path}: could not be used ({type(error).__name__}: {error}); look whether the file is damaged"
