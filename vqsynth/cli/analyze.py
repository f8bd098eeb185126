"""``vqsynth analyze``: measure what every code of a timbre sounds like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vqsynth.cli.text import echo, markup

if TYPE_CHECKING:
    from rich.table import Table as Grid

    from vqsynth.library.table import Table


def analyze(
    name: Annotated[str, typer.Argument(help="timbre, by name or by its folder")],
    descriptor: Annotated[
        list[str] | None,
        typer.Option("--descriptor", "-d", help="measure only these (repeat the option); all by default"),
    ] = None,
    seconds: Annotated[float, typer.Option(help="length of sound that is measured of each code")] = 0.3,
    seed: Annotated[int, typer.Option(help="of the noise in the sound", min=0)] = 0,
) -> None:
    """Decode every code alone, measure its sound, write table, index and figures into the timbre's folder."""
    import time

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    import vqsynth
    from vqsynth import descriptors

    for wanted in descriptor or ():
        descriptors.get(wanted)  # refused before the model is loaded
    timbre = vqsynth.load(name)
    columns = (TextColumn("analyzing"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    start = time.perf_counter()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("analyzing", total=1.0)
        table = timbre.analyze(
            descriptor or None,
            seconds=seconds,
            seed=seed,
            progress=lambda share: bar.update(task, completed=share),
        )
    console = Console()
    # Columns keep their width when the output is a pipe.
    (console if console.is_terminal else Console(width=120)).print(
        summary(table, f"{markup(timbre.name)}: {table.K} codes")
    )
    echo(f"{time.perf_counter() - start:.1f} s; written: {timbre.path}: descriptors.csv, index.faiss, figures/")


def summary(table: Table, title: str) -> Grid:
    """The reach of every descriptor as a rich table."""
    import numpy as np
    from rich.table import Table as Grid

    from vqsynth import descriptors

    grid = Grid(title=title, title_justify="left")
    grid.add_column("descriptor", no_wrap=True)
    for heading in ("min", "p10", "median", "p90", "max", "codes", "voiced"):
        grid.add_column(heading, justify="right", no_wrap=True)
    for name in table.names:
        known = np.isfinite(table.column(name))
        unit = f" ({descriptors.get(name).unit})" if name in descriptors.names() else ""
        cells = (
            [f"{v:.0f}" if abs(v) >= 1000 else f"{v:.4g}" for v in table.percentile(name, [0, 10, 50, 90, 100])]
            if known.any()
            else ["-"] * 5
        )
        voiced = f"{np.mean(table.voicing):.0%}" if name == "f0" and table.voicing is not None else ""
        grid.add_row(markup(name + unit), *cells, str(known.sum()), voiced)
    return grid
