"""The exporter's own tests of an ONNX file, in onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from vqsynth.errors import VqsynthError
from vqsynth.export.card import AUDIO, Card
from vqsynth.export.check import GROWTH, SILENT, TOLERANCE, example, failure, resident
from vqsynth.export.graph.step import Step, copy_of

SECONDS = 2.0


class Session:
    """An ONNX file in motion: a block in, a block out, its past kept.

    Args:
        path: of the file, as this package writes it.
        threads: of the computation.

    Attributes:
        settings: inputs beside the block, by name; may be changed between blocks.
    """

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        try:
            import onnxruntime  # type: ignore[import-untyped]
        except ImportError as error:
            raise VqsynthError("ONNX files need the package onnxruntime; install it") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        inputs = {tensor.name: tensor.shape for tensor in self.session.get_inputs()}
        self.size = inputs["state"][0]
        self.settings = {
            name: np.full(shape, float(name == "scale"), np.float32)
            for name, shape in inputs.items()
            if name not in ("input", "state")
        }
        self.reset()

    def reset(self) -> None:
        """Begin a new stream."""
        self.state = np.zeros(self.size, np.float64)

    def __call__(self, block: np.ndarray) -> np.ndarray:
        """One block. Shape: [1, channels, frames] -> [1, channels, frames]."""
        made, self.state = self.session.run(None, {"input": block, "state": self.state, **self.settings})
        return made


def check_onnx(path: Path, step: Step, card: Card, frames: int, blocks: int) -> dict[str, Any]:
    """Test an ONNX file against the instrument that it was made from.

    Args:
        path: of the file.
        step: that was written.
        card: of it.
        frames: of a block.
        blocks: of the test of memory.

    Returns:
        As :func:`~vqsynth.export.check.check_file`.

    Raises:
        VqsynthError: says which test it fails.
    """
    method, session, eager = card.methods[0], Session(path), copy_of(step.settled)
    samples = int(SECONDS * card.sample_rate) // card.hop_length * card.hop_length
    pieces = example(method, samples).split(frames, 2)
    difference = 0.0
    with torch.inference_mode():
        for block in pieces:
            wanted = getattr(eager, step.method)(block).numpy()
            made = session(block.numpy())
            if made.shape != wanted.shape or made.dtype != np.float32:
                raise failure(f"gives {made.shape} {made.dtype} in {method.name}, not {wanted.shape}")
            off = float((np.abs(made - wanted) / np.maximum(np.abs(wanted), 1.0)).max())
            difference = max(difference, off) if off == off else np.inf
    if not difference <= TOLERANCE:
        raise failure(f"differs from the model by {difference:.2g} in {method.name}")
    session.reset()
    empty = np.zeros_like(pieces[0].numpy())
    silence = max(float(np.abs(session(empty)).max()) for _ in pieces)
    if method.outputs[0].unit != AUDIO:
        silence = 0.0
    if not silence <= SILENT:
        raise failure(f"makes noise of {silence:.2g} out of silence in {method.name}")
    after = [session(empty * np.nan), session(pieces[0].numpy()), session.state]
    if not all(np.isfinite(array).all() for array in after):
        raise failure(f"does not recover from values that are no numbers in {method.name}")
    session.reset()
    before = 0
    for number in range(blocks):
        if number == min(64, blocks - 1):
            before = resident()
        session(pieces[number % len(pieces)].numpy())
    grown = resident() - before
    if grown > GROWTH:
        raise failure(f"grows by {grown} bytes in {blocks} blocks")
    return {"difference": difference, "silence": silence, "blocks": blocks, "growth": max(0, grown)}
