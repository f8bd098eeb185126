"""Latents of a continuous model, bent on their way from sound to sound, or played by hand."""

from __future__ import annotations

from vqsynth.patches.drawing import Patch
from vqsynth.patches.parts import Model, nn, output, sound_in, switches, title

ROW = 8
"""Sliders beside each other."""
BY_HAND = {"loudness": -25.0, "pitch": 220.0, "voicing": 1.0, "centroid": 1500.0}


def latents_patch(model: Model) -> Patch:
    """``latents``."""
    ports = model.method("decode").inputs
    axes = [port for port in ports if port.name.startswith("axis")]
    controls = ports[len(axes) :]
    rows = -(-len(axes) // ROW)
    patch = Patch(1180, 640 + 250 * rows)
    title(patch, model, "the widest axes of its latents, bent live", "forward")
    late = model.delay_ms("encode") + model.delay_ms("decode")
    patch.comment(f"each slider is added to its axis, in standard deviations; {late:.0f} ms late here", 20, 52, 90)
    switches(patch, 920, 80)
    name = model.name
    encoder = nn(patch, model, "encode", 40, 280)
    patch.wire(sound_in(patch, model, 40, 90), encoder)
    bottom = 450 + 250 * rows
    decoder = nn(patch, model, "decode", 40, bottom)
    scale = patch.slider(f"{name}-scale", "scale", 0, 3, 1, 420, 100, length=100)
    factor = patch.object("sig~ 1", 420, 130, scale)
    for k, port in enumerate(axes):
        x, y = 40 + 130 * (k % ROW), 400 + 250 * (k // ROW)
        bent = patch.object("*~", x, y)
        patch.wire(encoder, bent, outlet=k)
        patch.wire(factor, bent, inlet=1)
        hand = patch.slider(f"{name}-axis-{k}", port.name, port.low, port.high, 0, x + 60, y, vertical=True)
        moved = patch.object("+~", x, y + 30, bent)
        patch.wire(patch.object("sig~", x, y + 200, hand), moved, inlet=1)
        patch.wire(moved, decoder, inlet=k)

    # Loudness, pitch and the like: as heard, or by hand.
    mode = patch.add("toggle", f"{name}-hand", 420, 190, label="by hand", value=0)
    heard = patch.object("== 0", 520, 190, mode)
    for k, port in enumerate(controls):
        x = 480 + 190 * k
        start = min(max(BY_HAND.get(port.name, port.low), port.low), port.high)
        hand = patch.slider(
            f"{name}-{port.name}", f"{port.name} {port.unit}".strip(), port.low, port.high, start, x, 260, length=80
        )
        ours = patch.object("*~ 0", x + 50, 292, patch.object("sig~", x, 292, hand))
        patch.wire(mode, ours, inlet=1)
        theirs = patch.object("*~ 1", x, 318)
        patch.wire(encoder, theirs, outlet=len(axes) + k)
        patch.wire(heard, theirs, inlet=1)
        patch.wire(patch.object("+~", x + 50, 318, theirs, ours), decoder, inlet=len(axes) + k)
    for row, (attribute, low, high) in enumerate((("temperature", 0, 2), ("transpose", -24, 24))):
        slider = patch.slider(f"{name}-{attribute}", attribute, low, high, 0, 640, 100 + 60 * row)
        patch.wire(slider, patch.message(f"set {attribute} $1", 640, 126 + 60 * row, decoder))
    output(patch, model, decoder, 40, bottom + 40)
    return patch
