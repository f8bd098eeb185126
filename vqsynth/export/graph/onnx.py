"""Instruments as ONNX: one method, one block a run, the past as an input and an output."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vqsynth.errors import UsageError, VqsynthError
from vqsynth.export.card import Card
from vqsynth.export.check import example
from vqsynth.export.graph.lively import LIFE, lively
from vqsynth.export.graph.step import Step

OPSET = 18
INPUT, STATE, OUTPUT, NEW_STATE = "input", "state", "output", "new_state"


METHODS = {"timbre": ("control", "codes"), "wavae": ("forward", "encode", "decode")}
"""What can be had as ONNX, by kind. The last digit of a timbre's tracked pitch would decide on all phases after it."""
HOPS = 2
SETTINGS = {"wavae": {"scale": "axis_scale", "bias": "axis_bias"}, "timbre": {}}
"""Inputs beside the block, and the buffers that they fill."""


def onnx_step(
    instrument: nn.Module, card: Card, method: str | None = None, block: int | None = None, life: bool = False
) -> tuple[Step, Card, Tensor]:
    """One method of an instrument as a function, with the card of it alone, and a block of its input.

    Args:
        instrument: of a model.
        card: of it.
        method: its name; None: the first.
        block: samples a run; None: two hops.
        life: whether a timbre's life is an input of its method ``control``.

    Raises:
        UsageError: there is no such method as ONNX, or the block is not made of two hops, or of one where that will do.
    """
    known, hop = METHODS[card.kind], card.hop_length
    if hasattr(instrument, "inner"):
        raise UsageError("a wavae model as ONNX has its own rate, for which hosts resample", field="rate")
    if method is not None and method not in known:
        raise UsageError(f"as ONNX a {card.kind} has {', '.join(known)}", field="method", value=method)
    chosen = next(described for described in card.methods if described.name == (method or known[0]))
    # A latent frame lasts two hops.
    least = hop if card.kind == "timbre" else HOPS * hop
    samples = HOPS * hop if block is None else block
    if samples < least or samples % least or samples > 64 * hop:
        raise UsageError(f"give a multiple of {least} samples, at most {64 * hop}", field="block", value=block)
    given = example(chosen, 16 * samples)[:, :, -samples // chosen.in_ratio :]
    settings = SETTINGS[card.kind]
    if life and card.kind == "timbre" and chosen.name == "control":
        alive = lively(instrument)
        settings = settings if alive is instrument else {**settings, LIFE: "voice.alive"}
        instrument = alive
    step = Step(instrument, chosen.name, given, settings)
    return step, dataclasses.replace(card, methods=(chosen,), attributes=(), hop_length=samples), given


def tensors_of(step: Step, card: Card, block: Tensor) -> dict[str, Any]:
    """Inputs and outputs of the file, for its card."""
    method = card.methods[0]
    buffers = dict(step.stream.named_buffers())
    made = [1, len(method.outputs), card.hop_length // method.out_ratio]
    settings = [
        {"name": name, "type": "float32", "shape": list(buffers[buffer].shape), "initial": buffers[buffer].tolist()}
        for name, buffer in step.settings.items()
    ]
    return {
        "opset": OPSET,
        "block": card.hop_length,
        "inputs": [
            {"name": INPUT, "type": "float32", "shape": list(block.shape)},
            {"name": STATE, "type": "float64", "shape": [step.size], "initial": 0},
            *settings,
        ],
        "outputs": [
            {"name": OUTPUT, "type": "float32", "shape": made},
            {"name": NEW_STATE, "type": "float64", "shape": [step.size]},
        ],
    }


def save_onnx(path: Path, step: Step, block: Tensor, card: Card) -> None:
    """Write a step as ONNX, its card within.

    Args:
        path: of the file.
        step: a method of an instrument.
        block: of its input.
        card: of the method.

    Raises:
        VqsynthError: the package ``onnx`` is not installed.
    """
    try:
        import onnx
    except ImportError as error:
        raise VqsynthError("ONNX files need the package onnx: pip install 'vqsynth[onnx]'") from error
    settings = [dict(step.stream.named_buffers())[buffer].clone() for buffer in step.settings.values()]
    arguments = (block, torch.zeros(step.size, dtype=torch.float64), *settings)
    with torch.no_grad(), _plain_operators(), warnings.catch_warnings():
        # Python numbers that the trace takes for constants are constants: every size is fixed.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            step,
            arguments,
            str(path),
            input_names=[INPUT, STATE, *step.settings],
            output_names=[OUTPUT, NEW_STATE],
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(str(path))
    model.producer_name = "vqsynth"
    described = tensors_of(step, card, block)
    for tensor, wanted in zip(model.graph.output, described["outputs"]):
        shape = tensor.type.tensor_type.shape
        shape.CopyFrom(onnx.TensorShapeProto(dim=[{"dim_value": length} for length in wanted["shape"]]))
    onnx.helper.set_model_props(model, {"card": json.dumps({**described, **card.plain()})})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


@contextlib.contextmanager
def _plain_operators() -> Iterator[None]:
    """Operators of ONNX that the exporter does not know of."""

    def exclusive_or(graph: Any, left: Any, right: Any) -> Any:
        return graph.op("BitwiseXor", left, right)

    def power_of_two(graph: Any, x: Any) -> Any:
        two = graph.op("Constant", value_t=torch.tensor(2.0, dtype=torch.float64))
        return graph.op("Pow", graph.op("CastLike", two, x), x)

    def logarithm(base: float) -> Any:
        def of(graph: Any, x: Any) -> Any:
            # The exporter's own constant is of single precision, too coarse for the phase of a tone.
            scale = graph.op("Constant", value_t=torch.tensor(1 / math.log(base), dtype=torch.float64))
            return graph.op("Mul", graph.op("Log", x), graph.op("CastLike", scale, x))

        return of

    def fraction(graph: Any, x: Any) -> Any:
        whole = graph.op("Mul", graph.op("Sign", x), graph.op("Floor", graph.op("Abs", x)))
        return graph.op("Sub", x, whole)

    known = {
        "aten::frac": fraction,
        "aten::bitwise_xor": exclusive_or,
        "aten::exp2": power_of_two,
        "aten::log2": logarithm(2.0),
        "aten::log10": logarithm(10.0),
    }
    for name, operator in known.items():
        torch.onnx.register_custom_op_symbolic(name, operator, OPSET)
    try:
        yield
    finally:
        for name in known:
            torch.onnx.unregister_custom_op_symbolic(name, OPSET)
