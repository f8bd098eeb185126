"""The one streaming mechanism: modules whose past lives in buffers, and twins that own a past of their own.

A streaming module

- takes and gives tensors with the batch first, and any number of frames or samples;
- keeps its past in buffers whose names begin with ``state``, and nowhere else;
- has ``reset(batch)``, which makes it as if new, for that batch size, its children included;
- says in ``latency`` by how many of its own steps (frames or samples) the output trails the input;
- compiles with ``torch.jit.script``.

Modules of networks that are also trained, :class:`~vqsynth.streaming.convolution.CausalConv1d` and what is made of it,
keep a past only where their attribute ``streaming`` is true, which it is in a twin and nowhere else.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from typing import TypeVar, cast

import torch
from torch import Tensor, nn

Module = TypeVar("Module", bound=nn.Module)


def is_state(name: str) -> bool:
    """Whether a buffer of this (dotted) name belongs to a stream's past."""
    return name.rpartition(".")[2].startswith("state")


def states(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Names and tensors of a module's past."""
    return ((name, buffer) for name, buffer in module.named_buffers() if is_state(name))


def past(module: nn.Module) -> dict[str, Tensor]:
    """A module's past, to go on from later (:func:`go_on_from`)."""
    return {name: buffer.clone() for name, buffer in states(module)}


def go_on_from(module: nn.Module, known: dict[str, Tensor]) -> None:
    """Give a module the past that :func:`past` kept of a twin of it."""
    for name, buffer in known.items():
        place, _, own = name.rpartition(".")
        setattr(module.get_submodule(place), own, buffer.clone())


def twin(module: Module, batch: int = 1) -> Module:
    """A stream of a module: a copy with a past of its own that shares the weights and all constants.

    Twins do not meet: several may run interleaved or in several threads.

    Args:
        module: a streaming module, not compiled.
        batch: streams that run side by side in the first dimension.
    """
    shared: list[Tensor] = [*module.parameters(), *(b for name, b in module.named_buffers() if not is_state(name))]
    memo: dict[int, object] = {id(tensor): tensor for tensor in shared}
    stream = copy.deepcopy(module, memo)
    for part in stream.modules():
        if hasattr(part, "streaming"):
            setattr(part, "streaming", True)
    stream.eval()
    reset(stream, batch)
    return stream


def reset(module: nn.Module, batch: int = 1) -> None:
    """Make a module as if new: by its own ``reset``, or by those of its children where it has none."""
    own = getattr(module, "reset", None)
    if callable(own):
        own(batch)
        return
    for child in module.children():
        reset(child, batch)


def scripted(module: Module, *example: Tensor, rounds: int = 8) -> Module:
    """A twin in TorchScript: a small network spends half of its time between the layers; compiled it does not.

    Args:
        module: a streaming module, not compiled.
        example: inputs of the usual shape, on which it warms up; their batch size is the stream's.
        rounds: how often.
    """
    batch = len(example[0]) if example else 1
    stream = twin(module, batch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        compiled = torch.jit.script(stream)
    with torch.inference_mode():
        for _ in range(rounds if example else 0):
            compiled(*example)
    reset(compiled, batch)
    return cast(Module, compiled)
