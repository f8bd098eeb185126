"""What the command line prints: errors and warnings in the words of its options, and foreign text made harmless."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import typer
from typer.core import TyperCommand

from vqsynth.errors import VqsynthError

ALIASES = {
    "gain_db": ("gain",),
    "strength": ("adapt",),
    "point": ("plane",),
    "trajectory": ("path",),
    "source": ("input",),
    "domains": ("to",),
    "delay_ms": ("delay",),
    "breath_db": ("breath",),
    "voice_targets": ("voice_target",),
    "start_from": ("from",),
}
"""Options of fields that the library calls by another name."""
_QUOTED = re.compile(r"`(\w+)(?:=([^`]*))?`")
_running: list[Any] = []


class Command(TyperCommand):
    """A command whose options stand for the fields of errors and warnings while it runs."""

    def invoke(self, ctx: Any) -> Any:
        _running[:] = [self]
        return super().invoke(ctx)


def option(field: str) -> str | None:
    """The option of the command that runs, or ran last, for a field of the library; None if it has none."""
    known = {name for command in _running for parameter in command.params for name in parameter.opts}
    spelled = (f"--{name.replace('_', '-')}" for name in (*ALIASES.get(field, ()), field))
    return next((name for name in spelled if name in known), None)


def in_options(text: str) -> str:
    """A message of the library with the options of the command for the fields that it quotes: ```gain``` is --gain."""

    def spelled(match: re.Match[str]) -> str:
        name = option(match.group(1))
        return match.group(0) if name is None else f"{name} {match.group(2)}" if match.group(2) else name

    return _QUOTED.sub(spelled, text)


def sentence(error: VqsynthError) -> str:
    """The sentence of an error, with the option of the command for its field."""
    label = error.field if error.field is None else option(error.field) or error.field
    return in_options(error.text(label))


def printable(text: object) -> str:
    """Foreign text without control characters: escape sequences of a terminal do nothing, bad bytes show as ``?``."""
    shown = str(text).encode("utf-8", "replace").decode("utf-8")
    return "".join(c for c in shown if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Co", "Cs"))


def markup(text: object) -> str:
    """Foreign text for a rich table or bar, where brackets would else be markup."""
    from rich.markup import escape

    return escape(printable(text))


def echo(text: str, err: bool = False) -> None:
    """Print a line that may hold foreign text."""
    typer.echo(printable(text), err=err)
