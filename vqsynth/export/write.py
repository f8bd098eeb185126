"""Exports: the instrument of a model as a file for a host, tested before it is handed over."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vqsynth.errors import UsageError
from vqsynth.export.card import Card
from vqsynth.export.check import BLOCKS, check_file
from vqsynth.export.models import find, instrument_of
from vqsynth.storage.atomic import atomic_path, check_folder, json_text, together, write_text

SUFFIXES = (".ts",)
CARD_ENTRY = "card.json"
"""The card within a TorchScript file: ``torch.jit.load(path, _extra_files={"card.json": ""})``."""


def export(
    name: str | Path,
    output: str | Path,
    kind: str = "auto",
    axes: int | None = None,
    seed: int = 0,
    blocks: int = BLOCKS,
) -> dict[str, Any]:
    """Write a model as one file for other hosts, and its card as JSON beside it.

    Args:
        name: of a timbre or a domain, or the path of its folder.
        output: the suffix says for whom: ``.ts`` for nn~ (Pure Data, Max, SuperCollider).
        kind: ``timbre`` or ``wavae``, where there are both of one name.
        axes: of a domain that a host sees; None: the 16 widest.
        seed: of the noise.
        blocks: after which the memory must not have grown.

    Returns:
        The card and what the tests found.

    Raises:
        UsageError: no such model, an unknown suffix, or an axis too many.
        VqsynthError: the model is damaged, or the file failed a test and was not written.
    """
    output = Path(output)
    if output.suffix not in SUFFIXES:
        raise UsageError(f"the name must end in {' or '.join(SUFFIXES)}", field="output", value=output)
    check_folder(output.parent)
    instrument, card = instrument_of(find(name, kind), axes, seed)
    with together():
        with atomic_path(output) as temporary:
            save_torchscript(temporary, instrument, card)
            found = check_file(temporary, instrument, card, blocks)
            size = temporary.stat().st_size
        report = {**card.plain(), "format": output.suffix[1:], "file": output.name, "bytes": size, "checked": found}
        write_text(output.with_suffix(".json"), json_text(report))
    return report


def save_torchscript(path: Path, instrument: nn.Module, card: Card) -> None:
    """Write the instrument as TorchScript, its card within."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        compiled = torch.jit.script(instrument.eval())
        torch.jit.save(compiled, str(path), _extra_files={CARD_ENTRY: json.dumps(card.plain())})
