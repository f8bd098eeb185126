"""``vqsynth wavae``: the continuous path."""

from __future__ import annotations

from collections.abc import Callable

import typer

from vqsynth.cli.text import Command
from vqsynth.cli.wavae.feedback import feedback
from vqsynth.cli.wavae.interpolate import interpolate
from vqsynth.cli.wavae.models import info, models
from vqsynth.cli.wavae.paths import InOrder, bend, decode, encode
from vqsynth.cli.wavae.train import train
from vqsynth.cli.wavae.transfer import transfer

PANELS: dict[str, tuple[Callable[..., None], ...]] = {
    "Models": (models, info, train),
    "Whole sounds": (interpolate, transfer, feedback),
    "Latent paths": (encode, bend, decode),
}

wavae_app = typer.Typer(
    no_args_is_help=True,
    help="The continuous model: bend, cross, transfer and feed back latent paths.",
)
for _panel, _commands in PANELS.items():
    for _command in _commands:
        # Operators on a path act in the order in which they are written.
        wavae_app.command(rich_help_panel=_panel, cls=InOrder if _command is bend else Command)(_command)
