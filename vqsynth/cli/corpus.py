"""``vqsynth corpus``: fetch public recordings, check a folder before training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vqsynth.cli.text import Command, echo, markup, printable

if TYPE_CHECKING:
    from vqsynth.corpus.check import FileReport
    from vqsynth.corpus.summary import Summary

corpus_app = typer.Typer(no_args_is_help=True, help="Recordings to train on: fetch public ones, check your own.")

_COLOURS = {"used": "green", "varied": "cyan", "left out": "red"}


@corpus_app.command(cls=Command)
def fetch(
    name: Annotated[
        str | None, typer.Argument(help="the pack, such as violin; without it the packs are listed")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--folder", "-o", help="where to put it (default recordings/NAME)")
    ] = None,
    seed: Annotated[int, typer.Option(help="for synthesised packs")] = 0,
) -> None:
    """Bring a public sample pack into a folder, with its licence."""
    if name is None:
        _list_packs()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from vqsynth.corpus import files, packs

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(markup(name), total=1.0)
        target = packs.fetch(
            name, folder, lambda text, part: bar.update(task, description=markup(text), completed=part), seed
        )
    sources = packs.read_sources(target)
    seconds = sum(source["seconds"] for source in sources)
    echo(f"{target}: {len(files.find_audio(target))} files, {seconds:.0f} s")
    for source in sources:
        kind = "recorded" if source["real"] else "synthesised"
        echo(f"{source['package']} {source['version']}: {source['seconds']:.0f} s, {kind}, {source['licence']}")
        echo(f"credit: {source['credit']}")
    echo(f"next: vqsynth corpus check {target}")


@corpus_app.command(cls=Command)
def check(
    folder: Annotated[Path, typer.Argument(help="a folder with recordings, or one file")],
    csv: Annotated[Path | None, typer.Option(help="write a row per file here")] = None,
    jobs: Annotated[int, typer.Option(help="processes; -1 uses every core")] = 1,
    sample_rate: Annotated[int, typer.Option(help="the rate that training would use, in Hz")] = 44100,
) -> None:
    """Read every file and say what training would do with it; nothing is changed."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from vqsynth.corpus.check import check as check_folder
    from vqsynth.corpus.summary import summarise, write_csv

    columns = (TextColumn("reading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)
        reports = check_folder(
            folder, sample_rate, jobs, lambda done, total: bar.update(task, completed=done, total=total)
        )
    summary = summarise(reports, sample_rate)
    if csv is not None:
        write_csv(csv, reports)
    _print_reports(folder, reports, summary)
    if csv is not None:
        echo(f"written: {csv}")
    if not summary.seconds_kept:
        raise typer.Exit(1)


def _print_reports(folder: Path, reports: list[FileReport], summary: Summary) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from vqsynth.corpus.check import ONE_NOTE
    from vqsynth.dsp.notes import note_name

    table = Table(title=markup(folder), title_justify="left", box=None, pad_edge=False)
    for title in ("file", "s", "Hz", "ch", "clip %", "silent %", "dB", "pitch", "decision"):
        left = title in ("file", "pitch", "decision")
        table.add_column(title, justify="left" if left else "right", no_wrap=not left, overflow="fold")
    for r in reports:
        name = r.path.relative_to(folder) if folder.is_dir() else r.path.name
        pitch = note_name(r.note or r.pitch_low) if r.pitch_low else ""
        if r.pitch_low and r.pitch_high and not r.note:
            pitch += f" to {note_name(r.pitch_high)}"
        opened, read = r.sample_rate > 0, r.fingerprint != ""
        table.add_row(
            Text(printable(name)),
            f"{r.seconds:.2f}" if opened else "",
            f"{r.sample_rate}" if opened else "",
            f"{r.channels}" if opened else "",
            f"{100 * r.clipped:.1f}" if read else "",
            f"{100 * r.silence:.0f}" if read else "",
            "" if r.level is None else f"{r.level:.1f}",
            pitch,
            Text(r.decision, style=_COLOURS[r.decision]),
        )
    console = Console()
    console.print(table)
    for r in reports:
        if r.reason and r.reason != ONE_NOTE:
            name = r.path.relative_to(folder) if folder.is_dir() else r.path.name
            console.print(Text(printable(f"{r.decision}: {name}: {r.reason}")), soft_wrap=True)
    counts = ", ".join(f"{count} {decision}" for decision, count in summary.counts.items())
    echo(f"{len(reports)} files: {counts}")
    if summary.counts["varied"]:
        echo("varied: one sustained note, which training moves in pitch and level and joins to others")
    echo(
        f"{summary.seconds:.1f} s in all, {summary.seconds_kept:.1f} s for training, "
        f"{summary.seconds_sounding:.1f} s of it sounding"
    )
    if summary.pitch_range:
        low, high = summary.pitch_range
        echo(f"pitch {note_name(low)} to {note_name(high)} ({low:.0f} to {high:.0f} Hz)")
    for line in summary.advice:
        echo(f"- {line}")


def _list_packs() -> None:
    from rich.console import Console
    from rich.table import Table

    from vqsynth.corpus.packs import packs

    table = Table()
    for title in ("pack", "what", "licence", "package"):
        table.add_column(title, overflow="fold")
    for pack in packs().values():
        kind = "" if pack.real else " (synthesised)"
        table.add_row(pack.name, markup(pack.about + kind), pack.licence, f"{pack.package} {pack.version}".strip())
    Console().print(table)
