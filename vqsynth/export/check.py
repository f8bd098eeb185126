"""The exporter's own tests of a file: what does not pass is not handed over."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vqsynth.errors import VqsynthError
from vqsynth.export.card import AUDIO, Card, Method, Port
from vqsynth.streaming.module import is_state, twin

TOLERANCE = 1e-4
"""Most difference from the eager model, of sound or of a value's size."""
SILENT = 1e-4
"""Highest sample that silence may become: -80 dB."""
GROWTH = 24 << 20
"""Bytes by which a process may grow: allocators keep some."""
BLOCKS = 2000
"""Blocks of the test of memory in a command."""
SECONDS = 1.0
SIZES = (1, 2, 3, 8)
"""Blocks in which the sound is compared, in the smallest."""

Run = Callable[[str, Tensor], Tensor]


def example(method: Method, samples: int, seed: int = 0) -> Tensor:
    """A signal for every input of a method: a sound with a pitch that moves, values that sweep their range.

    Shape:
        -> [1, inputs, samples // in_ratio] float32
    """
    frames = samples // method.in_ratio
    rows = [_sweep(port, frames, number) for number, port in enumerate(method.inputs)]
    if method.inputs[0].unit == AUDIO:
        time = np.arange(frames) / 44_100
        phase = 2 * np.pi * np.cumsum(330 * 2 ** (0.3 * np.sin(2 * np.pi * 3 * time))) / 44_100
        sound = sum(np.sin(k * phase) / k for k in range(1, 13))
        noise = np.random.default_rng(seed).standard_normal(frames)
        rows[0] = 0.1 * sound * (0.5 - 0.5 * np.cos(2 * np.pi * 2 * time)) + 0.003 * noise
    return torch.from_numpy(np.stack(rows).astype(np.float32))[None]


def _sweep(port: Port, frames: int, number: int) -> np.ndarray:
    way = 0.5 - 0.5 * np.cos(2 * np.pi * (0.7 + 0.3 * number) * np.arange(frames) / max(frames, 1) + number)
    if port.low > 0 and port.unit == "Hz":
        return port.low * (port.high / port.low) ** way
    return port.low + (port.high - port.low) * way


def in_blocks(run: Run, method: str, signal: Tensor, frames: int) -> Tensor:
    """A signal through a method in blocks of so many frames."""
    with torch.inference_mode():
        return torch.cat([run(method, block) for block in signal.split(frames, 2)], 2)


