"""``vqsynth wavae encode``, ``decode`` and ``bend``: sounds to latent paths, their bending, and back."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from vqsynth.cli.text import Command, echo
from vqsynth.cli.transfer import BITS, Bits


class Pitch(str, Enum):
    track = "track"
    free = "free"


OPERATORS = "Operators, in the order in which you write them"
MODEL = Annotated[str, typer.Option("--model", "-m", metavar="NAME", help="a domain's name, or the path of its folder")]
Texts = list[str] | None
FILE = typer.Argument(metavar="PATH", help="a latent path: .npz, .csv or .txt")


def encode(
    source: Annotated[Path, typer.Argument(metavar="IN", help="an audio file")],
    model: MODEL,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PATH", help=".npz, .csv or .txt (default: IN.npz)")
    ] = None,
    pitch: Annotated[
        Pitch,
        typer.Option(help="track: the pitch of a single voice becomes a curve of its own; free: the latents hold it"),
    ] = Pitch.track,
) -> None:
    """Encode a sound to a model's latent path, with its loudness and, where the model controls it, its pitch.

    The suffix chooses the format: .npz keeps all exactly; .csv is a table for a spreadsheet (time_s, loudness_db,
    pitch_hz and voicing where the model has them, pc1, pc2 ...: coordinates along the principal axes, widest first);
    .txt holds the same as lines of a Max coll.

    Example: vqsynth wavae encode voice.wav --model strings -o z.npz
    """
    from vqsynth import wavae
    from vqsynth.wavae.paths.path_file import check_suffix

    output = output or Path(f"{source.stem}.npz")
    check_suffix(output)
    path = wavae.encode_file(source, wavae.load(model), pitch.value)
    wavae.save_path(output, path)
    echo(
        f"{output}: {len(path)} frames, {path.samples / path.sample_rate:.2f} s, "
        f"{path.z.shape[1]} dimensions of {path.domain}"
    )


def decode(
    file: Annotated[Path, FILE],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="OUT", help=".wav or .flac (default: PATH.wav)")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            help="a domain's name or folder (default: the one in the file; texts need it)",
        ),
    ] = None,
    pitch: Annotated[
        str | None,
        typer.Option(
            metavar="CURVE", help="sing another pitch than the path's: A4, 220, curve.csv, sin:3@200:400, voice.wav"
        ),
    ] = None,
    gain: Annotated[float, typer.Option(metavar="DB", help="of the finished sound, in dB")] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="of the noise")] = 0,
    bits: BITS = Bits.sixteen,
) -> None:
    """Turn a latent path into sound.

    Another model than the path's own plays the path in its own terms: a transfer.

    Example: vqsynth wavae decode z.npz -o OUT.wav
    """
    from vqsynth import wavae
    from vqsynth.storage.atomic import check_apart

    domain = wavae.load(model) if model else None
    path = wavae.load_path(file, domain)
    if pitch is not None:
        path = wavae.bend(path, [("pitch", pitch)])
    domain, output = domain or wavae.maker_of(path, file), output or Path(f"{file.stem}.wav")
    check_apart(output, file, pitch)
    audio = wavae.decode_file(path, domain, output, seed, gain, bits.value)
    echo(f"{output}: {len(audio) / path.sample_rate:.2f} s by {domain.name}, peak {abs(audio).max():.2f}")


class InOrder(Command):
    """Keeps in ``ctx.meta["order"]`` what was written in which order: (option's name, text), texts of flags empty."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        values, _, order = self.make_parser(ctx).parse_args(args=list(args))
        left = {name: iter(given) for name, given in values.items() if isinstance(given, (list, tuple))}
        ctx.meta["order"] = [
            (option.opts[0].lstrip("-"), next(left[option.name]) if option.name in left else "")
            for option in order
            if option.opts
        ]
        return super().parse_args(ctx, args)


def _operator(name: str, metavar: str, text: str, **more: Any) -> Any:
    return typer.Option(name, metavar=metavar, help=text, rich_help_panel=OPERATORS, **more)


def bend(
    context: typer.Context,
    file: Annotated[Path, FILE],
    dim: Annotated[
        Texts, _operator("--dim", "D", "dimensions of the operators that follow, until the next --dim: 0, 0,2 or all")
    ] = None,
    scale: Annotated[
        Texts,
        _operator("--scale", "F", "stretch the distance from the recordings' mean: 1 changes nothing, 0 is the mean"),
    ] = None,
    bias: Annotated[Texts, _operator("--bias", "A", "add A standard deviations")] = None,
    randomize: Annotated[
        Texts, _operator("--randomize", "A", "add smooth noise (Gaussian, below 3 Hz) of A standard deviations")
    ] = None,
    reverse: Annotated[
        int,
        _operator(
            "--reverse",
            "",
            "turn round in time; all dimensions take the loudness with them",
            count=True,
            show_default=False,
        ),
    ] = 0,
    smooth: Annotated[
        Texts, _operator("--smooth", "N", "moving average over N frames (23 ms each), without delay")
    ] = None,
    curve: Annotated[
        Texts,
        _operator(
            "--curve",
            "D=CURVE",
            "replace dimension D by a curve in standard deviations: 0=curve.csv, 0=sin:3, 0=line@-1:2",
        ),
    ] = None,
    loudness: Annotated[
        Texts,
        _operator(
            "--loudness", "CURVE", "replace the loudness by a curve in dB LUFS: curve.csv, arch@-40:-15, voice.wav, -20"
        ),
    ] = None,
    loudness_scale: Annotated[
        Texts, _operator("--loudness-scale", "F", "stretch the dynamics below the loudest frame")
    ] = None,
    loudness_offset: Annotated[Texts, _operator("--loudness-offset", "DB", "add dB to the loudness")] = None,
    pitch: Annotated[
        Texts,
        _operator(
            "--pitch",
            "CURVE",
            "replace the pitch by a curve in Hz, where the model has it: A4, 220, curve.csv, sin:3@200:400, voice.wav",
        ),
    ] = None,
    transpose: Annotated[Texts, _operator("--transpose", "SEMITONES", "move the pitch; 12 is an octave up")] = None,
    pitch_scale: Annotated[
        Texts,
        _operator(
            "--pitch-scale",
            "F",
            "stretch vibrato and melody around the mean pitch: 1 changes nothing, 0 holds the mean",
        ),
    ] = None,
    voicing: Annotated[
        Texts,
        _operator(
            "--voicing",
            "CURVE",
            "replace the voicing, 1 (sung at the pitch) to 0 (chords, noise: by the latents): 1, line, curve.csv",
        ),
    ] = None,
    centroid: Annotated[
        Texts, _operator("--centroid", "CURVE", "replace the centroid by a curve in Hz, where the model controls it")
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="dimensions are the model's own latents, not the principal axes")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="of --randomize; a path's second one takes the next number")] = 0,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", metavar="NAME", help="the domain of a .csv or .txt, which do not say it"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="OUT", help=".npz, .csv or .txt (default: PATH_bent.npz)"),
    ] = None,
) -> None:
    """Bend a latent path: operators act one after the other, in the order in which they are written.

    Dimensions are numbered from 0, widest first. An operator acts on those of the latest --dim before it; operators
    before the first --dim take that first one's; without any --dim all dimensions are meant. D=VALUE names its own
    dimension: --bias 2=0.3.

    A shape (sin log exp arch line steps walk) fills the path and runs from -2 to 2 standard deviations, from -40 to
    -15 LUFS, or from 220 to 440 Hz; @LO:HI behind it is another range. A CSV of time,value counts in seconds.

    Without operators the path is only written again, in the format of the suffix. PATH is read whole first, so OUT may
    replace it.

    Examples:

    vqsynth wavae bend z.npz --dim 0 --scale 2 --dim 1,2 --smooth 9 --bias -0.5 -o bent.npz

    vqsynth wavae bend z.npz --randomize 0.2 --seed 3 --curve 0=sin:3@-1:1 --loudness arch -o bent.npz

    vqsynth wavae bend z.npz --transpose -5 --pitch-scale 1.5 -o bent.npz
    """
    from vqsynth import wavae
    from vqsynth.wavae.paths.operator_line import NAMES
    from vqsynth.wavae.paths.path_file import check_suffix

    output = output or Path(f"{file.stem}_bent.npz")
    check_suffix(output)
    steps = [step for step in context.meta["order"] if step[0] in NAMES]
    path = wavae.load_path(file, wavae.load(model) if model else None)
    bent = wavae.bend(path, steps, raw, seed)
    wavae.save_path(output, bent)
    echo(
        f"{output}: {len(bent)} frames of {bent.domain}, "
        f"{'; '.join(bent.operations[len(path.operations) :]) or 'not bent'}"
    )
