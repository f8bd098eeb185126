"""``vqsynth render``."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from vqsynth.cli.text import echo, markup
from vqsynth.cli.transfer import BITS, Bits


class Matcher(str, Enum):
    auto = "auto"
    played = "played"
    path = "path"
    nearest = "nearest"


class Articulation(str, Enum):
    auto = "auto"
    legato = "legato"
    detached = "detached"


def render(
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="a timbre's name, or the path of its folder")
    ] = "violin",
    descriptor: Annotated[
        list[str] | None,
        typer.Option(
            "--descriptor",
            "-d",
            help="centroid, f0, bandwidth, rolloff, flatness or loudness; several times, each with a --target "
            "(default: centroid)",
        ),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            "-t",
            help="sin log exp arch line constant steps walk (sin:3 three periods, -line falling), A4, 440, a .csv, "
            ".mid or audio file",
        ),
    ] = None,
    range_: Annotated[
        list[str] | None,
        typer.Option(
            "--range",
            "-r",
            help="500:3000, A3:A4, or percentiles of the codes, p10:p90 (default); with several, f0=A3:A4",
        ),
    ] = None,
    weight: Annotated[
        list[str] | None, typer.Option("--weight", "-w", help="of a descriptor against the others: 2, or f0=2")
    ] = None,
    periods: Annotated[float | None, typer.Option(help="of shapes that do not say their own")] = None,
    duration: Annotated[float | None, typer.Option(help="seconds (default: the target's own, or 24)")] = None,
    gain: Annotated[
        str | None, typer.Option(help="dB (0 is -20 LUFS), or a curve: swell, line, a .csv, .mid or audio file")
    ] = None,
    gain_range: Annotated[str | None, typer.Option(help="of a gain curve, in dB: -30:0")] = None,
    matcher: Annotated[
        Matcher,
        typer.Option(
            help="played: runs of real playing (auto, where the timbre has them); path: smoothest sequence of codes; "
            "nearest: frame by frame, the original method"
        ),
    ] = Matcher.auto,
    life: Annotated[
        float,
        typer.Option(
            help="0 to 1: how much of the recordings' own movement goes around the curve; at 0 nothing else moves"
        ),
    ] = 1.0,
    take: Annotated[int, typer.Option(min=0, help="another number plays other runs along the same curve")] = 0,
    articulation: Annotated[
        Articulation,
        typer.Option(help="auto: as the notes are written, long tones bowed or breathed again; legato; detached"),
    ] = Articulation.auto,
    voices: Annotated[
        str, typer.Option(help="of the chords in a .mid file: auto, as many as notes sound at once; or at most N")
    ] = "auto",
    voice_target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="N:DESCRIPTOR=TARGET",
            help="of one voice instead of all, highest first: 2:centroid=arch, with a range 2:centroid=arch@800:2500",
        ),
    ] = None,
    stems: Annotated[bool, typer.Option("--stems", help="also write every voice: OUT_1.wav, OUT_2.wav ...")] = False,
    attack: Annotated[
        float | None, typer.Option(help="seconds of an attack (default: those of the recordings)")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="a recording that must not be played; several times")
    ] = None,
    only: Annotated[
        Path | None,
        typer.Option(
            help="a .csv with a column `unit`: play around these units alone (the playground's map writes it)"
        ),
    ] = None,
    sources: Annotated[
        Path | None, typer.Option(help="write what was played when to this .csv: recording, second, licence")
    ] = None,
    refine: Annotated[
        int | None,
        typer.Option(
            min=0, help="rounds of trims: 0 none, 1 by expectation, more listen and correct (default: 2; nearest: 0)"
        ),
    ] = None,
    bend: Annotated[bool, typer.Option("--bend/--no-bend", help="trims may bend the pitch, by up to 100 cents")] = True,
    tilt: Annotated[
        bool, typer.Option("--tilt/--no-tilt", help="trims may tilt the spectrum, by up to 6 dB an octave")
    ] = True,
    hold: Annotated[
        str, typer.Option(help="pitch to hold when f0 is not asked for: auto, none, a note or Hz")
    ] = "auto",
    clamp: Annotated[
        bool, typer.Option("--clamp", help="cut targets that are out of reach instead of refusing them")
    ] = False,
    seed: Annotated[int, typer.Option(help="of the noise and of walks")] = 0,
    codes: Annotated[
        Path | None, typer.Option(help="play the codes of this .npz; if it does not exist, write them to it")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help=".wav or .flac (default: NAME_DESCRIPTOR_TARGET.wav)")
    ] = None,
    bits: BITS = Bits.sixteen,
    figure: Annotated[bool, typer.Option("--figure/--no-figure", help="draw OUT.png")] = True,
) -> None:
    """Make a timbre follow curves: OUT.wav, and beside it OUT.png, OUT.csv and OUT.json."""
    import vqsynth
    from vqsynth.control.request import Request, pair, parse_voice_target

    own: dict[int, list[Request]] = {}
    for number, request in map(parse_voice_target, voice_target or []):
        own.setdefault(number, []).append(request)
    requests = pair(descriptor or [], target or [], range_ or [], weight or [])
    given = codes if codes is not None and codes.exists() else None
    if output is None:
        words = [requests[0].descriptor, str(requests[0].target)] if requests else [str(codes or "codes")]
        output = default_output(name, words)
    with Bar() as bar:
        _, report = vqsynth.load(name).render(
            targets=requests,
            duration=duration,
            gain=gain,
            gain_range=gain_range,
            periods=periods,
            matcher=matcher.value,
            life=life,
            take=take,
            articulation=articulation.value,
            attack=attack,
            voices=int(voices) if voices.isdecimal() else voices,  # type: ignore[arg-type]
            voice_targets=own,
            stems=stems,
            without=without or (),
            only=only,
            sources=sources,
            refine=refine,
            bend=bend,
            tilt=tilt,
            hold=hold,
            clamp=clamp,
            seed=seed,
            bits=bits.value,
            codes=given,
            keep_codes=codes if given is None else None,
            output=output,
            figure=figure,
            progress=bar.update,
        )
    show(report, output, figure)


def default_output(name: str, words: list[str]) -> Path:
    """``violin_centroid_sin.wav`` in the working folder; of paths, the names without suffix."""
    stems = [Path(word).stem if Path(word).suffix[1:2].isalpha() else Path(word).name for word in (name, *words)]
    return Path("_".join(re.sub(r"[^\w.+#-]+", "-", stem)[:40] for stem in stems) + ".wav")


class Bar:
    """A bar that goes away when the render is done."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("loading", total=1.0)

    def __enter__(self) -> Bar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def update(self, task: str, share: float) -> None:
        """``share`` of a task is done."""
        self._bar.update(self._task, description=markup(task), completed=share)


