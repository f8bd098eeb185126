"""What the command line makes of the library's words, and of words from files."""

from __future__ import annotations

import pytest

from vqsynth.cli import text
from vqsynth.errors import UsageError, warn

ESCAPE = "\x1b[31m"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("render", "tiny", "-t", "sin", "--duration", "nan"), "error: --duration nan: give 0.05 s"),
        (("render", "tiny", "-t", "sin", "-w", "x"), "error: --weight x of centroid: give a number"),
        (("render", "tiny", "-t", "sin", "-r", "f0=A3:A4"), "error: --range f0=A3:A4: 'f0' is not asked for"),
        (("wavae", "interpolate", "a", "b", "-m", "strings", "--plane", "0,0"), "error: --plane: lies between four"),
        (("wavae", "interpolate", "a", "b", "-m", "strings", "--gain", "nan"), "error: --gain nan: give at most 60"),
        (("wavae", "transfer", "a", "--to", "strings", "--adapt", "2"), "error: --adapt 2: give a number from 0"),
        (("wavae", "feedback", "-m", "strings", "--delay", "-1"), "error: --delay -1: give 0 to 10000 ms"),
        (("sweep", "--timbres", "tiny", "--seeds", "x"), "error: --seeds x: write numbers"),
    ],
)
def test_fields_are_the_options_of_the_command(command, monkeypatch, tiny_timbre, arguments, message):
    monkeypatch.setenv("VQSYNTH_CODEBOOKS", str(tiny_timbre.path.parent))
    code, _, err = command(*arguments)
    assert code == 2 and err.startswith(message), err


def test_quoted_fields_become_options(command):
    command("render", "--help")
    command("render", "nobody", "-t", "sin")
    assert text.in_options("add `clamp`, or `bits=32f`") == "add --clamp, or --bits 32f"
    assert text.in_options("run `vqsynth analyze`, or `nothing`") == "run `vqsynth analyze`, or `nothing`"
    assert text.sentence(UsageError("give less", field="gain_db", value=99)) == "--gain 99: give less"
    assert text.sentence(UsageError("give less", field="unheard_of")) == "unheard_of: give less"


def test_foreign_text_reaches_no_terminal(command, monkeypatch):
    from vqsynth import cli

    def fail(**options):
        warn(f"{ESCAPE}red\x07 [/x] \ud800\u202e")
        raise UsageError(f"{ESCAPE}[bold]", field="a\x9b")

    monkeypatch.setattr(cli, "app", fail)
    code, _, err = command("timbres")
    assert code == 2
    assert err == "warning: [31mred [/x] ?\nerror: a: [31m[bold]\n"


def test_brackets_of_foreign_text_are_no_markup():
    from rich.console import Console

    console = Console(width=80)
    with console.capture() as capture:
        console.print(text.markup(f"[/x] [bold]loud[/bold] {ESCAPE}"))
    assert capture.get().strip() == "[/x] [bold]loud[/bold] [31m"


def test_endless_words_are_cut(command):
    code, _, err = command("render", "violin", "-t", "9" * 5000)
    assert code == 2
    assert "9" * 60 + "..." in err
    assert len(err) < 1000
