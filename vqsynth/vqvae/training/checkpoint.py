"""Checkpoints: everything a run needs to go on, as safetensors (no pickle)."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from vqsynth.errors import VqsynthError
from vqsynth.files import save_tensors
from vqsynth.vqvae.model import VQVAE


def save(path: Path, model: VQVAE, optimizer: torch.optim.Optimizer, progress: dict) -> None:
    """Write model, moving averages, optimiser and ``progress`` (plain values), whole or not at all."""
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    tensors |= {"quantizer.counts": model.quantizer.counts, "quantizer.sums": model.quantizer.sums}
    for index, entry in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{k}": torch.as_tensor(v) for k, v in entry.items()}
    save_tensors(path, tensors, {"progress": json.dumps(progress)})


def load(path: Path, model: VQVAE, optimizer: torch.optim.Optimizer) -> dict:
    """Restore a run in place and return its ``progress``.

    Raises:
        VqsynthError: the file is damaged or belongs to another configuration.
    """
    try:
        with safe_open(path, "pt") as handle:
            progress = json.loads(handle.metadata()["progress"])
            tensors = {key: handle.get_tensor(key) for key in handle.keys()}
        model.load_state_dict({k[6:]: v for k, v in tensors.items() if k.startswith("model.")})
        model.quantizer.counts.copy_(tensors["quantizer.counts"])
        model.quantizer.sums.copy_(tensors["quantizer.sums"])
        state = optimizer.state_dict()
        entries: dict[int, dict] = {}
        for key, value in tensors.items():
            if key.startswith("optimizer."):
                _, index, name = key.split(".", 2)
                entries.setdefault(int(index), {})[name] = value
        state["state"] = entries
        optimizer.load_state_dict(state)
    except (SafetensorError, KeyError, RuntimeError, ValueError, OSError) as error:
        raise VqsynthError(f"{path}: this checkpoint cannot be resumed ({error}); train without --resume") from error
    return progress
