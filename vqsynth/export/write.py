"""Exports: the instrument of a model as a file for a host, tested before it is handed over."""

from __future__ import annotations

import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vqsynth.errors import UsageError
from vqsynth.export.card import Card
from vqsynth.export.check import BLOCKS, check_file
from vqsynth.export.graph.onnx import onnx_step, save_onnx, tensors_of
from vqsynth.export.graph.session import check_onnx
from vqsynth.export.models import find, instrument_of
from vqsynth.export.page.page import page
from vqsynth.export.plugin.neutone import check_neutone, neutone_knobs, save_neutone
from vqsynth.library.timbre import Timbre
from vqsynth.storage.atomic import atomic_path, check_folder, json_text, together, write_text
from vqsynth.wavae.domain import Domain

SUFFIXES = (".ts", ".onnx", ".nm", ".html")
CARD_ENTRY = "card.json"
"""The card within a TorchScript file: ``torch.jit.load(path, _extra_files={"card.json": ""})``."""


def export(
    name: str | Path,
    output: str | Path,
    kind: str = "auto",
    axes: int | None = None,
    seed: int = 0,
    blocks: int = BLOCKS,
    method: str | None = None,
    block: int | None = None,
    rate: int | None = None,
    life: bool = False,
) -> dict[str, Any]:
    """Write a model as one file for other hosts, and its card as JSON beside it.

    Args:
        name: of a timbre or a domain, or the path of its folder.
        output: the suffix says for whom: ``.ts`` for nn~ (Pure Data, Max, SuperCollider), ``.onnx`` for plug-ins and
            browsers, ``.nm`` for Neutone in a DAW, ``.html`` for a page that plays by itself.
        kind: ``timbre`` or ``wavae``, where there are both of one name.
        axes: of a domain that a host sees; None: the 16 widest.
        seed: of the noise.
        blocks: after which the memory must not have grown.
        method: of an ONNX file, which holds one; None: ``control`` or ``forward``.
        block: samples that a run of an ONNX file takes; None: two hops.
        rate: of the host, Hz; None: the model's own.
        life: whether an ONNX file of a timbre has its life as an input, with its units stored in it; a page always has.

    Returns:
        The card and what the tests found.

    Raises:
        UsageError: no such model, an unknown suffix, an axis too many, or no method or block that ONNX can have.
        VqsynthError: the model is damaged, or the file failed a test and was not written.
    """
    output = Path(output)
    if output.suffix not in SUFFIXES:
        raise UsageError(f"the name must end in {' or '.join(SUFFIXES)}", field="output", value=output)
    script, plugin = output.suffix == ".ts", output.suffix == ".nm"
    for field, value in (("method", method), ("block", block)):
        if script and value is not None:
            raise UsageError("a TorchScript file has all methods, for all blocks", field=field, value=value)
        if plugin and value is not None:
            raise UsageError("a Neutone file has one method, for all blocks", field=field, value=value)
    check_folder(output.parent)
    model = find(name, kind)
    if output.suffix == ".html":
        return _export_page(model, output, seed, blocks, method, block, rate)
    instrument, card = instrument_of(model, axes, seed, rate)
    report: dict[str, Any] = {"format": output.suffix[1:], "file": output.name}
    with together():
        with atomic_path(output) as temporary:
            if script:
                save_torchscript(temporary, instrument, card)
                found = check_file(temporary, instrument, card, blocks)
            elif plugin:
                knobs, card, first = neutone_knobs(instrument, card)
                save_neutone(temporary, knobs, card, first)
                found = check_neutone(temporary, knobs, card, first, blocks)
            else:
                step, card, given = onnx_step(instrument, card, method, block, life)
                report |= tensors_of(step, card, given)
                save_onnx(temporary, step, given, card)
                found = check_onnx(temporary, step, card, given.shape[2], blocks)
            report |= {**card.plain(), "bytes": temporary.stat().st_size, "checked": found}
        write_text(output.with_suffix(".json"), json_text(report))
    return report


def _export_page(
    model: Timbre | Domain,
    output: Path,
    seed: int,
    blocks: int,
    method: str | None,
    block: int | None,
    rate: int | None,
) -> dict[str, Any]:
    """As :func:`export`, a page; the network is tested before it goes into it."""
    if isinstance(model, Domain):
        raise UsageError(f"{model.name} is a wavae model; a page plays timbres", field="output", value=output)
    if method not in (None, "control"):
        raise UsageError("a page is played by its method `control`", field="method", value=method)
    with tempfile.TemporaryDirectory() as folder:
        network = Path(folder) / "network.onnx"
        report = export(model.path, network, "timbre", None, seed, blocks, None, block, rate, life=True)
        text = page(network.read_bytes(), report)
    report |= {"format": "html", "file": output.name, "bytes": len(text.encode())}
    write_text(output, text)
    return report


def save_torchscript(path: Path, instrument: nn.Module, card: Card) -> None:
    """Write the instrument as TorchScript, its card within."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        compiled = torch.jit.script(instrument.eval())
        torch.jit.save(compiled, str(path), _extra_files={CARD_ENTRY: json.dumps(card.plain())})
