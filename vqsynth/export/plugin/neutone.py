"""Neutone's files: written and read again by its own SDK, compared with the model."""

from __future__ import annotations

import dataclasses
import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vqsynth.errors import VqsynthError
from vqsynth.export.card import Attribute, Card, Method, Port
from vqsynth.export.check import GROWTH, SILENT, TOLERANCE, example, failure, resident
from vqsynth.export.plugin.knobs import KNOBS, LOUDEST_DB, SOFTEST_DB, STEPS, AxisKnobs, TimbreKnobs
from vqsynth.export.timbre import TimbreInstrument
from vqsynth.streaming.module import twin

SECONDS = 2.0
FIRST_GAIN = -SOFTEST_DB / (LOUDEST_DB - SOFTEST_DB)
SHORT, LONG, NAME = 150, 500, 30
"""Most letters of the SDK's texts."""


def neutone_knobs(instrument: nn.Module, card: Card) -> tuple[nn.Module, Card, list[float]]:
    """An instrument under its knobs, its card, and where they stand at first.

    Args:
        instrument: of a timbre or a wavae model.
        card: of it.
    """
    forward = next(method for method in card.methods if method.name == "forward")
    if isinstance(instrument, TimbreInstrument):
        ports = {port.name: port for port in card.methods[0].inputs}
        named = [ports[name] for name in ("centroid", "pitch", "bandwidth")]
        knobs: nn.Module = TimbreKnobs(instrument, [(port.low, port.high) for port in named])
        about = {"centroid": "at 0 the timbre's own", "pitch": "at 0 that of the input", "bandwidth": "at 0 its own"}
        settings = [dataclasses.replace(port, about=about[port.name]) for port in named]
        settings.append(Port("gain", "dB", SOFTEST_DB, LOUDEST_DB, "of the input's loudness"))
        first = [0.0, 0.0, 0.0, FIRST_GAIN]
    else:
        axes = [port for port in card.methods[1].outputs if port.name.startswith("axis")][:KNOBS]
        knobs = AxisKnobs(instrument, forward.delay, len(axes))
        settings = [dataclasses.replace(port, about="added; in the middle nothing") for port in axes]
        first = [0.5] * len(axes)
    knobs = twin(knobs)
    attributes = tuple(Attribute(port.name, (port,), f"knob {n}") for n, port in enumerate(settings, 1))
    method = dataclasses.replace(forward, delay=int(knobs.latency))  # type: ignore[arg-type]
    return knobs, dataclasses.replace(card, methods=(method,), attributes=attributes), first


def save_neutone(path: Path, knobs: nn.Module, card: Card, first: list[float]) -> None:
    """Write an instrument under knobs by the SDK, which loads it again.

    Raises:
        VqsynthError: the SDK is not installed, or does not accept what it is given.
    """
    wrapper = _wrapper()
    from neutone_sdk.utils import save_neutone_model  # type: ignore[import-not-found]

    parameters = []
    for attribute, value in zip(card.attributes, first):
        port = attribute.values[0]
        parameters.append((port.name, f"{port.low:g} to {port.high:g} {port.unit}; {port.about}", value))
    learned = f"Learned from {'; '.join(card.learned_from)}." if card.learned_from else ""
    words = {
        "name": card.name[:NAME],
        "kind": card.kind,
        "version": "1",
        "description": (card.description or card.kind)[:SHORT],
        "long": f"{card.description or card.kind}. Plays what comes in. Licence MIT. {learned}"[:LONG],
        "technical": f"A {card.kind} model of vqsynth at {card.sample_rate} Hz. {learned}"[:LONG],
    }
    made = wrapper(twin(knobs), parameters, words, card.sample_rate)
    with tempfile.TemporaryDirectory() as folder:
        try:
            save_neutone_model(made, Path(folder), speed_benchmark=False, test_offline_mode=False)
        except AssertionError as error:
            raise VqsynthError(f"Neutone's SDK does not accept {card.name}: {error}") from error
        shutil.copyfile(Path(folder) / "model.nm", path)


