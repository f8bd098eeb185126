"""``vqsynth export``."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from vqsynth.cli.text import echo


class Kind(str, Enum):
    auto = "auto"
    timbre = "timbre"
    wavae = "wavae"


def export(
    name: Annotated[str, typer.Argument(help="a timbre or a wavae model, or the path of its folder")],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="FILE.ts for nn~ (Pure Data, Max, SuperCollider), FILE.onnx for plug-ins, "
            "FILE.nm for Neutone in a DAW, FILE.html for a browser",
        ),
    ],
    kind: Annotated[Kind, typer.Option(help="which one, where a timbre and a wavae model have one name")] = Kind.auto,
    axes: Annotated[
        int | None, typer.Option(help="axes that encode and decode of a wavae model show (default: 16)", min=1)
    ] = None,
    rate: Annotated[int | None, typer.Option(help="of the host in Hz (default: the model's own, 44100)")] = None,
    method: Annotated[
        str | None, typer.Option(help="of an ONNX file, which has one (default: control of a timbre, else forward)")
    ] = None,
    block: Annotated[
        int | None, typer.Option(help="samples that an ONNX file takes at a time (default: two hops)")
    ] = None,
    seed: Annotated[int, typer.Option(help="of the noise")] = 0,
    blocks: Annotated[int, typer.Option(help="after so many blocks the memory must not have grown", min=64)] = 2000,
) -> None:
    """Write a model as one file for other programs: FILE and FILE.json, which says all that a host must know.

    FILE.html is a page that plays a timbre in any browser, offline, with nothing installed.

    vqsynth export strings -o strings.ts

    vqsynth export violin -o violin.onnx --method control

    The file is tested before it is handed over: loaded again, compared with the model in blocks of several sizes, fed
    silence, NaN and thousands of blocks. What fails is not written.
    """
    from vqsynth.export.write import export as write

    report = write(name, output, kind.value, axes, seed, blocks, method, block, rate)
    for line in lines(output, report):
        echo(line)


def lines(output: Path, report: dict[str, Any]) -> list[str]:
    """What there is to say of an exported file."""
    rate, checked = report["sample_rate"], report["checked"]
    blocks = f"blocks of {report['hop_length']} samples" + (" and more" if report["format"] in ("ts", "nm") else "")
    size = f"{report['bytes'] / 1e6:.1f} MB, for {rate} Hz, {blocks}"
    equal = f"as the model within {checked['difference']:.0e}, silence stays below {checked['silence']:.0e}"
    told = [
        f"{output}: {report['name']}, {size}; licence {report['licence']}",
        f"tested: {equal}, no growth in {checked['blocks']} blocks",
    ]
    for method in report["methods"]:
        inputs, outputs = (_names([port["name"] for port in method[side]]) for side in ("inputs", "outputs"))
        delays = ", ".join(
            f"{row['buffer']}: {row['samples']} ({row['ms']:.0f} ms)"
            for row in method["delays"]
            if row["host"] == "direct" and row["buffer"] >= report["hop_length"]
        )
        told.append(f"{method['name']}: {inputs} -> {outputs}")
        if report["format"] == "nm":
            knobs = [attribute["values"][0] for attribute in report["attributes"]]
            told.append(
                "  knobs: " + ", ".join(f"{k['name']} {k['low']:g} to {k['high']:g} {k['unit']}" for k in knobs)
            )
        told.append(f"  delay {method['delay']} samples ({method['delay_ms']:.0f} ms); with the host's buffer {delays}")
    return told


def _names(names: list[str]) -> str:
    """Names in a row, of many axes the first and the last."""
    axes = [name for name in names if name.startswith("axis")]
    rest = [name for name in names if name not in axes]
    return ", ".join([*(axes if len(axes) < 3 else [f"{axes[0]} to {axes[-1][5:]}"]), *rest])
