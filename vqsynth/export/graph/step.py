"""One block of a method as a function without memory: block and past in, block and past out."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from vqsynth.export.graph.real import Pair, RealNumbers
from vqsynth.streaming.excitation import Noise
from vqsynth.streaming.module import states, twin

_SHAPE: Any = torch.Tensor.shape.__get__  # type: ignore[attr-defined]
SETTLED = 12
"""Blocks of silence after which all of a stream's past has its final shape."""


class Step(nn.Module):
    """A method of an instrument, one block at a time, its past given and returned.

    The past is given as the difference from that of a stream which has heard some silence, so that a host begins with
    zeros. Only the past that the method changes is listed.

    Args:
        instrument: streaming; a twin is used.
        method: name of the method.
        example: a block of its input, [1, channels, frames], like what will come.
        settings: name of the input -> name of a buffer that a host may give with every block.

    Attributes:
        names: of the past.
        initial: tensors that zeros stand for.
        settled: the stream that has heard the silence, from which :meth:`forward` goes on.
    """

    def __init__(self, instrument: nn.Module, method: str, example: Tensor, settings: dict[str, str]) -> None:
        super().__init__()
        self.settled = twin(instrument)
        self.method, self.settings = method, settings
        with torch.no_grad():
            for _ in range(SETTLED):
                getattr(self.settled, method)(torch.zeros_like(example))
        self.stream = copy_of(self.settled)
        self.names = _changed(self.settled, method, example)
        past = dict(states(self.stream))
        self.initial = [past[name].clone() for name in self.names]
        for part in list(self.stream.modules()):
            part._non_persistent_buffers_set.update(part._buffers)  # the past is no part of a state dict
            for name, buffer in list(part._buffers.items()):
                if buffer is not None and buffer.is_complex():
                    # No buffer any more: what stands in its place is no tensor.
                    del part._buffers[name]
                    object.__setattr__(part, name, Pair.of(buffer))
            for name, child in list(part.named_children()):
                if isinstance(child, Noise):
                    setattr(part, name, PlainNoise(child))

    @property
    def size(self) -> int:
        """Numbers of the past."""
        return sum(start.numel() for start in self.initial)

    def forward(self, block: Tensor, state: Tensor, *settings: Tensor) -> tuple[Tensor, Tensor]:
        """One block.

        Args:
            block: [1, channels, frames].
            state: the past, at first zeros, float64 [size].
            settings: in their order.

        Returns:
            What the method gives, and the new past.
        """
        for value, buffer in zip(settings, self.settings.values()):
            _put(self.stream, buffer, value)
        place = 0
        for name, start in zip(self.names, self.initial):
            part = state[place : place + start.numel()].reshape(start.shape)
            _put(self.stream, name, part.to(start.dtype) + start)
            place += start.numel()
        with RealNumbers(), Assignments(self.stream):
            made = getattr(self.stream, self.method)(block)
        past = dict(self.stream.named_buffers())
        moved = [(past[name] - start).double().reshape(-1) for name, start in zip(self.names, self.initial)]
        return made, torch.cat(moved)


class Assignments(TorchFunctionMode):
    """While it lasts, writing into a stream's past puts a new tensor in its place: a graph has no memory to write to.

    Sizes are plain numbers meanwhile, and windows are made of slices.
    """

    def __init__(self, stream: nn.Module) -> None:
        super().__init__()
        self.stream = stream

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        if func is torch.Tensor.copy_:
            for name, buffer in states(self.stream):
                if buffer is args[0]:
                    made = args[1].to(buffer.dtype).expand(buffer.shape)
                    _put(self.stream, name, made)
                    return made
        if func is torch.Tensor.unfold:
            return _windows(*args)
        made = func(*args, **(kwargs or {}))
        if func is _SHAPE:
            # Sizes are constants; a trace would count them again in every run.
            return torch.Size([int(length) for length in made])
        return made


class PlainNoise(nn.Module):
    """:class:`~vqsynth.streaming.excitation.Noise` in arithmetic alone: no shifts of signed numbers.

    Args:
        noise: whose place it takes, at its present position.
    """

    state_position: Tensor
    powers: Tensor

    def __init__(self, noise: Noise) -> None:
        super().__init__()
        self.offset = (noise.seed * 1_000_003_333) & 0xFFFFFFFF
        self.register_buffer("state_position", noise.state_position.clone(), persistent=False)
        self.register_buffer("powers", 2 ** torch.arange(32, dtype=torch.int64), persistent=False)

    def reset(self, batch: int = 1) -> None:
        """Begin a new stream; there is but one."""
        self.state_position = torch.zeros_like(self.state_position)

    def forward(self, count: int) -> Tensor:
        """The next samples. Shape: -> [1, count]."""
        number = torch.arange(int(count), dtype=torch.int64) + (self.state_position + self.offset)
        state = torch.remainder(number * 747_796_405 + 2_891_336_453, 1 << 32)
        shift = torch.div(state, 1 << 28, rounding_mode="trunc") + 4
        shifted = torch.div(state, self.powers[shift], rounding_mode="trunc")
        word = torch.remainder(torch.bitwise_xor(shifted, state) * 277_803_737, 1 << 32)
        word = torch.bitwise_xor(torch.div(word, 1 << 22, rounding_mode="trunc"), word)
        self.state_position = self.state_position + int(count)
        return ((word.double() / 4_294_967_296.0 - 0.5) * 12**0.5).float()[None]


def _windows(x: Tensor, axis: int, length: int, step: int) -> Tensor:
    """``x.unfold(axis, length, step)`` of slices, as few of them as will do."""
    count = (int(x.shape[axis]) - length) // step + 1
    if count <= length:
        parts = [x.narrow(axis, k * step, length).movedim(axis, -1) for k in range(count)]
        return torch.stack(parts, axis)
    picked = torch.arange(count) * step
    return torch.stack([x.index_select(axis, picked + k) for k in range(length)], -1)


def copy_of(stream: nn.Module) -> nn.Module:
    """A twin that goes on where the stream is."""
    copied = twin(stream)
    for name, buffer in states(stream):
        _put(copied, name, buffer.clone())
    return copied


def _put(module: nn.Module, name: str, value: Tensor) -> None:
    path, _, last = name.rpartition(".")
    module.get_submodule(path)._buffers[last] = value


def _changed(settled: nn.Module, method: str, example: Tensor) -> list[str]:
    """Names of the past that a method changes; counters that stand still once a stream has settled are constants."""
    stream = copy_of(settled)
    before = dict(states(stream))
    versions = {name: buffer._version for name, buffer in before.items()}
    values = {name: buffer.clone() for name, buffer in before.items()}
    with torch.no_grad():
        getattr(stream, method)(example)
    names = []
    for name, buffer in states(stream):
        moved = buffer is not before[name] or buffer._version != versions[name]
        counter = not buffer.is_floating_point() and torch.equal(buffer, values[name])
        if moved and buffer.numel() and not counter:
            names.append(name)
    return names
