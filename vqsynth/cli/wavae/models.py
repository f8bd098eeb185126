"""``vqsynth wavae models`` and ``vqsynth wavae info``."""

from __future__ import annotations

from typing import Annotated

import typer

from vqsynth.cli.text import echo, markup


def models() -> None:
    """List the installed continuous models."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from vqsynth.errors import VqsynthError, warn
    from vqsynth.wavae.domain import Domain

    table = Table("model", box=box.SIMPLE_HEAD)
    for title in ("latents", "rate", "delay", "trained on", "log-mel distance"):
        table.add_column(title, justify="right")
    table.add_column("description")
    found = Domain.installed()
    for name, path in found.items():
        try:
            domain = Domain(path)
            config = domain.config
        except VqsynthError as error:
            warn(str(error))
            continue
        distance = domain.card.get("quality", {}).get("log_mel_distance_db")
        table.add_row(
            markup(name),
            str(config.latent_dim),
            f"{config.rate:.1f} Hz",
            f"{1000 * config.latency / config.sample_rate:.0f} ms",
            f"{domain.card['training'].get('audio_seconds', 0):.0f} s",
            f"{distance} dB" if distance else "",
            markup(domain.header.get("description", "")),
        )
    if not found:
        echo("no models found; train one: vqsynth wavae train RECORDINGS --name NAME")
        raise typer.Exit(1)
    Console().print(table)


def info(name: Annotated[str, typer.Argument(help="a model's name, or the path of its folder")]) -> None:
    """Show a continuous model's whole card, and check its files."""
    from vqsynth import wavae
    from vqsynth.cli.timbres import print_card

    print_card(wavae.load(name))
    echo("all files match their checksums")
