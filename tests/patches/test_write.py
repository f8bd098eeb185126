"""Files of patches: their form, for hosts that are not here, and what the command writes."""

from __future__ import annotations

import json
import re

import pytest

from vqsynth.errors import UsageError
from vqsynth.patches.parts import Model, nn
from vqsynth.patches.write import PATCHES, files_of, write_patches

ALL = [(name, patch) for name, kind in (("violin", "timbre"), ("strings", "wavae")) for patch in PATCHES[kind]]


def read_max(path):
    """Boxes by their name, and wires: (box, outlet, box, inlet)."""
    patcher = json.loads(path.read_text())["patcher"]
    boxes = {entry["box"]["id"]: entry["box"] for entry in patcher["boxes"]}
    lines = [entry["patchline"] for entry in patcher["lines"]]
    return boxes, [(*line["source"], *line["destination"]) for line in lines]


@pytest.mark.parametrize("name, patch", ALL)
def test_max_patches_are_whole(name, patch, patches):
    boxes, wires = read_max(patches[name] / f"{patch}.maxpat")
    assert len(set(wires)) == len(wires) > 10
    for source, outlet, target, inlet in wires:
        assert 0 <= outlet < boxes[source]["numoutlets"], boxes[source]
        assert 0 <= inlet < boxes[target]["numinlets"], boxes[target]
    for box in boxes.values():
        assert box["maxclass"] and len(box["patching_rect"]) == 4 and len(box["outlettype"]) == box["numoutlets"]
        assert box["maxclass"] != "newobj" or box["text"].strip()
    texts = [box.get("text", "") for box in boxes.values()]
    assert not any(text.startswith(("bp~", "tabread", "readsf~", "writesf~", "spigot", "bufsize")) for text in texts)
    heard = [box for box in boxes.values() if box.get("text", "").startswith("dac~")]
    assert len(heard) == 1


@pytest.mark.parametrize("name, patch", ALL)
def test_every_inlet_of_a_model_is_wired(name, patch, patches, cards):
    """In both hosts, and none that the method has not."""
    sizes = {method.name: (len(method.inputs), len(method.outputs)) for method in cards[name].methods}
    boxes, wires = read_max(patches[name] / f"{patch}.maxpat")
    # Graphs are objects where they end.
    lines, depth = [], 0
    for line in (patches[name] / f"{patch}.pd").read_text().split(";\n")[1:]:
        depth += line.startswith("#N canvas")
        if line.startswith("#X restore"):
            depth -= 1
        if depth == 0 and line.startswith("#X") and not line.startswith("#X connect"):
            lines.append(line)
    text = (patches[name] / f"{patch}.pd").read_text()
    connects = [tuple(map(int, found)) for found in re.findall(r"^#X connect (\d+) (\d+) (\d+) (\d+);$", text, re.M)]
    models = {number: line.split() for number, line in enumerate(lines) if re.match(r"#X obj \d+ \d+ nn~ ", line)}
    assert models
    fed = {}
    for number, words in models.items():
        inlets, outlets = sizes[words[6]]
        found = fed[words[6]] = {inlet for *_, target, inlet in connects if target == number}
        # Notes leave alone what a keyboard does not say.
        assert found <= set(range(inlets)) if patch == "keyboard" else found == set(range(inlets))
        assert all(outlet < outlets for source, outlet, *_ in connects if source == number)
    for key, box in boxes.items():
        words = box.get("text", "").split()
        if box["maxclass"] == "newobj" and words[0] == "nn~":
            assert {inlet for *_, target, inlet in wires if target == key} == fed[words[2]]


def test_ranges_are_those_of_the_card(patches, cards):
    port = cards["violin"].methods[0].inputs[0]
    text = (patches["violin"] / "descriptors.pd").read_text()
    assert f"hsl 160 18 {port.low:g} {port.high:g} 1 0 empty violin-centroid" in text
    assert f"#X coords 0 {port.high:g} 1000 {port.low:g}" in text


def test_help_tells_all_methods_and_attributes(patches, cards):
    for name, card in cards.items():
        text = (patches[name] / "help.pd").read_text()
        for method in card.methods:
            assert f"nn~ {name} {method.name} " in text
        for attribute in card.attributes:
            assert f"#X msg 70 {text.split(f'set {attribute.name} ')[0].split()[-1]} set {attribute.name} " in text
        assert "set free 1" not in text  # nn~ reads a bool by its name


def test_supercollider_has_every_method(patches, cards):
    for name, card in cards.items():
        text = (patches[name] / f"{name}.scd").read_text()
        assert "Untried" in text
        for opened, closed in ("()", "[]", "{}"):
            assert text.count(opened) == text.count(closed)
        for method in card.methods:
            call = re.search(rf"NN\(\\{name}, \\{method.name}\)\.ar\(\d+, (\[.*\]|SoundIn\.ar)\)", text)
            assert call, method.name
            assert call.group(1).count("K2A.ar(") == (0 if method.in_ratio == 1 else len(method.inputs))


def test_a_buffer_of_one_hop_is_sent(cards):
    from vqsynth.patches.drawing import Patch
    from vqsynth.patches.pd import pd_text

    patch = Patch()
    nn(patch, Model(cards["violin"], 256), "fast", 10, 100)
    assert "nn~ violin fast 256" in pd_text(patch) and "bufsize 256" in pd_text(patch)


def test_hosts_are_chosen(cards):
    assert {name.rpartition(".")[2] for name in files_of(cards["violin"], ["pd"])} == {"pd"}
    with pytest.raises(UsageError, match="host"):
        write_patches(["violin"], "nowhere", hosts=["csound"])


def test_command_writes_patches_and_model(command, tmp_path, tiny_timbre):
    code, out, _ = command("patches", "-o", tmp_path / "made", "--model", tiny_timbre.path, "--rate", "48000")
    assert code == 0 and "48000 Hz" in out and "not been tried" in out
    written = {path.name for path in (tmp_path / "made" / "tiny").iterdir()}
    assert {"tiny.ts", "tiny.json", "feedback.pd", "descriptors.maxpat", "tiny.scd"} <= written
    assert "made for 48000 Hz" in (tmp_path / "made" / "tiny" / "feedback.pd").read_text()


def test_command_says_how_the_model_is_written(command, tmp_path):
    code, out, _ = command("patches", "-o", tmp_path, "--model", "strings", "--host", "pd", "--no-export")
    assert code == 0 and f"vqsynth export strings -o {tmp_path / 'strings' / 'strings.ts'}" in out
    assert not list(tmp_path.rglob("*.ts")) and not list(tmp_path.rglob("*.maxpat"))


def test_unknown_model(command, tmp_path):
    code, _, error = command("patches", "-o", tmp_path / "none", "--model", "violine")
    assert code == 2 and "violin" in error and not (tmp_path / "none").exists()
