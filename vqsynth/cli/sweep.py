"""``vqsynth sweep``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from vqsynth.cli.text import echo, in_options


def sweep(
    recipe: Annotated[
        str | None, typer.Argument(metavar="[RECIPE.toml]", help="a recipe, or the name of one that ships")
    ] = None,
    timbres: Annotated[str | None, typer.Option(help="names with commas between: violin,cello")] = None,
    descriptors: Annotated[str | None, typer.Option("--descriptors", "-d", help="centroid,bandwidth,f0 ...")] = None,
    targets: Annotated[str | None, typer.Option(help="sin,arch,curve.csv ...")] = None,
    ranges: Annotated[str | None, typer.Option(help="p10:p90,500:3000 ...")] = None,
    seeds: Annotated[str | None, typer.Option(help="0:10 is 0 to 9; or 1,5,8")] = None,
    duration: Annotated[float | None, typer.Option(help="seconds of each render (default: 12)")] = None,
    gain: Annotated[str | None, typer.Option(help="level in dB, or a curve")] = None,
    matcher: Annotated[str | None, typer.Option(help="played, path, nearest, or several with commas between")] = None,
    refine: Annotated[int | None, typer.Option(min=0, help="rounds of trims")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="folder of the results (default: the recipe's name)")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", help="processes on this machine; -1: one a core")] = -1,
    dask: Annotated[str | None, typer.Option(metavar="ADDRESS", help="run on a dask cluster: tcp://host:8786")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only list what would be rendered")] = False,
) -> None:
    """Render the product of timbres, descriptors, targets and seeds in parallel.

    Options replace the recipe's lists. Started again, only what is missing is rendered.
    """
    import vqsynth
    from vqsynth.render.sweep import recipe as recipes

    lists: dict[str, Any] = recipes.read_recipe(recipe) if recipe else {}
    words = {"timbres": timbres, "descriptors": descriptors, "targets": targets, "ranges": ranges, "matchers": matcher}
    given: dict[str, Any] = {
        key: [w.strip() for w in text.split(",") if w.strip()] for key, text in words.items() if text is not None
    }
    given |= {
        key: value
        for key, value in (("durations", duration), ("gains", gain), ("refines", refine))
        if value is not None
    }
    if seeds is not None:
        given["seeds"] = recipes.parse_seeds(seeds)
    for key in given:
        lists.pop(recipes.SINGULAR[key], None)
    items = recipes.expand(lists | given)
    if dry_run:
        for item in items:
            echo(item.name)
        echo(f"{len(items)} renders")
        return
    output = output or Path(Path(recipe).stem if recipe else "sweep")
    try:
        with _Bar() as bar:
            outcomes = vqsynth.sweep(items, output, jobs=jobs, dask=dask, progress=bar.update)
    except KeyboardInterrupt:
        echo(f"stopped; what is in {output} stays, and the same command renders the rest", err=True)
        raise typer.Exit(130) from None
    _summary(outcomes, output)


class _Bar:
    """Renders done, failed, time left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._bar = Progress(
            TextColumn("rendering"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[failed]}"),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task("rendering", total=None, failed="")

    def __enter__(self) -> _Bar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def update(self, done: int, failed: int, total: int) -> None:
        self._bar.update(self._task, completed=done, total=total, failed=f"[red]{failed} failed" if failed else "")


def _summary(outcomes: list[Any], output: Path) -> None:
    fresh = sum(outcome.fresh for outcome in outcomes)
    failures = [outcome for outcome in outcomes if outcome.error]
    there = f", {len(outcomes) - fresh} were there" if fresh < len(outcomes) else ""
    echo(f"{output}: {fresh - len(failures)} rendered{there}; manifest.csv, contact_sheet.png")
    for outcome in failures[:10]:
        echo(f"failed: {outcome.name}: {in_options(outcome.error)}", err=True)
    if len(failures) > 10:
        echo(f"and {len(failures) - 10} more, see {output / 'manifest.csv'}", err=True)
    if failures:
        raise typer.Exit(1)
