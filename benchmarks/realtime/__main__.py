"""What playing live costs, how late it is, and whether it holds; networks of other makes in the same harness.

python -m benchmarks.realtime [--models "violin, played;violin, transfer;violin, fast;strings;melGAN;RAVE"]
                              [--blocks 64,512] [--seconds 20] [--minutes 10] [--csv out.csv]
                              [--into benchmarks/README.md]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks.realtime import delay, load, server
from benchmarks.realtime.contenders import RATE, Foreign, contender
from benchmarks.tables import machine, markdown, number, percent, write_csv, write_into
from vqsynth.live.engine import Engine
from vqsynth.live.worker import Worker

MODELS = ("violin, played", "violin, transfer", "violin, fast", "strings", "melGAN", "RAVE")
BLOCKS = (64, 128, 256, 512, 1024, 2048)
HELD_BLOCK, LIVE_BLOCK = 256, 64
LOAD, CONTROL_MS, JITTER_MS = 0.25, 20.0, 1.0

LOAD_TEXT = """**Load**: the engine's work as a share of one core, by the clock; percentiles of the work gathered over
2,048 samples. *Processor*, by which the goal is judged, leaves out the time that other programs held the core."""


def ms(samples: float | np.ndarray) -> float:
    return float(1000 * np.mean(samples) / RATE)


def loads(models: Sequence[str], blocks: Sequence[int], seconds: float, rows: list[dict[str, object]]) -> str:
    """Table of the load, a row a model and block."""
    table = []
    for name in models:
        voice = contender(name)
        for block in blocks:
            print(f"{name}, {block} ...", flush=True)
            found = load.measure(voice, block, seconds)
            rows += [
                {"part": "load", "model": name, "block": block, "what": key, "value": value}
                for key, value in vars(found).items()
            ]
            shares = [percent(x, 0) for x in (found.mean, found.p99, found.p999, found.worst, found.processor)]
            goal = ""
            if block == 512 and not isinstance(voice, Foreign):
                goal = f"under {percent(LOAD, 0)}: {'reached' if found.processor < LOAD else 'missed'}"
            table.append([name, block, *shares, number(found.longest_ms, 1, " ms"), goal])
    return markdown(["model", "block", "mean", "p99", "p99.9", "worst", "processor", "longest block", ""], table)


def delays(models: Sequence[str], rows: list[dict[str, object]]) -> str:
    """Table of the delay, a row a model."""
    table = []
    for name in models:
        print(f"{name}, delay ...", flush=True)
        voice = contender(name)
        engine = Engine(voice)
        stated = ms(voice.latency)
        cells: list[str] = [number(stated, 1, " ms"), number(ms(engine.limiter_latency), 1, " ms")]
        for block in (64, 256, 512):
            cells.append(number(ms(Worker(engine, block).latency - engine.latency), 1, " ms"))
        found: dict[str, np.ndarray] = {}
        if voice.hears and not isinstance(voice, Foreign):
            found = {"click": delay.clicks(voice), "pitch step": delay.pitch_steps(voice)}
        elif not voice.hears:
            found = {"note": delay.notes(voice)}
        for what, values in found.items():
            rows += [{"part": "delay", "model": name, "what": what, "value": ms(x)} for x in values]
        shown = "; ".join(
            f"{what} {ms(values):.1f} ms, sd {1000 * np.std(values) / RATE:.2f}" for what, values in found.items()
        )
        table.append([name, *cells, shown or "-"])
    header = [
        "model",
        "model's own, stated",
        "limiter",
        "buffering at 64",
        "at 256",
        "at 512",
        "measured, without buffering",
    ]
    return markdown(header, table)


def jitter(models: Sequence[str], rows: list[dict[str, object]]) -> str:
    """Lines on notes through the whole chain in real time."""
    lines = []
    for name in models:
        voice = contender(name)
        if voice.hears:
            continue
        print(f"{name}, notes ...", flush=True)
        for block in (LIVE_BLOCK, 256, 512):
            found = delay.notes_live(voice, block)
            rows += [{"part": "notes", "model": name, "block": block, "what": "note", "value": ms(x)} for x in found]
            mean, spread = ms(found), 1000 * float(np.std(found)) / RATE
            goal = ""
            if block == LIVE_BLOCK:
                reached = mean < CONTROL_MS and spread < JITTER_MS
                goal = f" (under {CONTROL_MS:.0f} and {JITTER_MS:.0f} ms: {'reached' if reached else 'missed'})"
            lines.append(
                f"- {name}, blocks of {block}: {mean:.1f} ms from a note to half of its level, its attack of 8 ms "
                f"included; standard deviation {spread:.2f} ms, all within {1000 * np.ptp(found) / RATE:.1f} ms{goal}"
            )
    return "\n".join(lines)


def held(models: Sequence[str], minutes: float, rows: list[dict[str, object]]) -> str:
    """Lines on minutes on a JACK server."""
    lines = []
    for name in models:
        model, _, how = name.partition(", ")
        if name in ("melGAN", "RAVE"):
            continue
        print(f"{name}, {minutes:g} minutes on JACK ...", flush=True)
        found = server.xruns(model, how != "played", HELD_BLOCK, minutes, how == "fast")
        if found is None:
            return "JACK is not installed here."
        count, share = found
        rows.append({"part": "xruns", "model": name, "block": HELD_BLOCK, "what": "xruns", "value": count})
        goal = "reached" if count == 0 else "missed"
        lines.append(f"- {name}: {count} xruns in {minutes:g} minutes, load {percent(share, 0)} (none: {goal})")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.realtime", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", default=";".join(MODELS), help="rows, separated by semicolons")
    parser.add_argument("--blocks", default=",".join(map(str, BLOCKS)), help="samples, separated by commas")
    parser.add_argument("--seconds", type=float, default=20.0, help="of sound for each load")
    parser.add_argument("--minutes", type=float, default=10.0, help="on a JACK server for each model; 0 leaves it out")
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--into", type=Path, help="page whose block 'realtime' is replaced by the tables")
    options = parser.parse_args()
    torch.set_num_threads(1)
    models, blocks = options.models.split(";"), [int(block) for block in options.blocks.split(",")]
    rows: list[dict[str, object]] = []
    parts = [
        LOAD_TEXT,
        loads(models, blocks, options.seconds, rows),
        "**Delay**: buffering is the block that gathers and what covers the work on it.",
        delays(models, rows),
        "**From control to sound**, at the pace of a device, through the worker and its rings:",
        jitter(models, rows),
    ]
    if options.minutes:
        parts += [
            f"**On a JACK server**, dummy driver, blocks of {HELD_BLOCK}, half of the cores kept busy by other work:",
            held(models, options.minutes, rows),
        ]
    text = "\n\n".join([part for part in parts if part] + [f"Measured on: {machine()}."])
    print("\n" + text)
    if options.csv:
        write_csv(options.csv, rows)
    if options.into:
        write_into(options.into, "realtime", text)


if __name__ == "__main__":
    main()
