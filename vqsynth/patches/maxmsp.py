"""Patches as Max reads them: the objects of Pure Data by the names and inlets that they have there."""

from __future__ import annotations

import json
from typing import Any

from vqsynth.patches.drawing import Box, Patch, Written, amount, placed

SIGNAL = "signal"
SAME_SIZE = {
    "+~": (2, [SIGNAL]),
    "*~": (2, [SIGNAL]),
    "sig~": (1, [SIGNAL]),
    "noise~": (1, [SIGNAL]),
    "line~": (2, [SIGNAL, "bang"]),
    "mtof~": (1, [SIGNAL]),
    "clip~": (3, [SIGNAL]),
    "dac~": (2, []),
    "adc~": (1, [SIGNAL]),
    "+": (2, ["int"]),
    "*": (2, ["float"]),
    "/": (2, ["float"]),
    "==": (2, ["int"]),
    ">": (2, ["int"]),
    "f": (2, ["float"]),
    "notein": (1, ["int", "int", "int"]),
    "touchin": (1, ["int", "int"]),
    "ctlin": (1, ["int", "int"]),
    "r": (0, [""]),
    "s": (1, []),
    "delay": (2, ["bang"]),
    "sel": (2, ["bang", ""]),
}
"""Objects that are the same in both: inlets, and what the outlets give."""
RENAMED: dict[str, tuple[str, int, list[str], dict[int, int]]] = {
    "bp~": ("reson~ 1.", 4, [SIGNAL], {1: 2, 2: 3}),
    "spigot": ("gate", 2, [""], {0: 1, 1: 0}),
    "vline~": ("line 0. 5", 3, ["", "", "bang"], {}),
    "readsf~": ("sfplay~", 1, [SIGNAL, "bang"], {}),
    "bendin": ("xbendin", 1, ["int", "int"], {}),
    "r~": ("receive~", 1, [SIGNAL], {}),
    "s~": ("send~", 1, [], {}),
}
"""Objects of another name: its name, inlets, outlets, and inlets that are elsewhere."""


def max_text(patch: Patch) -> str:
    """The file of a patch."""
    boxes, wires = placed(patch, "max", _written)
    delays = {kind: number for number, box in enumerate(boxes) for kind in ("tapin~", "tapout~") if _is(box, kind)}
    if delays:
        wires.append((delays["tapin~"], 0, delays["tapout~"], 0))
    patcher = {
        "fileversion": 1,
        "appversion": {"major": 8, "minor": 5, "revision": 0, "architecture": "x64", "modernui": 1},
        "classnamespace": "box",
        "rect": [60.0, 80.0, float(patch.width), float(patch.height)],
        "boxes": [{"box": {"id": f"obj-{number + 1}", **box}} for number, box in enumerate(boxes)],
        "lines": [
            {"patchline": {"source": [f"obj-{a + 1}", outlet], "destination": [f"obj-{b + 1}", inlet]}}
            for a, outlet, b, inlet in wires
        ],
    }
    return json.dumps({"patcher": patcher}, indent=1) + "\n"


def _is(box: dict[str, Any], kind: str) -> bool:
    return str(box.get("text", "")).split(" ")[0] == kind


def _box(
    kind: str, x: int, y: int, width: int, inlets: int, outlets: list[str], height: int = 22, **more: Any
) -> dict[str, Any]:
    return {
        "maxclass": kind,
        "numinlets": inlets,
        "numoutlets": len(outlets),
        "outlettype": outlets,
        "patching_rect": [float(x), float(y), float(width), float(height)],
        **more,
    }


def _object(text: str, x: int, y: int, inlets: int, outlets: list[str]) -> dict[str, Any]:
    return _box("newobj", x, y, 7 * len(text) + 20, inlets, outlets, text=text)