def _wrapper() -> Any:
    try:
        from vqsynth.export.plugin.wrapper import NeutoneInstrument
    except (ImportError, OSError) as error:
        raise VqsynthError(
            "Neutone files need neutone-sdk and a torchaudio of torch's own version: in an environment of its own, "
            f"pip install -c constraints-neutone.txt 'vqsynth[neutone]' ({error})"
        ) from error
    for name in list(logging.root.manager.loggerDict):
        if name.startswith("neutone_sdk"):
            logging.getLogger(name).setLevel(logging.WARNING)
    return NeutoneInstrument


def sweeps(card: Card, first: list[float], hops: int) -> Iterator[tuple[str, Tensor]]:
    """Knobs of the test: as they stand at first, then moving. Shape: [4, hops]"""
    still = torch.zeros(KNOBS, hops)
    still[: len(first)] = torch.tensor(first)[:, None]
    yield "with the knobs as they are at first", still
    way = torch.arange(hops) / max(hops, 1)
    moving = torch.stack([0.5 - 0.5 * torch.cos(6.0 * (k + 1) * way) for k in range(KNOBS)])
    yield "with the knobs moving", (STEPS * moving).round() / STEPS


@torch.no_grad()
def check_neutone(path: Path, knobs: nn.Module, card: Card, first: list[float], blocks: int) -> dict[str, Any]:
    """Load a file by the SDK and test it against the instrument that it was made from, with a host's buffers.

    Returns:
        As :func:`~vqsynth.export.check.check_file`.

    Raises:
        VqsynthError: says which test it fails.
    """
    from neutone_sdk.utils import load_neutone_model

    loaded, metadata = load_neutone_model(str(path))
    method: Method = card.methods[0]
    loaded.set_daw_sample_rate_and_buffer_size(card.sample_rate, 512)
    names = [metadata["neutone_parameters"][f"p{n}"]["name"] for n in range(1, 1 + len(first))]
    if names != [attribute.name for attribute in card.attributes] or loaded.calc_model_delay_samples() != method.delay:
        raise failure("has other knobs, or another delay, than its card")
    hop, difference = card.hop_length, 0.0
    hops = int(SECONDS * card.sample_rate) // hop
    sound = example(method, hops * hop)[0]
    for told, turned in sweeps(card, first, hops):
        eager = twin(knobs)
        expected = torch.cat([eager(a, b) for a, b in zip(sound.split(hop, 1), turned.split(1, 1))], 1)
        given = turned.repeat_interleave(hop, 1)
        # 480 and 441 are no multiples of anything: there the SDK waits.
        for size in (512, 2048, 480, 441):
            loaded.set_daw_sample_rate_and_buffer_size(card.sample_rate, size)
            late = int(loaded.calc_buffering_delay_samples())
            whole = sound.shape[1] // size * size
            pieces = zip(sound[:, :whole].split(size, 1), given[:, :whole].split(size, 1))
            made = torch.cat([loaded.forward(a, b).clone() for a, b in pieces], 1)[:, late:]
            off = float((made - expected[:, : made.shape[1]]).abs().max())
            if not off <= TOLERANCE:
                raise failure(f"differs from the model by {off:.2g} {told} and buffers of {size} samples")
            difference = max(difference, off)
    size = 512
    loaded.set_daw_sample_rate_and_buffer_size(card.sample_rate, size)
    loud = torch.ones(KNOBS, size) if card.kind == "timbre" else torch.full((KNOBS, size), 0.5)
    silence = max(float(loaded.forward(torch.zeros(1, size), loud).abs().max()) for _ in range(100))
    if not silence <= SILENT:
        raise failure(f"makes noise of {silence:.2g} out of silence")
    loaded.forward(torch.full((1, size), torch.nan), torch.full((KNOBS, size), torch.nan))
    after = [loaded.forward(block, loud).clone() for block in sound[:, : 20 * size].split(size, 1)]
    if not all(bool(torch.isfinite(block).all()) for block in after):
        raise failure("does not recover from values that are no numbers")
    before, block = 0, sound[:, :size]
    for number in range(blocks):
        if number == min(64, blocks - 1):
            before = resident()
        loaded.forward(block, loud)
    grown = resident() - before
    if grown > GROWTH:
        raise failure(f"grows by {grown} bytes in {blocks} blocks")
    return {"difference": difference, "silence": silence, "blocks": blocks, "growth": max(0, grown)}
