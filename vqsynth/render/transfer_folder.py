"""Transfer of one file or a whole folder, with the folder's tree kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vqsynth.control.level import check_gain
from vqsynth.control.limits import check_seed
from vqsynth.corpus.mirror import Display, Silent, each, outputs
from vqsynth.render.transfer import Transferred, transfer
from vqsynth.storage.sound_file import check_output

if TYPE_CHECKING:
    from vqsynth.library.timbre import Timbre


def transfer_all(
    source: Path,
    timbre: Timbre,
    output: Path | None = None,
    display: Display | None = None,
    figure: bool = False,
    *,
    pitch: str = "track",
    octaves: int | None = None,
    gain_db: float = 0.0,
    seed: int = 0,
    bits: str = "16",
) -> tuple[list[Transferred], list[Path]]:
    """Transfer a file, or all audio below a folder.

    A file that cannot be used is reported and the others are done; a single file raises.

    Args:
        source: an audio file, or a folder.
        timbre: what it is played in.
        output: file or folder; None takes its name from the source and the timbre.
        display: told which file is worked on, and how far it is.
        figure: also draw the spectrograms of both, beside each output.
        pitch: as for :func:`vqsynth.render.transfer.transfer`.
        octaves: likewise.
        gain_db: likewise.
        seed: likewise.
        bits: likewise.

    Returns:
        What was done, and the files that failed.

    Raises:
        UsageError: an argument is out of range.
        VqsynthError: a single file cannot be used, or an output not be written.
    """
    check_gain(gain_db)
    check_seed(seed)
    shown = display or Silent()

    def work(path: Path, target: Path) -> Transferred:
        done = transfer(path, timbre, target, pitch, octaves, gain_db, seed, bits, shown.part)
        if figure:
            from vqsynth.figures.pair import draw_pair

            config = timbre.config
            draw_pair(path, target, target.with_suffix(".png"), config.sample_rate, config.n_fft, config.hop_length)
        return done

    jobs = outputs(source, output, timbre.name)
    for _, target in jobs[:1]:
        check_output(target, bits)
    return each(source, jobs, shown, work)
