"""Transfer of one file or a whole folder, with the folder's tree kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vqsynth.corpus.mirror import Display, each, outputs
from vqsynth.render.transfer import Transferred, transfer
from vqsynth.storage.sound_file import check_output

if TYPE_CHECKING:
    from vqsynth.library.timbre import Timbre


def transfer_all(
    source: Path, timbre: Timbre, output: Path | None, display: Display, figure: bool = False, **options: Any
) -> tuple[list[Transferred], list[Path]]:
    """Transfer a file, or all audio below a folder.

    A file that cannot be used is reported and the others are done; a single file raises.

    Args:
        options: as for :func:`vqsynth.render.transfer.transfer`.

    Returns:
        What was done, and the files that failed.
    """

    def work(path: Path, target: Path) -> Transferred:
        done = transfer(path, timbre, target, progress=display.part, **options)
        if figure:
            from vqsynth.figures.pair import draw_pair

            config = timbre.config
            draw_pair(path, target, target.with_suffix(".png"), config.sample_rate, config.n_fft, config.hop_length)
        return done

    jobs = outputs(source, output, timbre.name)
    for _, target in jobs[:1]:
        if source.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
        check_output(target, options.get("bits", "16"))
    return each(source, jobs, display, work)
