"""Transfer of one file or a whole folder, with the folder's tree kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vqsynth.audio_out import check_output
from vqsynth.mirror import Display, each, outputs
from vqsynth.synthesis.transfer import Transferred, transfer

if TYPE_CHECKING:
    from vqsynth.codebook.folder import Timbre


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

    def work(path: Path, target: Path) -> Transferred:
        done = transfer(path, timbre, target, progress=display.part, **options)
        if figure:
            from vqsynth.synthesis.pair_figure import draw_pair

            draw_pair(path, target, target.with_suffix(".png"), timbre.config)
        return done

    jobs = outputs(source, output, timbre.name)
    for _, target in jobs[:1]:
        if source.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
        check_output(target, options.get("bits", "16"))
    return each(source, jobs, display, work)