def check_file(path: Path, instrument: nn.Module, card: Card, blocks: int = BLOCKS) -> dict[str, Any]:
    """Test a TorchScript file against the instrument that it was made from.

    Args:
        path: of the file.
        instrument: in eager mode, as new.
        card: of the file.
        blocks: of the test of memory.

    Returns:
        What was found: the largest difference, the loudest silence, growth in bytes.

    Raises:
        VqsynthError: says which test it fails.
    """
    found: dict[str, Any] = {"difference": 0.0, "silence": 0.0, "blocks": blocks}
    for method in card.methods:
        eager, loaded = twin(instrument), torch.jit.load(str(path))
        _check_contract(loaded, card, method)
        smallest = card.hop_length
        samples = int(SECONDS * card.sample_rate) // (8 * smallest) * 8 * smallest
        signal = example(method, samples)
        expected = in_blocks(_runner(eager), method.name, signal, smallest // method.in_ratio)
        for size in SIZES:
            loaded.reset(1)
            made = in_blocks(_runner(loaded), method.name, signal, size * smallest // method.in_ratio)
            found["difference"] = max(found["difference"], _compare(made, expected, method, size * smallest))
        loaded.reset(1)
        found["silence"] = max(found["silence"], _check_silence(_runner(loaded), method, samples))
        _check_recovery(loaded, method, signal, smallest)
    found["growth"] = _check_memory(torch.jit.load(str(path)), card, blocks)
    return found


def _runner(module: Any) -> Run:
    return lambda method, block: getattr(module, method)(block)


def failure(what: str) -> VqsynthError:
    """The error of a file that fails a test."""
    return VqsynthError(f"the exported file was not written, it {what}; please report this with the name of the model")


def _check_contract(module: Any, card: Card, method: Method) -> None:
    """Names, channels and ratios are those of the card, attributes can be read and set to what they are."""
    wanted = [len(method.inputs), method.in_ratio, len(method.outputs), method.out_ratio]
    if getattr(module, f"{method.name}_params").tolist() != wanted or method.name not in module.get_methods():
        raise failure(f"does not say of {method.name} that it has {wanted}")
    if module.get_attributes() != [attribute.name for attribute in card.attributes]:
        raise failure("has other attributes than its card")
    for attribute in card.attributes:
        values = getattr(module, f"get_{attribute.name}")()
        kinds = getattr(module, f"{attribute.name}_params").tolist()
        if len(values) != len(attribute.values) or kinds != [_kind(value) for value in values]:
            raise failure(f"does not give its attribute {attribute.name}")
        if getattr(module, f"set_{attribute.name}")(*values) != 0:
            raise failure(f"refuses its own value of {attribute.name}")


def _kind(value: object) -> int:
    return [bool, int, float, str].index(type(value))


def _compare(made: Tensor, expected: Tensor, method: Method, block: int) -> float:
    """Largest difference, as a share of a value where values are above 1."""
    if made.shape != expected.shape or made.dtype != torch.float32:
        raise failure(f"gives {tuple(made.shape)} {made.dtype} in {method.name}, not {tuple(expected.shape)}")
    difference = float(((made - expected).abs() / expected.abs().clamp_min(1.0)).max())
    if not difference <= TOLERANCE:
        raise failure(f"differs from the model by {difference:.2g} in {method.name} with blocks of {block} samples")
    return difference


def _check_silence(run: Run, method: Method, samples: int) -> float:
    """Nothing in, nothing out. Of methods that give sound."""
    if method.outputs[0].unit != AUDIO:
        return 0.0
    zeros = torch.zeros(1, len(method.inputs), samples // method.in_ratio)
    with torch.inference_mode():
        loudest = float(run(method.name, zeros).abs().max())
    if not loudest <= SILENT:
        raise failure(f"makes noise of {loudest:.2g} out of silence in {method.name}")
    return loudest


def _check_recovery(module: Any, method: Method, signal: Tensor, smallest: int) -> None:
    """What is no number in one block leaves the next ones whole."""
    bad = torch.full((1, len(method.inputs), smallest // method.in_ratio), float("nan"))
    module.reset(1)
    with torch.inference_mode():
        parts = [getattr(module, method.name)(block) for block in (bad, signal)]
    if not all(torch.isfinite(part).all() for part in parts):
        raise failure(f"does not recover from values that are no numbers in {method.name}")


def _check_memory(module: Any, card: Card, blocks: int) -> int:
    """The past of a stream has one size, and so has the process."""
    method, sizes, grown = card.methods[0], [], 0
    block = example(method, card.hop_length * 2)
    with torch.inference_mode():
        for start, count in ((0, min(64, blocks)), (64, blocks)):
            for _ in range(start, count):
                getattr(module, method.name)(block)
            gc.collect()
            sizes.append(sum(buffer.numel() for name, buffer in module.named_buffers() if is_state(name)))
            grown = resident() - grown
    # What waits between two rates varies by less than a hop.
    if sizes[-1] > sizes[0] + card.hop_length or grown > GROWTH:
        raise failure(f"grows in {blocks} blocks: its past from {sizes[0]} to {sizes[-1]} numbers, by {grown} bytes")
    return max(0, grown)


def resident() -> int:
    """Bytes of memory that the process has; 0 where that cannot be read."""
    if not sys.platform.startswith("linux"):
        return 0
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096
