"""Patches as Pure Data reads them: version 0.53 and later, no libraries but nn~."""

from __future__ import annotations

from vqsynth.patches.drawing import Box, Patch, Written, amount, placed

LOOK = "#fcfcfc #000000 #000000"


def pd_text(patch: Patch) -> str:
    """The file of a patch."""
    boxes, wires = placed(patch, "pd", _written)
    lines = [f"#N canvas 60 60 {patch.width} {patch.height} 12;", *boxes]
    lines += [f"#X connect {a} {outlet} {b} {inlet};" for a, outlet, b, inlet in wires]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Words as they stand in a file."""
    for mark in ",;$":
        text = text.replace(mark, f"\\{mark}" if mark == "$" else f" \\{mark}")
    return text


def _written(box: Box) -> Written:
    x, y, text, more = box.x, box.y, box.text, box.options
    if box.kind == "object":
        return Written([f"#X obj {x} {y} {escaped(text)};"])
    if box.kind == "nn":
        return Written([f"#X obj {x} {y} nn~ {text} {more['method']} {more['buffer']};"])
    if box.kind == "message":
        return Written([f"#X msg {x} {y} {escaped(text)};"])
    if box.kind == "comment":
        # A semicolon would end the line.
        return Written([f"#X text {x} {y} {escaped(text.replace(';', ' |'))}, f {more['width']};"])
    if box.kind == "slider":
        return _slider(box)
    if box.kind == "number":
        label, value = _label(more["label"]), amount(more["value"])
        return Written(
            [f"#X obj {x} {y} nbx 7 18 -1e+37 1e+37 0 1 empty {text} {label} 0 -10 0 12 {LOOK} {value} 256;"]
        )
    if box.kind == "toggle":
        value = amount(more["value"])
        return Written([f"#X obj {x} {y} tgl 20 1 empty {text} {_label(more['label'])} 25 10 0 12 {LOOK} {value} 1;"])
    if box.kind == "bang":
        return Written([f"#X obj {x} {y} bng 20 250 50 0 empty {text} {_label(more['label'])} 25 10 0 12 {LOOK};"])
    if box.kind == "radio":
        # Without a first value nothing is sent when the patch is loaded.
        starts, value = int("value" in more), more.get("value", 0)
        tail = f"empty {text} empty 0 -8 0 12 {LOOK} {value}"
        return Written([f"#X obj {x} {y} hradio 18 1 {starts} {more['count']} {tail};"])
    if box.kind == "curve":
        return _curve(box)
    if box.kind == "memory":
        # Inlets: place to read, value to write, place to write it at.
        boxes = [f"#X obj {x} {y} tabread {text};", f"#X obj {x + 150} {y} tabwrite {text};"]
        boxes.append(f"#X obj {x} {y + 26} array define -k {text} {more['size']};")
        return Written(boxes, inlets={1: (1, 0), 2: (1, 1)})
    raise ValueError(box.kind)


def _label(text: str) -> str:
    return text.replace(" ", "_") or "empty"


def _slider(box: Box) -> Written:
    more, length = box.options, box.options["length"]
    low, high, value = more["low"], more["high"], more["value"]
    kind, size, number = "hsl", f"{length} 18", (box.x + length + 12, box.y)
    label = "0 -10"
    if more["vertical"]:
        kind, size, number, label = "vsl", f"18 {length}", (box.x - 4, box.y + length + 10), "-4 -12"
    bounds = f"{amount(low)} {amount(high)} {int(more['log'])} 0"
    shown = f"empty {box.text} {_label(more['label'])} {label} 0 12 {LOOK} 0 1"
    boxes = [
        f"#X obj {box.x} {box.y} {kind} {size} {bounds} {shown};",
        f"#X floatatom {number[0]} {number[1]} 8 0 0 0 - - -;",
        _first(number[0], number[1] + 24, value),
    ]
    return Written(boxes, [(0, 0, 1, 0), (2, 0, 0, 0)], outlets={0: (1, 0)})


def _first(x: int, y: int, value: float) -> str:
    """A first value, sent when the patch is loaded: what a slider itself keeps is exact to a pixel only."""
    inner = [
        "#N canvas 0 0 300 200 first 0;",
        "#X obj 20 20 loadbang;",
        f"#X obj 20 50 f {amount(value)};",
        "#X obj 20 80 outlet;",
        "#X connect 0 0 1 0;",
        "#X connect 1 0 2 0;",
        f"#X restore {x} {y} pd first;",
    ]
    return "\n".join(inner)


def _curve(box: Box) -> Written:
    more, name = box.options, box.text
    values = more["values"]
    points, size = " ".join(amount(value) for value in values), f"{more['width']} {more['height']}"
    graph = [
        "#N canvas 0 0 450 250 (subpatch) 0;",
        f"#X array {name} {len(values)} float 3;",
        f"#A 0 {points};",
        f"#X coords 0 {amount(more['high'])} {len(values) - 1} {amount(more['low'])} {size} 1 0 0;",
        f"#X restore {box.x} {box.y} graph;",
    ]
    reader = f"#X obj {box.x} {box.y + more['height'] + 8} tabread4~ {name};"
    return Written([reader, "\n".join(graph)])
