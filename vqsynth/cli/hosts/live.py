"""``vqsynth live``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vqsynth.cli.text import echo, markup
from vqsynth.cli.transfer import BITS, Bits

if TYPE_CHECKING:
    from vqsynth.live.session import Session, Status

MIDI, OSC, DEVICE, OFFLINE = "MIDI", "OSC", "Device", "Offline"


def _help_osc(wanted: bool) -> None:
    if wanted:
        from vqsynth.live.messages import list_of_addresses

        typer.echo(list_of_addresses())
        raise typer.Exit


def _list_devices(wanted: bool) -> None:
    if not wanted:
        return
    from vqsynth.errors import VqsynthError
    from vqsynth.live.ports.device import list_devices
    from vqsynth.live.ports.midi_port import port_names

    for line in list_devices() or ["no sound device (is the sound server running?)"]:
        echo(line)
    try:
        inputs, outputs = port_names()
        echo(f"MIDI in: {', '.join(inputs) or 'none'}\nMIDI out: {', '.join(outputs) or 'none'}")
    except VqsynthError as error:
        echo(str(error))
    raise typer.Exit


def live(
    name: Annotated[
        str | None, typer.Argument(help="a timbre or a continuous model; wavae/NAME where both have one name")
    ] = None,
    list_devices: Annotated[
        bool,
        typer.Option(
            "--list-devices",
            callback=_list_devices,
            is_eager=True,
            help="list sound devices and MIDI ports and exit",
            rich_help_panel=DEVICE,
        ),
    ] = False,
    output: Annotated[
        str | None,
        typer.Option(
            help="device by number or part of its name; none is a clock without sound", rich_help_panel=DEVICE
        ),
    ] = None,
    source: Annotated[str | None, typer.Option("--input", help="likewise", rich_help_panel=DEVICE)] = None,
    no_input: Annotated[
        bool, typer.Option("--no-input", help="play descriptors and notes alone", rich_help_panel=DEVICE)
    ] = False,
    fast: Annotated[
        bool, typer.Option("--fast", help="a timbre that plays what it hears: a third of the delay, coarser")
    ] = False,
    block: Annotated[int, typer.Option(help="samples of a block", rich_help_panel=DEVICE)] = 256,
    buffer: Annotated[
        int | None, typer.Option(help="samples that cover the model's work (default: enough)", rich_help_panel=DEVICE)
    ] = None,
    rate: Annotated[
        int | None, typer.Option(help="of the device, Hz (default: the model's)", rich_help_panel=DEVICE)
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.wav", help="keep the session, with its input and OUT.txt, to be played again offline"
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="ten silent seconds at several block sizes and rates: a report")
    ] = False,
    osc_port: Annotated[int, typer.Option(help="port that messages come to; 0: no OSC", rich_help_panel=OSC)] = 9000,
    osc_host: Annotated[
        str, typer.Option(help="address to listen at; 0.0.0.0 lets the network in", rich_help_panel=OSC)
    ] = "127.0.0.1",
    osc_out: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="send measured descriptors there", rich_help_panel=OSC)
    ] = None,
    osc_help: Annotated[
        bool,
        typer.Option(
            "--osc-help", callback=_help_osc, is_eager=True, help="list all addresses and exit", rich_help_panel=OSC
        ),
    ] = False,
    midi_in: Annotated[str | None, typer.Option(help="part of a port's name", rich_help_panel=MIDI)] = None,
    midi_out: Annotated[
        str | None, typer.Option(help="port for measured descriptors, controllers 16 to 20", rich_help_panel=MIDI)
    ] = None,
    midi_map: Annotated[
        Path | None,
        typer.Option(
            metavar="MAP.toml", help="mapping of the controllers; keeps what is learned", rich_help_panel=MIDI
        ),
    ] = None,
    mpe: Annotated[bool, typer.Option("--mpe", help="a channel a note", rich_help_panel=MIDI)] = False,
    offline: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="IN.wav OUT.wav", help="play a file into a file; IN may be none", rich_help_panel=OFFLINE),
    ] = None,
    osc_script: Annotated[
        Path | None,
        typer.Option(metavar="S.txt", help="messages in time, a line each: 0.5 /gain -6", rich_help_panel=OFFLINE),
    ] = None,
    duration: Annotated[
        float | None, typer.Option("--duration", "-d", help="seconds (default: until stopped, or the input's)")
    ] = None,
    seed: Annotated[int, typer.Option(help="of the noise")] = 0,
    bits: BITS = Bits.sixteen,
) -> None:
    """Play a model live: sound, OSC and MIDI in, sound out; Ctrl-C ends it. Or offline, as it would have been.

    vqsynth live violin --no-input

    vqsynth live strings --input mic --block 128 --record take.wav

    vqsynth live violin --check

    vqsynth live violin --offline none OUT.wav --osc-script s.txt
    """
    if name is None:
        raise typer.BadParameter("name a model, as in vqsynth live violin", param_hint="NAME")
    if offline is not None:
        _offline(name, *offline, osc_script, block, duration, seed, bits.value, fast)
        return
    import torch

    # A block is too little work to be shared out; other threads would only wait for each other.
    torch.set_num_threads(1)
    hears = not no_input
    if check:
        _check(name, output, source, hears, fast)
        return
    from vqsynth.live.session import LiveSettings, Session

    settings = LiveSettings(
        output, source, hears, block, buffer, rate, osc_port or None, osc_host, osc_out,
        midi_in, midi_out, midi_map, mpe, record, seed, fast,
    )  # fmt: skip
    with Session(name, settings) as session:
        _watch(session, duration)
        status = session.status()
    echo(f"{status.seconds:.1f} s of {status.model}, load {status.load:.0%}, {status.xruns} xruns")
    if record is not None:
        echo(f"{record}, {record.with_suffix('.txt')}")


def _watch(session: Session, duration: float | None) -> None:
    """Show the meter until it is over."""
    import sys
    import time

    from rich.console import Console
    from rich.live import Live

    ends = None if duration is None else time.monotonic() + duration
    where = "none" if session.osc is None else f"{session.osc.address[0]}:{session.osc.address[1]}"
    worker = session.worker
    echo(
        f"{session.engine.voice.name} on {session.device.name}: {worker.rate} Hz, blocks of {worker.block}, "
        f"{session.delay_ms:.1f} ms late; OSC {where}; Ctrl-C ends"
    )
    told = 0
    try:
        with Live(console=Console(file=sys.stderr), refresh_per_second=8, transient=True) as shown:
            while ends is None or time.monotonic() < ends:
                time.sleep(0.1)
                session.watch()
                shown.update(meter(session.status()))
                notices = session.engine.notices
                fresh, told = notices.total - told, notices.total
                for notice in list(notices)[-fresh:] if fresh else []:
                    echo(f"warning: {notice}", err=True)
    except KeyboardInterrupt:
        pass


def meter(status: Status) -> str:
    """The meter's lines: level, load, delay; what is asked for, green where it is reached."""
    bar = max(0, min(30, round((status.peak_db + 60) / 2)))
    state = f"load {status.load:4.0%}  {status.delay_ms:.1f} ms  xruns {status.xruns}  refused {status.refused}"
    names = f"{markup(status.model)}, {markup(status.device)}"
    lines = [f"{'█' * bar:<30} {status.peak_db:6.1f} dB  {state}  {names}"]
    for name, wanted in status.asked.items():
        there = status.reached.get(name, False)
        have = status.measured.get(name)
        light = "[green]●[/green]" if there else "[red]●[/red]"
        lines.append(f"{light} {name} {wanted:.1f}, " + ("silent" if have is None else f"measured {have:.1f}"))
    return "\n".join(lines)


