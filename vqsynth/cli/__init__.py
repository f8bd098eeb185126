"""The command line: parse, call one function, print.

Modules here import typer and the standard library alone; what computes is imported by the command
that needs it, so that help comes at once.
"""

from __future__ import annotations

import logging
import sys
from typing import Annotated, NoReturn

import typer

from vqsynth.cli.analyze import analyze
from vqsynth.cli.corpus import corpus_app
from vqsynth.cli.hosts.abx import abx
from vqsynth.cli.hosts.export import export
from vqsynth.cli.hosts.live import live
from vqsynth.cli.hosts.patches import patches
from vqsynth.cli.hosts.play import play
from vqsynth.cli.render import render
from vqsynth.cli.sweep import sweep
from vqsynth.cli.text import Command, in_options, printable, sentence
from vqsynth.cli.timbres import info, timbres
from vqsynth.cli.train import train
from vqsynth.cli.transfer import decode, encode, transfer
from vqsynth.cli.units import units_app
from vqsynth.cli.wavae import wavae_app
from vqsynth.errors import VqsynthError, logger
from vqsynth.version import __version__

PANELS = {
    "Timbres": (timbres, info),
    "Make sound": (render, sweep, transfer, play, live, encode, decode),
    "Train your own": (train, analyze),
    "In other programs": (export, patches),
    "Listen": (abx,),
}

app = typer.Typer(
    name="vqsynth",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Draw how a sound's brightness, pitch or width should move; hear a timbre do exactly that.",
)
for _panel, _commands in PANELS.items():
    for _command in _commands:
        app.command(rich_help_panel=_panel, cls=Command)(_command)
app.add_typer(units_app, name="units", rich_help_panel="Timbres")
app.add_typer(wavae_app, name="wavae", rich_help_panel="Make sound")
app.add_typer(corpus_app, name="corpus", rich_help_panel="Train your own")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vqsynth {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="show the traceback of an error")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version and exit")
    ] = False,
) -> None:
    """Options that come before the command's name; ``main`` reads --debug itself."""


def main() -> NoReturn:
    """Run the command line and exit: 0 done, 1 failed, 2 wrong request, 130 interrupted."""
    debug = "--debug" in sys.argv[1:]
    # Also accepted after the command's name, which is where one adds it to a command that failed.
    arguments = [a for a in sys.argv[1:] if a != "--debug"]
    _print_warnings()
    try:
        app(args=arguments, prog_name="vqsynth")
    except KeyboardInterrupt:
        _fail("interrupted", 130)
    except Exception as error:
        if debug:
            raise
        _fail(*_explain(error))
    sys.exit(0)


class _Warnings(logging.Handler):
    """Prints warnings to standard error as it is at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        print(f"warning: {printable(in_options(record.getMessage()))}", file=sys.stderr)


def _print_warnings() -> None:
    if not any(isinstance(handler, _Warnings) for handler in logger.handlers):
        logger.addHandler(_Warnings())
        logger.propagate = False


def _explain(error: Exception) -> tuple[str, int]:
    """One sentence for an error, and the exit code."""
    if isinstance(error, VqsynthError):
        return sentence(error), error.exit_code
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}", 1
    if isinstance(error, MemoryError):
        return "out of memory; ask for less at a time, or close other programs", 1
    if type(error).__module__.startswith("soundfile"):
        return f"the sound could not be read or written ({error}); check the file and the space on the disk", 1
    return f"unexpected {type(error).__name__}: {error}; run it again with --debug for the traceback", 1


def _fail(message: str, code: int) -> NoReturn:
    try:
        print(f"error: {printable(message)}", file=sys.stderr)
    finally:
        sys.exit(code)
