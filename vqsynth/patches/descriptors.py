"""Descriptors of a timbre, drawn or set by hand."""

from __future__ import annotations

import numpy as np

from vqsynth.export.card import Port
from vqsynth.patches.drawing import Patch
from vqsynth.patches.parts import Model, nn, output, switches, title

POINTS = 1001
"""Of a curve."""
SECONDS = 10.0
FREE, BY_HAND, DRAWN = range(3)


def first_curve(port: Port) -> list[float]:
    """What is drawn at first: a sine in the middle half of the range, of the pitch a note."""
    low, high = port.low, port.high
    if port.name == "pitch":
        return [note(port)] * POINTS
    time = np.arange(POINTS) / (POINTS - 1)
    return [float(x) for x in (low + high) / 2 + (high - low) / 4 * np.sin(2 * np.pi * time)]


def note(port: Port) -> float:
    """A note in the middle of a range, Hz."""
    middle = 12 * np.log2(np.sqrt(port.low * port.high) / 440)
    return float(440 * 2 ** (round(middle) / 12))


def descriptors_patch(model: Model) -> Patch:
    """``descriptors``."""
    patch = Patch(1120, 840)
    title(patch, model, "draw how descriptors should move, and hear it", "control")
    patch.comment("each: 0 as the timbre has it, 1 by hand, 2 as drawn below; Hz on every slider and axis", 20, 52, 90)
    switches(patch, 820, 80)
    name = model.name
    ports = {port.name: port for port in model.method("control").inputs}
    made = nn(patch, model, "control", 40, 710)

    # Playing: from the first point of all curves to the last.
    play = patch.add("bang", f"{name}-play", 40, 90, label="play")
    stop = patch.add("bang", f"{name}-stop", 130, 90, label="stop")
    loop = patch.add("toggle", f"{name}-repeat", 220, 90, label="again", value=0)
    sound = patch.add("toggle", f"{name}-sound", 320, 90, label="sound", value=0)
    seconds = patch.add("number", f"{name}-seconds", 420, 90, label="seconds", value=SECONDS)
    duration = patch.object("* 1000.", 420, 116, seconds)
    held = patch.object(f"f {1000 * SECONDS:g}", 300, 142)
    patch.wire(duration, held, inlet=1)
    order = patch.object("t b b", 40, 116, play)
    patch.wire(order, held)
    patch.wire(order, patch.message("1", 90, 142, sound), outlet=1)
    both = patch.object("t f f", 300, 168, held)
    place = patch.object("vline~", 420, 220)
    patch.wire(both, patch.message(f"0, {POINTS - 1} $1", 420, 194, place), outlet=1)
    wait = patch.object("delay 1000", 300, 194, both)
    ended = patch.object("spigot", 40, 194)
    finished = patch.object("t b b", 300, 220, wait)
    patch.wire(finished, ended)
    patch.wire(finished, patch.message("0", 360, 246, sound), outlet=1)
    patch.wire(loop, ended, inlet=1)
    patch.wire(ended, order)
    patch.wire(stop, patch.message("stop", 130, 142, wait))
    patch.wire(stop, patch.message("0", 180, 142, sound))

    for row, label in enumerate(("centroid", "bandwidth", "pitch")):
        port, x = ports[label], 40 + 360 * row
        start = note(port) if label == "pitch" else (port.low * port.high) ** 0.5
        mode = patch.add("radio", f"{name}-{label}-mode", x, 290, count=3, value=(DRAWN, FREE, BY_HAND)[row])
        hand = patch.slider(f"{name}-{label}", f"{label} Hz", port.low, port.high, start, x, 340, log=True)
        held_at = patch.object("sig~", x + 250, 372, hand)
        drawn = patch.add(
            "curve",
            f"{name}-{label}-curve",
            x,
            400,
            low=port.low,
            high=port.high,
            values=first_curve(port),
            width=320,
            height=140,
        )
        patch.wire(place, drawn)
        parts = []
        for which, source, left in ((BY_HAND, held_at, 180), (DRAWN, drawn, 0)):
            on = patch.object(f"== {which}", x + 240 + left // 3, 552, mode)
            part = patch.object("*~ 0", x + left, 580, source)
            patch.wire(on, part, inlet=1)
            parts.append(part)
        patch.wire(patch.object("+~", x, 606, *parts), made, inlet=row)
    gain = patch.slider(f"{name}-gain", "gain dB", ports["gain"].low, ports["gain"].high, 0, 560, 120)
    patch.wire(patch.object("sig~", 560, 150, gain), made, inlet=3)
    velocity = patch.slider(f"{name}-velocity", "velocity", 0, 1, 0.8, 560, 200)
    gate = patch.object("*~ 0", 560, 256, patch.object("sig~ 0.8", 560, 230, velocity))
    patch.wire(sound, gate, inlet=1)
    patch.wire(gate, made, inlet=4)
    life = patch.slider(f"{name}-life", "life", 0, 1, 0, 820, 240)
    patch.wire(life, patch.message("set life $1", 820, 266, made))
    output(patch, model, made, 40, 750)
    return patch
