"""``vqsynth units``: what a timbre can play from its recordings; make it, add to it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from vqsynth.cli.text import Command, echo, markup

if TYPE_CHECKING:
    from vqsynth.interface.asked import Progress
    from vqsynth.interface.timbre import Timbre
    from vqsynth.units.summary import RecordingSummary


class ShowFirst(TyperGroup):
    """``vqsynth units violin`` is ``vqsynth units show violin``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


units_app = typer.Typer(
    cls=ShowFirst,
    no_args_is_help=True,
    help="Recordings that a timbre can play, frame by frame: vqsynth units NAME says what is there.",
)

NAME = Annotated[str, typer.Argument(help="a timbre's name, or the path of its folder")]
RECORDINGS = Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="folders of recordings, or single files")]


@units_app.command(cls=Command)
def show(
    name: NAME,
    recordings: Annotated[bool, typer.Option("--recordings", help="a row for each recording")] = False,
    code: Annotated[
        list[int] | None, typer.Option(help="say in which recordings, and when, this code is played; several times")
    ] = None,
) -> None:
    """Say what a timbre's units hold: recordings, notes, pitches, licences; or where a code comes from."""
    import vqsynth

    timbre = vqsynth.load(name)
    if code:
        for number in code:
            _print_places(timbre, number)
        return
    rows = timbre.played()
    if recordings:
        _print_recordings(rows)
    _print_whole(timbre, rows)


@units_app.command(cls=Command)
def build(
    name: NAME,
    recordings: RECORDINGS,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace units that are there")] = False,
) -> None:
    """Make the units of a timbre that has none, from its recordings; nothing is trained."""
    import vqsynth

    timbre = vqsynth.load(name)
    with _bar() as progress:
        timbre.build_units(*recordings, overwrite=overwrite, progress=progress)
    _print_whole(timbre, timbre.played())


@units_app.command(cls=Command)
def add(name: NAME, recordings: RECORDINGS) -> None:
    """Add recordings, hours if need be, to what a timbre can play; nothing is trained.

    Ctrl-C keeps the recordings that are done; the same command goes on from there.
    """
    import vqsynth

    timbre = vqsynth.load(name)
    with _bar() as progress:
        timbre.add_units(*recordings, progress=progress)
    _print_whole(timbre, timbre.played())


@contextlib.contextmanager
def _bar() -> Iterator[Progress]:
    from vqsynth.cli.render import Bar

    with Bar() as bar:
        yield bar.update


def _print_whole(timbre: Timbre, rows: list[RecordingSummary]) -> None:
    """Totals, and a line for each source."""
    from vqsynth.dsp.notes import note_name
    from vqsynth.library.timbre import UNITS
    from vqsynth.units.summary import total_pitch

    size = (timbre.path / UNITS).stat().st_size
    echo(
        f"{timbre.name}: {len(rows)} recordings, {length(sum(row.seconds for row in rows))}, "
        f"{sum(row.notes for row in rows)} notes, {sum(row.onsets for row in rows)} onsets, "
        f"{sum(row.releases for row in rows)} releases"
    )
    pitch = total_pitch(rows)
    if pitch is not None:
        echo(f"pitch {note_name(pitch[0])} to {note_name(pitch[1])} ({pitch[0]:.0f} to {pitch[1]:.0f} Hz)")
    sources: list[dict[str, Any]] = []
    for row in rows:
        if row.source not in sources:
            sources.append(row.source)
    for source in sources:
        here = [row for row in rows if row.source == source]
        kind = "" if source.get("real", True) else ", synthesised"
        package = " ".join(filter(None, (str(source.get("package", "")), str(source.get("version", "")))))
        echo(
            f"{package}: {len(here)} recordings, {length(sum(row.seconds for row in here))}{kind}, "
            f"licence {source.get('licence', 'not stated')}; {source.get('credit', '')}".rstrip("; ")
        )
    echo(f"{timbre.path / UNITS}: {size / 1e6:.1f} MB")


def _print_recordings(rows: list[RecordingSummary]) -> None:
    from rich.console import Console
    from rich.table import Table

    from vqsynth.dsp.notes import note_name

    table = Table(box=None, pad_edge=False)
    for title in ("recording", "s", "notes", "pitch", "licence"):
        table.add_column(title, justify="right" if title in ("s", "notes") else "left", overflow="fold")
    for row in rows:
        names = list(dict.fromkeys(map(note_name, row.pitch or ())))
        licence = str(row.source.get("licence", "not stated"))
        table.add_row(markup(row.name), f"{row.seconds:.1f}", str(row.notes), " to ".join(names), markup(licence))
    Console().print(table)


def _print_places(timbre: Timbre, code: int) -> None:
    places = timbre.places(code)
    if not places:
        echo(f"code {code}: not played in the recordings")
    for place in places:
        licence = place.source.get("licence", "not stated")
        echo(f"code {code}: {place.recording} from {place.start:.3f} to {place.end:.3f} s ({licence})")


def length(seconds: float) -> str:
    """``12.3 s``, ``4:05 min`` or ``2:04:05 h``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d} h"
