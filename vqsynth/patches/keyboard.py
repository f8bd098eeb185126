"""A model played with notes: MIDI and MPE, the last note sounds."""

from __future__ import annotations

from vqsynth.patches.drawing import Patch
from vqsynth.patches.latents import BY_HAND
from vqsynth.patches.parts import Model, nn, output, switches, title

MIDDLE = 8192
"""Of a bend's 14 bits."""
SHOWN = 4
"""Axes of a continuous model that have a slider here."""


def keyboard_patch(model: Model) -> Patch:
    """``keyboard``."""
    patch = Patch(1140, 820)
    method = "control" if model.card.kind == "timbre" else "decode"
    title(patch, model, "notes of MIDI and MPE, or of the keys below; the last one sounds", method)
    patch.comment("pitch bend, pressure, CC 74 (brightness) and CC 7 (gain) of the note's own channel", 20, 52, 90)
    switches(patch, 860, 80)
    name = model.name
    made = nn(patch, model, method, 40, 680)
    ports = model.method(method).inputs
    inlets = {port.name: number for number, port in enumerate(ports)}

    pitch, velocity, channel = _notes(patch, name)
    patch.wire(patch.object("mtof~", 40, 622, pitch), made, inlet=inlets["pitch"])
    pressure = _of_channel(patch, "touchin", channel, 560, 90)
    bright = _of_channel(patch, "ctlin 74", channel, 720, 90)
    volume = patch.object("ctlin 7", 560, 200)
    gain = patch.slider(f"{name}-gain", "gain dB", -60, 6, 0, 560, 306)
    patch.wire(patch.object("expr 40 * log10(max($f1, 1) / 100.)", 560, 250, volume), gain)
    swell = patch.slider(f"{name}-pressure", "pressure dB", 0, 24, 6, 560, 366)
    more = patch.object("* 0", 660, 206, patch.object("/ 127.", 660, 180, pressure))
    patch.wire(swell, more, inlet=1)
    louder = [_smooth(patch, gain, 560, 420), _smooth(patch, more, 680, 420)]
    level = patch.object("+~", 560, 484, *louder)
    if method == "control":
        patch.wire(level, made, inlet=inlets["gain"])
        patch.wire(_smooth(patch, velocity, 430, 420, 1), made, inlet=inlets["velocity"])
        port = ports[inlets["centroid"]]
        # 0 until a controller or the slider says otherwise.
        centre = patch.slider(f"{name}-centroid", "centroid Hz", 0, port.high, 0, 840, 306)
        ratio = f"{port.high / port.low:.6g}"
        patch.wire(patch.object(f"expr {port.low:g} * pow({ratio}, $f1 / 127.)", 840, 250, bright), centre)
        patch.wire(_smooth(patch, centre, 840, 366), made, inlet=inlets["centroid"])
        output(patch, model, made, 40, 730)
        return patch

    # A continuous model: loudness is silent at 0, velocity spans 30 dB below the model's own level.
    port = ports[inlets["loudness"]]
    sounding = _smooth(patch, patch.object("> 0", 430, 384, velocity), 430, 410, 1)
    strength = patch.object(f"expr {port.high:g} - 30 * (1 - $f1)", 380, 380, velocity)
    loud = patch.object("+~", 420, 470, _smooth(patch, strength, 420, 410), level)
    patch.wire(patch.object("*~", 420, 500, loud, sounding), made, inlet=inlets["loudness"])
    patch.wire(patch.object("sig~ 1", 300, 530), made, inlet=inlets["voicing"])
    for extra in inlets:
        if extra not in ("loudness", "pitch", "voicing") and not extra.startswith("axis"):
            patch.wire(patch.object(f"sig~ {BY_HAND.get(extra, 0):g}", 360, 530), made, inlet=inlets[extra])
    axes = [port for port in ports if port.name.startswith("axis")][:SHOWN]
    for k, port in enumerate(axes):
        slider = patch.slider(f"{name}-axis-{k}", port.name, port.low, port.high, 0, 860, 300 + 60 * k)
        if not k:
            patch.wire(
                patch.object(f"expr {port.low:g} + $f1 / 127. * {port.high - port.low:g}", 860, 250, bright), slider
            )
        patch.wire(_smooth(patch, slider, 860, 324 + 60 * k), made, inlet=k)
    output(patch, model, made, 40, 730)
    return patch