def _written(box: Box) -> Written:
    x, y, text, more = box.x, box.y, box.text, box.options
    if box.kind == "object":
        return _known(box)
    if box.kind == "nn":
        words = f"nn~ {text} {more['method']} {more['buffer']}"
        return Written([_object(words, x, y, more["inlets"], [SIGNAL] * more["outlets"])])
    if box.kind == "message":
        said = str(more["other"])
        return Written([_box("message", x, y, 7 * len(said) + 20, 2, [""], text=said)])
    if box.kind == "comment":
        return Written([_box("comment", x, y, 6 * more["width"], 1, [], text=text)])
    if box.kind == "slider":
        return _slider(box)
    if box.kind in ("number", "toggle", "bang", "radio"):
        kind, width = {
            "number": ("flonum", 60),
            "toggle": ("toggle", 20),
            "bang": ("button", 20),
            "radio": ("radiogroup", 18 * more.get("count", 1)),
        }[box.kind]
        outlets = {"flonum": ["", "bang"], "toggle": ["int"], "button": ["bang"], "radiogroup": [""]}[kind]
        shape = {"itemtype": 0, "size": more["count"], "orientation": 1} if kind == "radiogroup" else {}
        boxes = [_box(kind, x, y, width, 1, outlets, **shape), _object(f"r {text}", x, y - 22, 0, [""])]
        wires = [(1, 0, 0, 0)]
        if more.get("label"):
            words = more["label"].replace("_", " ")
            boxes.append(_box("comment", x + width + 4, y, 7 * len(words) + 10, 1, [], text=words))
        if "value" in more:
            boxes.append(_object(f"loadmess {amount(more['value'])}", x + 60, y - 22, 1, [""]))
            wires.append((len(boxes) - 1, 0, 0, 0))
        return Written(boxes, wires)
    if box.kind == "curve":
        points = more["values"]
        step = max(1, (len(points) - 1) // 20)
        corners = [number for k in range(0, len(points), step) for number in (float(k), points[k], 0)]
        shape = dict(
            addpoints=corners,
            domain=float(len(points) - 1),
            range=[more["low"], more["high"]],
            parameter_enable=0,
        )
        function = _box("function", x, y, more["width"], 1, ["float", "", "", "bang"], more["height"], **shape)
        soft = _object("pack 0. 5", x, y + more["height"] + 8, 2, [""])
        line = _object("line~", x + 90, y + more["height"] + 8, 2, [SIGNAL, "bang"])
        return Written([function, soft, line], [(0, 0, 1, 0), (1, 0, 2, 0)], outlets={0: (2, 0)})
    if box.kind == "memory":
        parts = [_object(words, x + 90 * k, y, 2, outs) for k, (words, outs) in enumerate(_MEMORY)]
        parts.append(_object(f"coll {text}", x + 270, y, 1, ["", "", "", ""]))
        wires = [(0, 0, 1, 0), (0, 1, 1, 1), (1, 0, 2, 0)]
        return Written(parts, wires, inlets={0: (2, 0), 1: (0, 0), 2: (0, 1)}, outlets={0: (2, 0)})
    raise ValueError(box.kind)


_MEMORY = (("swap", ["int", "int"]), ("pack 0 0", [""]))


def _slider(box: Box) -> Written:
    more, x, y = box.options, box.x, box.y
    low, high, length = more["low"], more["high"], more["length"]
    width, height = (18, length) if more["vertical"] else (length, 18)
    shape = dict(floatoutput=1, min=0.0, size=1.0, orientation=2 if more["vertical"] else 1)
    to = f"expr {low:g} * pow({high / low:.7g}, $f1)" if more["log"] else f"expr {low:g} + $f1 * {high - low:.7g}"
    below = y + height + 4
    boxes = [
        _box("flonum", x, below + 26, 60, 1, ["", "bang"]),
        _box("slider", x, y, width, 1, [""], height, **shape),
        _object(to, x, below, 1, [""]),
        _object(f"r {box.text}", x + 90, below, 0, [""]),
        _object(f"loadmess {amount(more['value'])}", x + 90, below + 26, 1, [""]),
        _box("comment", x, y - 20, 7 * len(more["label"]) + 10, 1, [], text=more["label"]),
    ]
    return Written(boxes, [(1, 0, 2, 0), (2, 0, 0, 0), (3, 0, 0, 0), (4, 0, 0, 0)])


def _known(box: Box) -> Written:
    name, _, rest = box.text.partition(" ")
    words = rest.split()
    if name in SAME_SIZE:
        inlets, outlets = SAME_SIZE[name]
        # A number without a point would make whole numbers of all that come.
        if name in ("*", "/", "+", "*~", "+~"):
            rest = " ".join(word if "." in word else f"{word}." for word in words)
        if name == "sel":
            inlets, outlets = 2 if len(words) == 1 else 1, ["bang"] * len(words) + [""]
        if name == "+":
            outlets = ["float"]
        if name == "f" and rest and "." not in rest:
            rest += "."
        if name == "f" and not rest:
            rest = "0."
        return Written([_object(f"{name} {rest}".strip(), box.x, box.y, inlets, outlets)])
    if name in RENAMED:
        other, inlets, outlets, moved = RENAMED[name]
        words = [word for word in words if name != "readsf~"]
        text = " ".join([other, *words])
        return Written([_object(text, box.x, box.y, inlets, outlets)], inlets={k: (0, v) for k, v in moved.items()})
    if name == "t":
        return Written([_object(box.text, box.x, box.y, 1, [{"b": "bang", "f": "float", "l": ""}[w] for w in words])])
    if name == "pack":
        values = " ".join("0." if word == "f" else word if "." in word else f"{word}." for word in words)
        return Written([_object(f"pack {values}", box.x, box.y, len(words), [""])])
    if name == "unpack":
        return Written([_object("unpack 0. 0. 0.", box.x, box.y, 1, ["float"] * len(words))])
    if name == "expr":
        inlets = max(int(rest[k + 2]) for k in range(len(rest)) if rest.startswith("$f", k))
        return Written([_object(box.text, box.x, box.y, inlets, [""])])
    if name == "delread~":
        return Written([_object("tapout~ 1", box.x, box.y, 1, [SIGNAL])])
    if name == "delwrite~":
        return Written([_object(f"tapin~ {words[1]}", box.x, box.y, 1, ["tapconnect"])])
    if name == "writesf~":
        count = int(words[0])
        return Written([_object(f"sfrecord~ {count}", box.x, box.y, count, [SIGNAL])])
    raise ValueError(f"{box.text}: not known in Max")
