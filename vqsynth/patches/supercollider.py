"""An example for SuperCollider, whose nn.ar plays the same files."""

from __future__ import annotations

from vqsynth.patches.descriptors import note
from vqsynth.patches.helping import listed
from vqsynth.patches.latents import BY_HAND
from vqsynth.patches.parts import Model


def supercollider_text(model: Model) -> str:
    """The file: each part is evaluated by itself."""
    name, card = model.name, model.card
    head = f"""// {name} in SuperCollider, with the extension nn.ar. Untried: written from its documentation.
// The file is made for {card.sample_rate} Hz: s.options.sampleRate = {card.sample_rate};
"""
    load = f"""(
s.waitForBoot {{
    NN.load(\\{_key(name)}, thisProcess.nowExecutingPath.dirname +/+ "{name}.ts", action: _.describe);
}};
)
"""
    parts = [head, load]
    for method in card.methods:
        parts.append(
            f"// {method.name}, {model.delay_ms(method.name):.0f} ms: {listed(method.inputs)} -> "
            f"{listed(method.outputs)}\n(\n{{\n{_body(model, method.name)}\n}}.play;\n)\n"
        )
    for attribute in card.attributes:
        values = attribute.values
        if len(values) == 1:
            value = "true" if values[0].unit == "bool" else f"{max(values[0].low, 0.0):g}"
            parts.append(
                f"NN(\\{_key(name)}).set(\\{attribute.name}, {value}); // {listed(values)}: {attribute.about}\n"
            )
    return "\n".join(parts)


def _key(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name)


def _body(model: Model, method: str) -> str:
    name, buffer = _key(model.name), model.buffer
    call = f"NN(\\{name}, \\{method}).ar({buffer}, %)"
    ports = {port.name: port for port in model.method(method).inputs}
    if method == "encode":
        return f"    {call.replace('%', 'SoundIn.ar')}.do(_.poll(2));\n    Silent.ar"
    if "sound" in ports:
        return f"    ({call.replace('%', 'SoundIn.ar')} * 0.3).clip2(1) ! 2"
    values = []
    for port in ports.values():
        if port.name == "centroid" and model.card.kind == "timbre":
            values.append(f"MouseY.kr({port.low:g}, {port.high:g}, 1)")
        elif port.name == "pitch":
            values.append(f"{note(port):.2f}")
        elif port.name == "axis 0":
            values.append(f"MouseX.kr({port.low:g}, {port.high:g})")
        elif port.name == "velocity":
            values.append("0.8")
        elif port.name == "code":
            values.append(f"MouseX.kr({port.low:g}, {port.high:g}).round")
        else:
            values.append(f"{BY_HAND.get(port.name, 0.0):g}" if model.card.kind == "wavae" else "0")
    inputs = ", ".join(f"K2A.ar({value})" for value in values)
    return f"    ({call.replace('%', f'[{inputs}]')} * 0.3).clip2(1) ! 2"
