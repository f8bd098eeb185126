"""``vqsynth timbres`` and ``vqsynth info``: what is installed, and the whole card of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vqsynth.cli.text import echo, markup

if TYPE_CHECKING:
    from rich.console import Console

    from vqsynth.library.model_folder import ModelFolder
    from vqsynth.library.table import Table


def timbres() -> None:
    """List the installed timbres with what their descriptors can reach."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    import vqsynth
    from vqsynth import descriptors
    from vqsynth.errors import VqsynthError, warn

    models = Table("timbre", box=box.SIMPLE_HEAD)
    for title in ("codes", "rate", "audio"):
        models.add_column(title, justify="right")
    models.add_column("description")
    reaches = Table(
        "timbre", box=box.SIMPLE_HEAD, title="lowest and highest value of each descriptor", title_justify="left"
    )
    shown = [descriptors.get(name) for name in descriptors.names()]
    for descriptor in shown:
        reaches.add_column(f"{descriptor.name}\n{descriptor.unit}", justify="right", no_wrap=True)
    found = vqsynth.Timbre.installed()
    for name, path in found.items():
        try:
            timbre = vqsynth.load(path)
            config, table, card = timbre.config, timbre.table, timbre.card
            cells = [reach(table, d.name) for d in shown]
        except VqsynthError as error:
            warn(str(error))
            continue
        seconds = f"{card.get('training', {}).get('audio_seconds', 0):.0f} s"
        models.add_row(
            markup(name),
            str(config.n_codes),
            f"{config.sample_rate} Hz",
            seconds,
            markup(card["timbre"].get("description", "")),
        )
        reaches.add_row(markup(name), *cells)
    if not found:
        echo("no timbres found; train one: vqsynth train RECORDINGS --timbre NAME")
        raise typer.Exit(1)
    console = Console()
    console.print(models)
    console.print(reaches)


def info(name: Annotated[str, typer.Argument(help="a timbre's name, or the path of its folder")]) -> None:
    """Show a timbre's whole card, with the range of each descriptor, and check its files."""
    from rich.console import Console

    import vqsynth
    from vqsynth.cli.analyze import summary

    timbre = vqsynth.load(name)
    console = print_card(timbre)
    (console if console.is_terminal else Console(width=120)).print(summary(timbre.table, "descriptors over the codes"))
    echo("all files match their checksums")


def print_card(model: ModelFolder) -> Console:
    """Verify a model's folder and print its whole card."""
    from rich.console import Console
    from rich.table import Table

    model.verify()
    console = Console()
    console.print(f"[bold]{markup(model.name)}[/bold]  {markup(model.path)}")
    for section, content in model.card.items():
        if section == "files":
            content = {file: f"sha256 {checksum[:16]}" for file, checksum in content.items()}
        entries = content if isinstance(content, list) else [content]
        for number, entry in enumerate(entries, 1):
            title = section if len(entries) == 1 else f"{section} {number}"
            table = Table(
                title=markup(title),
                title_justify="left",
                title_style="bold",
                show_header=False,
                box=None,
                padding=(0, 2),
            )
            for key, value in flat(entry):
                table.add_row(markup(key), markup(value))
            console.print(table)
    return console


def reach(table: Table, name: str) -> str:
    """Lowest and highest value of a descriptor among the codes, one above the other; empty where there is none."""
    import numpy as np

    if name not in table.names or not np.isfinite(table.column(name)).any():
        return ""
    return "\n".join(f"{v:.0f}" if abs(v) >= 1000 else f"{v:.3g}" for v in table.percentile(name, [0, 100]))


def flat(section: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Rows of a card's section: nested keys joined by dots, lists by commas."""
    rows: list[tuple[str, str]] = []
    for key, value in section.items():
        if isinstance(value, dict):
            rows += flat(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            rows.append((prefix + key, ", ".join(map(str, value))))
        else:
            rows.append((prefix + key, str(value)))
    return rows