def show(report: dict[str, Any], output: Path, figure: bool) -> None:
    """Print what was asked, in which range, how well it came out, and where it is."""
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for title in ("descriptor", "target", "range", "in reach", "r", "median error", "voiced"):
        table.add_column(title, justify="left" if title in ("descriptor", "target") else "right")
    played = any("played" in voice for voice in report.get("voices", [report]))
    for name, result in report["descriptors"].items():
        asked = (
            f"{result['low']:.5g}"
            if result["low"] == result["high"]
            else f"{result['low']:.5g} to {result['high']:.5g}"
        )
        if result["range"].startswith("p") and ":" in result["range"]:
            asked += f" ({result['range']})"
        # A player moves around the curve: what was asked for is met on the half-second mean.
        result = {**result, **result["mean"]} if played else result
        pearson = "" if result["pearson"] is None else f"{result['pearson']:.4f}"
        voiced = f"{result['voiced_fraction']:.1%}" if "voiced_fraction" in result else ""
        title = f"{name} ({result['unit']})" if result["unit"] else name
        table.add_row(
            markup(title),
            markup(result["target"]),
            asked,
            f"{result['reach_low']:.5g} to {result['reach_high']:.5g}",
            pearson,
            _error(result),
            voiced,
        )
    console = Console()
    if not console.is_terminal:
        console = Console(width=140)
    if table.rows:
        console.print(table)
    for voice in report.get("voices", [report]):
        _facts(voice)
    suffixes = [".png", ".csv", ".json"] if figure else [".csv", ".json"]
    echo(f"{output}, {', '.join(suffixes)}")


def _facts(report: dict[str, Any]) -> None:
    """Print what a render, or a voice of one, was made of."""
    if "voice" in report:
        stem = f", {report['stem']}" if report["stem"] else ""
        echo(f"voice {report['voice']}: {report['notes']} notes, {report['lowest']} to {report['highest']}{stem}")
    trims, rough = report["trims"], report["roughness"]
    ratio = "" if rough["ratio"] is None else f" ({rough['ratio']:.2f} of real playing)"
    echo(
        f"trims used: {trims['mean_tilt_db_per_octave']:.2f} dB/octave, "
        f"{trims['mean_bend_cents']:.1f} cents on average; "
        f"roughness {rough['value']:.3f}{ratio}"
    )
    if "played" in report:
        played = report["played"]
        echo(
            f"played: {played['runs']} runs of {played['mean_run_seconds']:.1f} s "
            f"from {played['recordings']} recordings, {played['strokes']} strokes; "
            "agreement is that of half-second means"
        )


def _error(result: dict[str, Any]) -> str:
    """The error in the way that suits the descriptor."""
    if result.get("median_cents") is not None:
        return f"{result['median_cents']:.1f} cents"
    if result.get("median_error_db") is not None:
        return f"{result['median_error_db']:.2f} dB"
    if result.get("median_relative_error") is not None:
        return f"{result['median_relative_error']:.2%}"
    return "not measurable"
