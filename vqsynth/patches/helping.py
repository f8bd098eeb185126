"""Help: what a model's file can do, with a small example that sounds."""

from __future__ import annotations

from vqsynth.export.card import AUDIO, Port
from vqsynth.patches.descriptors import note
from vqsynth.patches.drawing import Patch, amount
from vqsynth.patches.parts import Model, nn, output, sound_in, switches, title

HALF_WAY = {"velocity": 0.8, "gain": 0.0}


def described(port: Port) -> str:
    """A signal's name, unit and range."""
    if port.unit == AUDIO:
        return port.name
    unit = f" {port.unit}" if port.unit else ""
    return f"{port.name} {amount(port.low)} to {amount(port.high)}{unit}"


def listed(ports: tuple[Port, ...]) -> str:
    """Signals in a row, of many axes the first and the last."""
    axes = [port for port in ports if port.name.startswith("axis")]
    rest = [described(port) for port in ports if port not in axes]
    few = [described(port) for port in axes] if len(axes) < 3 else [f"{axes[0].name} to {described(axes[-1])}"]
    return "; ".join([*few, *rest]) if axes else "; ".join(rest)


def help_patch(model: Model) -> Patch:
    """``help``."""
    card = model.card
    patch = Patch(1080, 400 + 62 * len(card.methods) + 26 * len(card.attributes))
    main = "control" if card.kind == "timbre" else "forward"
    title(patch, model, card.description or card.kind, main)
    switches(patch, 760, 80)
    made = nn(patch, model, main, 40, 250)
    if main == "forward":
        patch.wire(sound_in(patch, model, 40, 90), made)
    else:
        for k, port in enumerate(model.method(main).inputs):
            start = note(port) if port.name == "pitch" else HALF_WAY.get(port.name, 0.0)
            x, y = 40 + 220 * (k % 3), 90 + 70 * (k // 3)
            number = patch.add("number", f"{model.name}-help-{port.name}", x, y, label=port.name, value=start)
            patch.wire(patch.object("sig~", x, y + 26, number), made, inlet=k)
    output(patch, model, made, 40, 290)
    y = 390
    for method in card.methods:
        delay = f"{model.delay_ms(method.name):.0f} ms in buffers of {model.buffer}"
        patch.comment(f"nn~ {model.name} {method.name} {model.buffer}: {method.about}; {delay}", 40, y, 120)
        patch.comment(f"in: {listed(method.inputs)}", 70, y + 18, 130)
        patch.comment(f"out: {listed(method.outputs)}", 70, y + 36, 130)
        y += 62
    for attribute in card.attributes:
        shown = " ".join("true" if port.unit == "bool" else amount(max(port.low, 0.0)) for port in attribute.values)
        patch.message(f"set {attribute.name} {shown}", 70, y, made)
        patch.comment(f"{listed(attribute.values)}: {attribute.about}", 300, y, 100)
        y += 26
    return patch
