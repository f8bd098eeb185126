"""What patches are made of: a model, sound in, sound out, the way out."""

from __future__ import annotations

import dataclasses

from vqsynth.export.card import Card, Method
from vqsynth.patches.drawing import Patch

ENABLE = "vqsynth-nn"
"""What all models in all patches listen to."""


@dataclasses.dataclass(frozen=True)
class Model:
    """A model as patches see it.

    Attributes:
        card: of the exported file.
        buffer: samples that nn~ computes at a time.
    """

    card: Card
    buffer: int

    @property
    def name(self) -> str:
        """Of the file, without its suffix, and of all that listens."""
        return self.card.name

    def method(self, name: str) -> Method:
        """A method of the card."""
        return next(method for method in self.card.methods if method.name == name)

    def delay_ms(self, name: str) -> float:
        """Delay of a method in nn~, which computes in a thread."""
        return self.card.ms(self.method(name).delay + 2 * self.buffer)


def nn(patch: Patch, model: Model, method: str, x: int, y: int) -> int:
    """A model's method; the size of its buffer is sent when the patch is loaded, or small ones would wait for large."""
    shape = model.method(method)
    box = patch.add(
        "nn",
        model.name,
        x,
        y,
        method=method,
        buffer=model.buffer,
        inlets=len(shape.inputs),
        outlets=len(shape.outputs),
    )
    start = patch.add("object", "loadbang", x + 220, y - 52, only="pd")
    size = patch.add("message", f"bufsize {model.buffer}", x + 220, y - 26, only="pd")
    patch.wire(start, size)
    patch.wire(size, box)
    patch.wire(patch.object(f"r {ENABLE}", x + 320, y - 26), box)
    return box


def title(patch: Patch, model: Model, text: str, used: str) -> None:
    """Words at the top: what it is, how late, for which rate."""
    patch.comment(f"{model.name}: {text}", 20, 12, 90)
    late = f"{model.delay_ms(used):.0f} ms late in buffers of {model.buffer}"
    patch.comment(f"made for {model.card.sample_rate} Hz; {late}; licence MIT", 20, 32, 90)


def switches(patch: Patch, x: int, y: int) -> None:
    """Sound on and off, and an end of the program that stops the models first."""
    on = patch.add("toggle", "vqsynth-dsp", x, y, label="audio", value=0)
    patch.wire(on, patch.message("; pd dsp $1", x + 80, y, other="; dsp $1"))
    end = patch.add("bang", "vqsynth-quit", x, y + 44, label="quit")
    order = patch.object("t b b b", x + 80, y + 44, end)
    wait = patch.object("delay 300", x + 80, y + 70)
    patch.wire(order, wait)
    patch.wire(wait, patch.message("; pd quit", x + 80, y + 96, other="; max quit"))
    off = patch.message("; pd dsp 0", x + 170, y + 96, other="; dsp stop")
    patch.wire(order, off, outlet=1)
    disable = patch.message("enable 0", x + 170, y + 18)
    patch.wire(order, disable, outlet=2)
    patch.wire(disable, patch.object(f"s {ENABLE}", x + 170, y + 44))


def output(patch: Patch, model: Model, source: int, x: int, y: int) -> None:
    """Sound out, within -1 and 1."""
    volume = patch.slider(f"{model.name}-volume", "volume", 0, 1, 0.3, x + 80, y, length=100)
    louder = patch.object("*~ 0.3", x, y, source)
    patch.wire(volume, louder, inlet=1)
    safe = patch.object("clip~ -1 1", x, y + 28, louder)
    patch.object("dac~", x, y + 56, safe, safe)


def sound_in(patch: Patch, model: Model, x: int, y: int, burst: bool = False) -> int:
    """Sound from a microphone or a file, or a burst of noise; its box."""
    microphone = patch.object("*~ 0", x, y + 30, patch.object("adc~ 1", x, y))
    open_in = patch.add("toggle", f"{model.name}-input", x + 70, y, label="input", value=0)
    patch.wire(open_in, microphone, inlet=1)
    player = patch.object("readsf~", x + 160, y + 58)
    choose = patch.add("bang", f"{model.name}-file", x + 160, y, label="file")
    ask = patch.add("object", "openpanel", x + 215, y, only="pd")
    opened = patch.message("open $1, 1", x + 160, y + 30, player, other="open, 1")
    patch.wire(choose, ask)
    patch.wire(ask, opened)
    patch.wire(choose, opened, only="max")
    mixed = patch.object("+~", x, y + 90, microphone, player)
    if not burst:
        return mixed
    noise = patch.object("noise~", x + 300, y + 30)
    start = patch.add("bang", f"{model.name}-burst", x + 300, y, label="burst")
    shape = patch.object("line~", x + 370, y + 58)
    patch.wire(start, patch.message("0.3, 0 200", x + 370, y, shape))
    part = patch.object("*~", x + 300, y + 90, noise, shape)
    return patch.object("+~", x, y + 118, mixed, part)
