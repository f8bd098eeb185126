"""``vqsynth transfer``, ``encode`` and ``decode``."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from vqsynth.cli.text import echo


class Pitch(str, Enum):
    track = "track"
    codes = "codes"


class Fit(str, Enum):
    timbre = "timbre"
    sound = "sound"


class Bits(str, Enum):
    sixteen = "16"
    twentyfour = "24"
    float32 = "32f"


SOURCE = Annotated[Path, typer.Argument(metavar="IN", help="an audio file, or a folder of them")]
TIMBRE = Annotated[str, typer.Option("--timbre", "-t", help="a timbre's name, or the path of its folder")]
PITCH = Annotated[
    Pitch,
    typer.Option(help="track: keep the melody, moved by octaves into the timbre's range; codes: as the codes have it"),
]
OCTAVES = Annotated[
    int | None, typer.Option(help="move the melody by this many octaves instead of the best", min=-6, max=6)
]
GAIN = Annotated[float, typer.Option(help="added to the level, in dB")]
SEED = Annotated[int, typer.Option(help="of the noise")]
BITS = Annotated[Bits, typer.Option(help="sample format; FLAC has 16 and 24")]


def transfer(
    source: SOURCE,
    timbre: TIMBRE,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="file or folder (default: IN_TIMBRE.wav, or the folder IN_TIMBRE)"),
    ] = None,
    pitch: PITCH = Pitch.track,
    octaves: OCTAVES = None,
    gain: GAIN = 0.0,
    seed: SEED = 0,
    bits: BITS = Bits.sixteen,
    figure: Annotated[bool, typer.Option("--figure", help="also draw the spectrograms of both, OUT.png")] = False,
) -> None:
    """Play any sound in a timbre; a folder gives a mirrored folder."""
    import vqsynth
    from vqsynth.cli.file_progress import FileProgress

    with FileProgress() as display:
        done, failed = vqsynth.load(timbre).transfer(
            source,
            output,
            display=display,
            figure=figure,
            pitch=pitch.value,
            octaves=octaves,
            gain_db=gain,
            seed=seed,
            bits=bits.value,
        )
    for result in done:
        octave = f", moved {result.octaves:+d} octaves" if result.octaves else ""
        bend = f", bent by {result.bend_cents:.0f} cents" if result.pitch == "track" else ""
        echo(f"{result.output}: {result.seconds:.1f} s, {result.voiced:.0%} voiced{octave}{bend}")
    if failed:
        raise typer.Exit(1)


def encode(
    source: Annotated[Path, typer.Argument(metavar="IN", help="an audio file")],
    timbre: TIMBRE,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="file of codes (default: IN.npz)")] = None,
    pitch: PITCH = Pitch.track,
    octaves: OCTAVES = None,
    fit: Annotated[
        Fit,
        typer.Option(
            help="timbre: as the encoder hears it; sound: what sounds most like it, and its colour kept, "
            "for recordings of the timbre's own kind"
        ),
    ] = Fit.timbre,
) -> None:
    """Encode a sound to a timbre's codes, with its loudness and pitch (.npz)."""
    import vqsynth
    from vqsynth.cli.file_progress import FileProgress

    output = output or Path(f"{source.stem}.npz")
    loaded = vqsynth.load(timbre)
    with FileProgress() as display:
        display.file(source.name)
        sequence, moved = loaded.encode(
            source, output, pitch=pitch.value, octaves=octaves, fit=fit.value, progress=display.part
        )
    used = len(set(sequence.codes.tolist()))
    octave = f", moved {moved:+d} octaves" if moved else ""
    echo(f"{output}: {len(sequence)} frames, {used} different codes of {loaded.name}{octave}")


def decode(
    codes: Annotated[
        Path, typer.Argument(metavar="CODES.npz", help="codes from `vqsynth encode` or `vqsynth render --codes`")
    ],
    timbre: Annotated[
        str | None, typer.Option("--timbre", "-t", help="(default: the timbre they were made with)")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="WAV or FLAC file (default: CODES.wav)")] = None,
    pitch: Annotated[
        Pitch, typer.Option(help="track: bend to the pitch in the file; codes: leave it to the codes")
    ] = Pitch.track,
    gain: GAIN = 0.0,
    seed: SEED = 0,
    bits: BITS = Bits.sixteen,
    force: Annotated[bool, typer.Option("--force", help="accept codes of another timbre")] = False,
) -> None:
    """Turn codes back into sound."""
    import vqsynth
    from vqsynth.cli.file_progress import FileProgress
    from vqsynth.render.code_file import timbre_of

    output = output or Path(f"{codes.stem}.wav")
    loaded = vqsynth.load(timbre or timbre_of(codes))
    with FileProgress() as display:
        display.file(codes.name)
        _, report = loaded.decode(
            codes,
            output,
            pitch=pitch.value,
            gain_db=gain,
            seed=seed,
            bits=bits.value,
            force=force,
            progress=display.part,
        )
    echo(f"{output}: {report['seconds']:.1f} s of {loaded.name}")
