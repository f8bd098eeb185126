"""Checkpoints: everything a run needs to go on, as safetensors (no pickle)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from vqsynth.errors import VqsynthError
from vqsynth.storage.atomic import save_tensors
from vqsynth.training.phases import Phase

Modules = Mapping[str, nn.Module]
Optimizers = Mapping[str, torch.optim.Optimizer]


def save(
    path: Path,
    modules: Modules,
    optimizers: Optimizers,
    progress: dict[str, Any],
    others: Mapping[str, Tensor] | None = None,
) -> None:
    """Write a run, whole or not at all.

    Args:
        path: of the file.
        modules: their parameters and buffers are stored.
        optimizers: their states are stored.
        progress: plain values.
        others: further tensors.

    Raises:
        VqsynthError: the file cannot be written, or the disk is full.
    """
    tensors = {f"{name}.{k}": v for name, module in modules.items() for k, v in module.state_dict().items()}
    tensors |= others or {}
    for name, optimizer in optimizers.items():
        for index, entry in optimizer.state_dict()["state"].items():
            tensors |= {f"{name}.{index}.{k}": torch.as_tensor(v) for k, v in entry.items()}
    save_tensors(path, tensors, {"progress": json.dumps(progress)})


def phase_of(progress: dict[str, Any], phases: Sequence[Phase]) -> Phase:
    """Take the phase's name out of a checkpoint's ``progress`` and find it; a name of another run is the last phase."""
    name = progress.pop("phase", None) or progress.pop("phase_before", None)
    # Version 1 of the discrete model's checkpoints has a flag instead.
    started = progress.pop("started", True)
    named = [phase for phase in phases if phase.name == name]
    return named[0] if named else phases[-1 if started else 0]


def load(
    path: Path, modules: Modules, optimizers: Optimizers, others: Mapping[str, Tensor] | None = None
) -> dict[str, Any]:
    """Restore a run in place (``others`` too) and return its ``progress``.

    Raises:
        VqsynthError: the file is damaged or belongs to another configuration.
    """
    try:
        with safe_open(path, "pt") as handle:
            progress = json.loads(handle.metadata()["progress"])
            names = handle.keys()
            tensors = {name: handle.get_tensor(name) for name in names}
        for name, module in modules.items():
            module.load_state_dict({k[len(name) + 1 :]: v for k, v in tensors.items() if k.startswith(f"{name}.")})
        for name, tensor in (others or {}).items():
            tensor.copy_(tensors[name])
        for name, optimizer in optimizers.items():
            state = optimizer.state_dict()
            entries: dict[int, dict] = {}
            for key, value in tensors.items():
                if key.startswith(f"{name}."):
                    index, entry = key[len(name) + 1 :].split(".", 1)
                    entries.setdefault(int(index), {})[entry] = value
            state["state"] = entries
            optimizer.load_state_dict(state)
    except (SafetensorError, KeyError, RuntimeError, ValueError, OSError) as error:
        raise VqsynthError(
            f"{path}: this checkpoint cannot be resumed ({error}); start again without `resume`"
        ) from error
    return progress