def _smooth(patch: Patch, source: int, x: int, y: int, ms: int = 20) -> int:
    """A value as a signal that moves within some milliseconds."""
    return patch.object("line~", x, y + 26, patch.object(f"pack 0. {ms}", x, y, source))


def _of_channel(patch: Patch, kind: str, channel: int, x: int, y: int) -> int:
    """Values of a controller on the channel of the note that sounds."""
    came = patch.object(kind, x, y)
    own = patch.object("== 1", x + 60, y + 28)
    patch.wire(came, own, outlet=1)
    patch.wire(channel, own, inlet=1)
    passed = patch.object("spigot", x, y + 56, came)
    patch.wire(own, passed, inlet=1)
    return passed


def _notes(patch: Patch, name: str) -> tuple[int, int, int]:
    """Pitch with its bend in semitones as a signal, velocity 0 to 1, and the channel of the note that sounds."""
    came = patch.object("pack f f f", 40, 110)
    played = patch.object("notein", 40, 84)
    for outlet in range(3):
        patch.wire(played, came, outlet=outlet, inlet=outlet)
    key = patch.add("radio", f"{name}-key", 40, 160, count=25)
    patch.comment("two octaves from C3, ended by the button", 40, 138, 50)
    off = patch.add("bang", f"{name}-off", 500, 160, label="")
    number = patch.object("+ 48", 40, 186, key)
    last = patch.object("f 48", 170, 186, off)
    patch.wire(number, last, inlet=1)
    every = patch.object("t l l l", 40, 238, came)
    patch.wire(patch.object("pack f 100 1", 40, 212, number), every)
    patch.wire(patch.object("pack f 0 1", 170, 212, last), every)

    begins = patch.object("spigot", 40, 290)
    patch.wire(every, begins, outlet=1)
    on = patch.object("expr $f2 > 0", 140, 264)
    patch.wire(every, on, outlet=2)
    patch.wire(on, begins, inlet=1)
    pitch_velocity_channel = patch.object("unpack f f f", 40, 316, begins)
    pitch = patch.object("f 60", 40, 342, pitch_velocity_channel)
    velocity = patch.object("f", 170, 368)
    strength = patch.object("/ 127.", 170, 342)
    patch.wire(pitch_velocity_channel, strength, outlet=1)
    patch.wire(strength, velocity)
    channel = patch.object("f 1", 240, 342)
    patch.wire(pitch_velocity_channel, channel, outlet=2)
    # An end counts only for the note that sounds.
    ends = patch.object("expr $f2 == 0 && $f1 == $f4 && $f3 == $f5", 240, 264, every)
    patch.wire(pitch, ends, inlet=3)
    patch.wire(channel, ends, inlet=4)
    silence = patch.message("0", 330, 316, velocity)
    patch.wire(patch.object("sel 1", 330, 290, ends), silence)

    # Bends are remembered for each channel: MPE sends them before the note.
    memory = patch.add("memory", f"{name}-bends", 40, 434, size=17)
    bend = patch.object("bendin", 240, 376)
    patch.wire(bend, memory, outlet=1, inlet=2)
    order = patch.object("t b f", 240, 402, bend)
    patch.wire(order, memory, outlet=1, inlet=1)
    current = patch.object("f 1", 330, 402, order)
    patch.wire(channel, current, inlet=1)
    for asked in (current, channel):
        patch.wire(asked, memory)
    start = patch.add("object", "loadbang", 700, 530, only="pd")
    patch.wire(start, patch.add("message", f"; {name}-bends const {MIDDLE}", 700, 556, only="pd"))
    semitones = patch.object(f"expr ($f1 - {MIDDLE}) / {MIDDLE}. * $f2", 40, 490, memory)
    span = patch.add("number", f"{name}-bend-range", 360, 490, label="bend range (MPE 48)", value=2)
    patch.wire(span, semitones, inlet=1)
    bent = patch.object("+ 0", 40, 540, pitch)
    order = patch.object("t b f", 100, 516, semitones)
    patch.wire(order, bent, outlet=1, inlet=1)
    patch.wire(order, pitch)
    return _smooth(patch, bent, 40, 566, 3), velocity, channel
