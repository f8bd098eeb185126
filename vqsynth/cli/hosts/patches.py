"""``vqsynth patches``."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from vqsynth.cli.hosts.export import Kind
from vqsynth.cli.text import echo


class Host(str, Enum):
    pd = "pd"
    max = "max"
    supercollider = "supercollider"


def patches(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="a folder for each model is made in it")
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(help="a timbre or a wavae model; again for more (default: violin and strings)"),
    ] = None,
    host: Annotated[list[Host] | None, typer.Option(help="one; again for more (default: all)")] = None,
    kind: Annotated[Kind, typer.Option(help="which one, where a timbre and a wavae model have one name")] = Kind.auto,
    rate: Annotated[int | None, typer.Option(help="of the host in Hz (default: the model's own, 44100)")] = None,
    export: Annotated[bool, typer.Option(help="also write the models' files, NAME.ts, which nn~ plays")] = True,
) -> None:
    """Write patches for Pure Data, Max and SuperCollider: feedback, drawn descriptors, latents, a keyboard, and help.

    vqsynth patches -o patches

    vqsynth patches --model cello --host pd --rate 48000 -o patches
    """
    from vqsynth.patches.write import HOSTS, write_patches

    hosts = [chosen.value for chosen in host] if host else list(HOSTS)
    for done in write_patches(model or [], output, kind.value, rate, hosts, export):
        echo(f"{done.files[0].parent}: {', '.join(file.name for file in done.files)}")
        echo(f"  for {done.card.sample_rate} Hz; " + (done.command or f"{done.card.name}.ts is beside them"))
    if "pd" in hosts:
        echo("Pure Data 0.53 or later with the external nn~: audio on is a box in every patch, and so is quit")
    if "max" in hosts or "supercollider" in hosts:
        echo("those for Max and SuperCollider are checked in form only: they have not been tried there")
