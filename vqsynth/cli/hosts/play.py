"""``vqsynth play``."""

from __future__ import annotations

from typing import Annotated

import typer

from vqsynth.cli.text import echo


def play(
    port: Annotated[int, typer.Option(help="of the page; 0 takes a free one")] = 8765,
    host: Annotated[
        str, typer.Option(help="address to listen at; others than this machine's own ask for the token that is printed")
    ] = "127.0.0.1",
    no_browser: Annotated[bool, typer.Option("--no-browser", help="only print the address")] = False,
) -> None:
    """Play in the browser: draw curves and latents, explore the map, transfer, feedback; Ctrl-C ends it.

    vqsynth play

    vqsynth play --host 0.0.0.0 --port 8080 --no-browser
    """
    from vqsynth.play.serve import serve

    serve(host, port, not no_browser, echo)
