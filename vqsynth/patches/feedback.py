"""The model in a loop: its sound, band-passed, comes back to it; sound and controls are recorded."""

from __future__ import annotations

from vqsynth.patches.drawing import Patch
from vqsynth.patches.parts import Model, nn, output, sound_in, switches, title

FREQUENCY, Q, FEEDBACK = (20.0, 10_000.0, 1000.0), (0.5, 20.0, 10.0), (0.0, 20.0, 1.0)
"""Lowest, highest and first value; each is recorded as a share of the highest."""


def feedback_patch(model: Model) -> Patch:
    """``feedback``."""
    patch = Patch(1120, 680)
    title(patch, model, "a model that hears itself through a band-pass", "forward")
    patch.comment("audio on, a burst to begin with, then the three sliders; the loop stays within -1 and 1", 20, 52, 90)
    switches(patch, 820, 80)
    loop = f"{model.name}-loop"
    back = patch.object(f"delread~ {loop} 0", 40, 90)
    mixed = patch.object("+~", 40, 250, back, sound_in(patch, model, 260, 90, burst=True))
    made = nn(patch, model, "forward", 40, 310)
    patch.wire(mixed, made)
    output(patch, model, made, 40, 500)
    patch.object(f"s~ {model.name}-audio", 110, 340, made)

    controls = [
        patch.slider(f"{model.name}-{label}", label, *values, x, 260, log=label == "frequency", vertical=True)
        for label, values, x in (("frequency", FREQUENCY, 560), ("Q", Q, 640), ("feedback", FEEDBACK, 720))
    ]
    band = patch.object(f"bp~ {FREQUENCY[2]:g} {Q[2]:g}", 330, 500, made)
    patch.comment("band-pass filter", 430, 500)
    patch.wire(controls[0], band, inlet=1)
    patch.wire(controls[1], band, inlet=2)
    again = patch.object("*~ 0", 330, 530, band)
    patch.comment("feedback factor", 430, 530)
    patch.wire(controls[2], again, inlet=1)
    patch.object(f"delwrite~ {loop} 1000", 330, 590, patch.object("clip~ -1 1", 330, 560, again))

    file = patch.object("writesf~ 4", 860, 600, patch.object(f"r~ {model.name}-audio", 560, 600))
    patch.comment("4 channels: sound, frequency / 10000, Q / 20, feedback / 20", 560, 630, 60)
    for channel, (control, values) in enumerate(zip(controls, (FREQUENCY, Q, FEEDBACK)), 1):
        share = patch.object(f"/ {values[1]:g}.", 560 + 80 * (channel - 1), 530, control)
        patch.wire(patch.object("sig~", 560 + 80 * (channel - 1), 560, share), file, inlet=channel)
    patch.comment("open, start, stop: records", 860, 400, 30)
    patch.message(f"open -bytes 4 {model.name}-feedback.wav", 860, 460, file, other="open")
    patch.message("start", 880, 490, file, other="1")
    patch.message("stop", 900, 520, file, other="0")
    patch.wire(patch.object(f"r {model.name}-record", 860, 430), file, only="pd")
    return patch
