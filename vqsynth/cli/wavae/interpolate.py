"""``vqsynth wavae interpolate``."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from vqsynth.cli.text import echo
from vqsynth.cli.transfer import BITS, GAIN, SEED, Bits


class Level(str, Enum):
    match = "match"
    raw = "raw"


class Pitch(str, Enum):
    glide = "glide"
    free = "free"


MODEL = Annotated[
    str, typer.Option("--model", "-m", metavar="NAME", help="a wavae model's name, or the path of its folder")
]
LEVEL = Annotated[
    Level,
    typer.Option(help="match: bring the loudest moment to the level that the model was trained at; raw: leave it"),
]


def interpolate(
    sounds: Annotated[list[Path], typer.Argument(metavar="A B [C D]", help="two audio files, or four for the plane")],
    model: MODEL,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="OUT.wav", help=".wav or .flac (default: A_to_B.wav)")
    ] = None,
    curve: Annotated[
        str | None,
        typer.Option(
            metavar="TARGET",
            help="weight of B instead of n/N: sin log exp walk (-line from B to A), 0.5, a .csv of time,value in 0..1",
        ),
    ] = None,
    plane: Annotated[
        str | None, typer.Option(metavar="X,Y", help="a point among four sounds: A 0,0  B 1,0  C 0,1  D 1,1")
    ] = None,
    path: Annotated[
        Path | None,
        typer.Option(metavar="PLANE.csv", help="a way among four sounds: rows of time,x,y (s, 0..1, 0..1)"),
    ] = None,
    length: Annotated[
        str,
        typer.Option(
            metavar="RULE",
            help="longest: stretch the shorter ones; shortest: cut the longer ones; "
            "or seconds, to which all are stretched",
        ),
    ] = "longest",
    level: LEVEL = Level.match,
    pitch: Annotated[
        Pitch,
        typer.Option(
            help="glide: pitches of single voices are mixed in octaves, chords have none; free: by the latents"
        ),
    ] = Pitch.glide,
    gain: GAIN = 0.0,
    seed: SEED = 0,
    bits: BITS = Bits.sixteen,
    figure: Annotated[
        bool, typer.Option("--figure/--no-figure", help="draw OUT.png: the sounds and their interpolation")
    ] = True,
    demo: Annotated[
        bool, typer.Option("--demo", help="also write OUT_demo.wav: A, B and the interpolation in order")
    ] = False,
) -> None:
    """Go from one sound to another, z = z_a (1 - n/N) + z_b n/N at frame n of N, or move among four.

    vqsynth wavae interpolate A.wav B.wav --model strings -o AtoB.wav --demo

    vqsynth wavae interpolate A.wav B.wav --model strings --curve sin:3 --length 12

    vqsynth wavae interpolate A.wav B.wav C.wav D.wav --model strings --plane 0.5,0.25
    """
    from vqsynth import wavae
    from vqsynth.cli.file_progress import FileProgress

    if output is None:
        output = Path("_to_".join(sound.stem for sound in sounds) + ".wav") if len(sounds) == 2 else Path("plane.wav")
    with FileProgress("encoding", "decoding") as display:
        display.file(output.name)
        done = wavae.interpolate(
            sounds,
            wavae.load(model),
            output,
            curve=curve,
            point=plane,
            trajectory=path,
            length=length,
            level=level.value,
            pitch=pitch.value,
            gain_db=gain,
            seed=seed,
            bits=bits.value,
            figure=figure,
            demo=demo,
            progress=display.part,
        )
    echo(f"{', '.join(map(str, done.files))}: {done.seconds:.1f} s, {done.frames} frames")
