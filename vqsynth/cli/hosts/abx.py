"""``vqsynth abx``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vqsynth.cli.text import echo


def abx(
    sounds: Annotated[list[Path], typer.Argument(help="two files or more; the first is the reference")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.html", help="the page")],
    trials: Annotated[int, typer.Option(help="ABX trials of each pair")] = 16,
    seed: Annotated[
        int | None, typer.Option(help="of the order (default: another at every visit, written into the results)")
    ] = None,
    start: Annotated[float, typer.Option(help="where the part that is heard begins, in seconds")] = 0.0,
    duration: Annotated[
        float | None, typer.Option("--duration", "-d", help="its length in seconds (default: that of the shortest)")
    ] = None,
    match: Annotated[
        bool,
        typer.Option("--match/--no-match", help="make all equally loud (ITU-R BS.1770); or leave them as they are"),
    ] = True,
    anchors: Annotated[
        bool, typer.Option(help="have the reference low-passed at 3.5 and 7 kHz rated, too (ITU-R BS.1534)")
    ] = True,
    title: Annotated[str | None, typer.Option(help="of the page")] = None,
) -> None:
    """Write a blind listening test as one page: ABX and rating, results as CSV; it needs no network.

    vqsynth abx recording.wav render.wav -o test.html

    vqsynth abx recording.wav one.wav two.wav --duration 8 --trials 12 -o test.html
    """
    from vqsynth.listening.write import listening_test

    made = listening_test(sounds, output, trials, seed, start, duration, match, anchors, title)
    rate, level = made["sample_rate"], made["level"]
    echo(f"{output}: {made['bytes'] / 1e6:.1f} MB, {made['seconds']:.2f} s of each sound at {rate} Hz")
    echo("levels as they are" if level is None else f"all at {level:.1f} LUFS")
    for number, sound in enumerate(made["sounds"]):
        role = "reference" if number == 0 else f"{trials} trials against the reference"
        resampled = "" if sound["own_rate"] == rate else f", resampled from {sound['own_rate']} Hz"
        echo(f"  {sound['name']}: {role}, {sound['gain_db']:+.1f} dB{resampled}")