def _check(name: str, output: str | None, source: str | None, hears: bool, fast: bool) -> None:
    from vqsynth.live.check import check, machine

    for line in machine():
        echo(line)
    echo(f"{name}: {output or 'the default device'}\nblock  rate   load  worst  jitter   delay     xruns")
    for row in check(name, output, source, hears, fast):
        if row.failed:
            echo(f"{row.block:5d} {row.rate:6d}  {row.failed}")
        else:
            echo(
                f"{row.block:5d} {row.rate:6d} {row.load:5.0%} {row.worst:6.0%} {row.jitter_ms:4.1f} ms "
                f"{row.delay_ms:6.1f} ms {row.xruns:6d}"
            )


def _offline(
    name: str,
    source: str,
    output: str,
    script: Path | None,
    block: int,
    duration: float | None,
    seed: int,
    bits: str,
    fast: bool,
) -> None:
    from vqsynth.cli.render import Bar
    from vqsynth.live.offline import play_file

    with Bar() as bar:
        done = play_file(
            name,
            None if source == "none" else source,
            output,
            script,
            block=block,
            duration=duration,
            seed=seed,
            bits=bits,
            fast=fast,
            progress=bar.update,
        )
    for notice in done.notices:
        echo(f"warning: {notice}", err=True)
    delay = 1000 * done.latency / done.sample_rate
    echo(f"{output}: {done.seconds:.1f} s, {done.latency} samples ({delay:.1f} ms) late, {done.refused} refused")
