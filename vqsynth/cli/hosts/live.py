"""``vqsynth live``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vqsynth.cli.text import echo
from vqsynth.cli.transfer import BITS, Bits


def _help_osc(wanted: bool) -> None:
    if wanted:
        from vqsynth.live.messages import list_of_addresses

        typer.echo(list_of_addresses())
        raise typer.Exit


def live(
    name: Annotated[
        str | None, typer.Argument(help="a timbre or a continuous model; wavae/NAME where both have one name")
    ] = None,
    offline: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="IN.wav OUT.wav", help="no device: play a file into a file; IN may be none"),
    ] = None,
    osc_script: Annotated[
        Path | None, typer.Option(metavar="S.txt", help="messages in time, a line each: 0.5 /descriptor/centroid 1800")
    ] = None,
    osc_help: Annotated[
        bool, typer.Option("--osc-help", callback=_help_osc, is_eager=True, help="list all addresses and exit")
    ] = False,
    block: Annotated[int, typer.Option(help="samples of a block")] = 512,
    duration: Annotated[float | None, typer.Option("--duration", "-d", help="seconds (default: the input's)")] = None,
    seed: Annotated[int, typer.Option(help="of the noise")] = 0,
    bits: BITS = Bits.sixteen,
) -> None:
    """Play a model live: sound in and out, OSC and MIDI; or offline, exactly as it would have been.

    vqsynth live violin --offline none OUT.wav --osc-script s.txt

    vqsynth live strings --offline voice.wav OUT.wav --osc-script s.txt
    """
    if name is None:
        raise typer.BadParameter("name a model, as in vqsynth live violin", param_hint="NAME")
    from vqsynth.cli.render import Bar
    from vqsynth.live.offline import play_file

    if offline is not None:
        source = None if offline[0] == "none" else offline[0]
        with Bar() as bar:
            done = play_file(
                name,
                source,
                offline[1],
                osc_script,
                block=block,
                duration=duration,
                seed=seed,
                bits=bits.value,
                progress=bar.update,
            )
        for notice in done.notices:
            echo(f"warning: {notice}", err=True)
        delay = 1000 * done.latency / done.sample_rate
        echo(
            f"{offline[1]}: {done.seconds:.1f} s, {done.latency} samples ({delay:.1f} ms) late, {done.refused} refused"
        )
