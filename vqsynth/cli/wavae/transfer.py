"""``vqsynth wavae transfer``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vqsynth.cli.text import echo
from vqsynth.cli.transfer import BITS, GAIN, OCTAVES, SEED, SOURCE, Bits
from vqsynth.cli.wavae.interpolate import LEVEL, Level


def transfer(
    source: SOURCE,
    to: Annotated[
        list[str],
        typer.Option("--to", "-t", metavar="NAME", help="a wavae model's name or folder; several times for several"),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="(default: the working folder; of a folder IN, the folder IN_transfer)",
        ),
    ] = None,
    adapt: Annotated[
        float,
        typer.Option(
            metavar="0..1", help="move the sound to what the model's recordings have: 0 as it is, 1 all the way"
        ),
    ] = 1.0,
    pitch: Annotated[
        str,
        typer.Option(
            metavar="track|free|CURVE",
            help="track: sing the sound's own melody, moved by octaves into the model's range; free: what the model "
            "makes of it; or a melody: A4, 220, curve.csv, sin:3@200:400, tune.mid",
        ),
    ] = "track",
    octaves: OCTAVES = None,
    level: LEVEL = Level.match,
    gain: GAIN = 0.0,
    seed: SEED = 0,
    bits: BITS = Bits.sixteen,
    figure: Annotated[
        bool, typer.Option("--figure/--no-figure", help="draw IN_transfer.png: the original and what became of it")
    ] = True,
) -> None:
    """Play any sound through one or several models: IN_NAME.wav for each; a folder gives a mirrored folder.

    The outputs are as loud as the input, moment by moment.

    vqsynth wavae transfer cat.wav --to strings --to screams --to singing --to spoken

    vqsynth wavae transfer recordings --to strings --output out --adapt 0

    vqsynth wavae transfer voice.wav --to strings --pitch melody.csv
    """
    from vqsynth import wavae
    from vqsynth.cli.file_progress import FileProgress
    from vqsynth.wavae.effects.transfer import TASK

    domains = [wavae.load(name) for name in to]
    with FileProgress(TASK) as display:
        done, failed = wavae.transfer(
            source,
            domains,
            output,
            display,
            strength=adapt,
            pitch=pitch,
            octaves=octaves,
            level=level.value,
            gain_db=gain,
            seed=seed,
            bits=bits.value,
            figure=figure,
        )
    for result in done:
        for made in result:
            octave = f", moved {made.octaves:+d} octaves" if made.octaves else ""
            echo(
                f"{made.output}: {made.seconds:.1f} s, {made.voiced:.0%} voiced{octave}, "
                f"{made.distance:.1f} std from {made.model}"
            )
    if failed:
        raise typer.Exit(1)
