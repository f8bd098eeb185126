"""A patch as boxes and wires, for any host."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any


@dataclasses.dataclass(frozen=True)
class Box:
    """Something in a patch.

    Attributes:
        kind: ``object``, ``message``, ``comment``, ``slider``, ``number``, ``toggle``, ``bang``, ``radio``, ``curve``,
            ``memory`` or ``nn``.
        text: of it, in the language of Pure Data.
        x: place of its left edge, pixels.
        y: place of its upper edge.
        options: what its kind needs beside.
    """

    kind: str
    text: str
    x: int
    y: int
    options: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Wire:
    """A connection from an outlet to an inlet; boxes by their number; ``only`` names a host where there is but one."""

    source: int
    outlet: int
    target: int
    inlet: int
    only: str = ""


class Patch:
    """Boxes and wires.

    Args:
        width: of the window, pixels.
        height: of it.

    Attributes:
        boxes: in their order.
        wires: in their order, which hosts may keep.
    """

    def __init__(self, width: int = 900, height: int = 600) -> None:
        self.width, self.height = width, height
        self.boxes: list[Box] = []
        self.wires: list[Wire] = []

    def add(self, kind: str, text: str, x: int, y: int, **options: Any) -> int:
        """A box of any kind; its number."""
        self.boxes.append(Box(kind, text, x, y, options))
        return len(self.boxes) - 1

    def object(self, text: str, x: int, y: int, *sources: int) -> int:
        """An object, the first outlets of ``sources`` wired to its inlets one after the other."""
        box = self.add("object", text, x, y)
        for inlet, source in enumerate(sources):
            self.wire(source, box, inlet=inlet)
        return box

    def message(self, text: str, x: int, y: int, *targets: int, other: str | None = None) -> int:
        """A message wired to ``targets``; in Max it says ``other``, if given."""
        box = self.add("message", text, x, y, other=text if other is None else other)
        for target in targets:
            self.wire(box, target)
        return box

    def comment(self, text: str, x: int, y: int, width: int = 60) -> int:
        """Words, ``width`` letters to the line."""
        return self.add("comment", text, x, y, width=width)

    def slider(
        self,
        name: str,
        label: str,
        low: float,
        high: float,
        value: float,
        x: int,
        y: int,
        log: bool = False,
        vertical: bool = False,
        length: int = 160,
    ) -> int:
        """A slider and a number box below or beside it; the number box's outlet.

        Args:
            name: what it can be sent to from elsewhere.
            label: shown.
            low: its least value.
            high: its greatest.
            value: at first.
            x: place.
            y: place.
            log: equal ratios are equal ways.
            vertical: or horizontal.
            length: pixels.
        """
        options = dict(low=low, high=high, value=value, log=log, vertical=vertical, length=length)
        return self.add("slider", name, x, y, label=label, **options)

    def wire(self, source: int, target: int, outlet: int = 0, inlet: int = 0, only: str = "") -> None:
        """A wire, of one host or all."""
        self.wires.append(Wire(source, outlet, target, inlet, only))


@dataclasses.dataclass
class Written:
    """How a host writes a box: several of its own boxes, and where wires go.

    Attributes:
        boxes: in a host's own form.
        wires: among them: (box, outlet, box, inlet).
        inlets: of the drawn box: (box, inlet) each; what is not named is that of the first box.
        outlets: likewise.
    """

    boxes: list[Any]
    wires: list[tuple[int, int, int, int]] = dataclasses.field(default_factory=list)
    inlets: dict[int, tuple[int, int]] = dataclasses.field(default_factory=dict)
    outlets: dict[int, tuple[int, int]] = dataclasses.field(default_factory=dict)


def placed(patch: Patch, host: str, write: Callable[[Box], Written]) -> tuple[list[Any], list[tuple[int, ...]]]:
    """All boxes of a host in a row, and all wires between them: (box, outlet, box, inlet).

    Boxes with an option ``only`` are those of one host; wires from and to them go with them.
    """
    written = [write(box) if box.options.get("only", host) == host else Written([]) for box in patch.boxes]
    first: list[int] = []
    boxes: list[Any] = []
    found: list[tuple[int, ...]] = []
    for part in written:
        start = len(boxes)
        first.append(start)
        boxes += part.boxes
        found += [(start + a, outlet, start + b, inlet) for a, outlet, b, inlet in part.wires]
    for wire in patch.wires:
        source, target = written[wire.source], written[wire.target]
        if not source.boxes or not target.boxes or wire.only not in ("", host):
            continue
        a, outlet = source.outlets.get(wire.outlet, (0, wire.outlet))
        b, inlet = target.inlets.get(wire.inlet, (0, wire.inlet))
        found.append((first[wire.source] + a, outlet, first[wire.target] + b, inlet))
    return boxes, found


def amount(value: float) -> str:
    """A number as hosts read it."""
    return f"{value:.7g}"
