"""``vqsynth timbres`` and ``vqsynth info``: what is installed, and the whole card of one."""

from __future__ import annotations

from typing import Annotated, Any

import typer


def timbres() -> None:
    """List the installed timbres with what their descriptors can reach."""
    from rich.console import Console
    from rich.table import Table

    from vqsynth import descriptors
    from vqsynth.codebook import folder
    from vqsynth.errors import VqsynthError, warn

    table = Table()
    for title in ("timbre", "codes", "rate", "audio"):
        table.add_column(title, justify="left" if title == "timbre" else "right")
    shown = [descriptors.get(name) for name in descriptors.names()]
    for descriptor in shown:
        table.add_column(f"{descriptor.name} ({descriptor.unit})" if descriptor.unit else descriptor.name, justify="right")
    found = folder.installed()
    for name, path in found.items():
        try:
            timbre = folder.load(path)
            config, columns = timbre.config, timbre.table
            row = [name, str(config.n_codes), f"{config.sample_rate} Hz", f"{timbre.card['training']['audio_seconds']:.0f} s"]
            table.add_row(*row, *(reach(columns, d.name) for d in shown))
        except VqsynthError as error:
            warn(str(error))
    if not found:
        typer.echo("no timbres found; train one: vqsynth train RECORDINGS --timbre NAME")
        raise typer.Exit(1)
    # Columns keep their width when the output is a pipe.
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(table)


def info(name: Annotated[str, typer.Argument(help="a timbre's name, or the path of its folder")]) -> None:
    """Show a timbre's whole card, with the range of each descriptor, and check its files."""
    from rich.console import Console
    from rich.table import Table

    from vqsynth.cli.analyze import summary
    from vqsynth.codebook import folder

    timbre = folder.load(name)
    timbre.verify()
    console = Console()
    console.print(f"[bold]{timbre.name}[/bold]  {timbre.path}")
    for section, content in timbre.card.items():
        if section == "files":
            content = {file: f"sha256 {checksum[:16]}" for file, checksum in content.items()}
        entries = content if isinstance(content, list) else [content]
        for number, entry in enumerate(entries, 1):
            title = section if len(entries) == 1 else f"{section} {number}"
            table = Table(title=title, title_justify="left", title_style="bold", show_header=False, box=None, padding=(0, 2))
            for key, value in flat(entry):
                table.add_row(key, value)
            console.print(table)
    (console if console.is_terminal else Console(width=120)).print(summary(timbre.table, "descriptors over the codes"))
    typer.echo("all files match their checksums")


def reach(table: Any, name: str) -> str:
    """Lowest and highest value of a descriptor among the codes, as text; empty where there is none."""
    import numpy as np

    if name not in table.names or not np.isfinite(table.column(name)).any():
        return ""
    low, high = (f"{v:.0f}" if abs(v) >= 1000 else f"{v:.3g}" for v in table.percentile(name, [0, 100]))
    return f"{low} to {high}"


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
