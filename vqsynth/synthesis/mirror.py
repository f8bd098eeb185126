"""Transfer of one file or a whole folder, with the folder's tree kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from vqsynth.corpus.files import find_audio
from vqsynth.errors import UsageError, VqsynthError, warn
from vqsynth.audio_out import check_output
from vqsynth.synthesis.transfer import Transferred, transfer

if TYPE_CHECKING:
    from vqsynth.codebook.folder import Timbre


class Display(Protocol):
    """Told of each file and how far it is."""

    def file(self, name: str, number: int = 1, total: int = 1) -> None: ...

    def part(self, task: str, share: float) -> None: ...


def outputs(source: Path, output: Path | None, timbre: str) -> list[tuple[Path, Path]]:
    """Which file becomes which.

    A file becomes ``output``, or ``NAME_TIMBRE.wav`` in it if it is a folder, or in the working folder; a folder
    becomes the folder ``output`` with the same tree. Two files that differ in their suffix alone keep it in
    their names.

    Raises:
        VqsynthError: nothing is there, or no audio. UsageError: ``output`` cannot be what it would have to be.
    """
    files = find_audio(source)
    if source.is_file():
        if output is None or output.is_dir():
            output = (output or Path()) / f"{source.stem}_{timbre}.wav"
        return [(source, output)]
    folder = output or Path(f"{source.resolve().name}_{timbre}")
    if folder.is_file() or folder.suffix.lower() in (".wav", ".flac"):
        raise UsageError(f"--output {folder}: {source} is a folder, so the output must be one too")
    if folder.resolve().is_relative_to(source.resolve()):
        raise UsageError(f"--output {folder}: lies within {source}, which would be transferred again; choose another folder")
    stems = [path.with_suffix("") for path in files]
    names = [p.name if stems.count(stem) > 1 else p.stem for p, stem in zip(files, stems)]
    return [(p, folder / p.relative_to(source).parent / f"{name}.wav") for p, name in zip(files, names)]


def transfer_all(
    source: Path, timbre: Timbre, output: Path | None, display: Display, figure: bool = False, **options: Any
) -> tuple[list[Transferred], list[Path]]:
    """Transfer a file, or all audio below a folder.

    A file that cannot be used is reported and the others are done; a single file raises.

    Args:
        options: as for :func:`vqsynth.synthesis.transfer.transfer`.

    Returns:
        What was done, and the files that failed.
    """
    jobs = outputs(source, output, timbre.name)
    for _, target in jobs[:1]:
        if source.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
        check_output(target, options.get("bits", "16"))
    done, failed = [], []
    for number, (path, target) in enumerate(jobs, 1):
        display.file(path.name, number, len(jobs))
        try:
            if source.is_dir():
                target.parent.mkdir(parents=True, exist_ok=True)
            done.append(transfer(path, timbre, target, progress=display.part, **options))
            if figure:
                from vqsynth.synthesis.pair_figure import draw_pair

                draw_pair(path, target, target.with_suffix(".png"), timbre.config)
        except VqsynthError as error:
            if source.is_file():
                raise
            warn(str(error))
            failed.append(path)
    return done, failed
