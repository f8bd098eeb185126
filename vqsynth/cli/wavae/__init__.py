"""``vqsynth wavae``: the continuous path."""

from __future__ import annotations

import typer

from vqsynth.cli.wavae.train import train

wavae_app = typer.Typer(
    no_args_is_help=True,
    help="Bend, cross and feed back latent paths: the continuous model.",
)
from vqsynth.cli.wavae.paths import InOrder, bend, decode, encode
from vqsynth.cli.wavae.interpolate import interpolate
from vqsynth.cli.wavae.transfer import transfer
from vqsynth.cli.wavae.feedback import feedback
for _command in (train, encode, decode, interpolate, transfer, feedback):
    wavae_app.command()(_command)
wavae_app.command(cls=InOrder)(bend)
