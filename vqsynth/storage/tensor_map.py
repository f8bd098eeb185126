"""A safetensors file as memory-mapped arrays: nothing is read before it is used, nothing is copied."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vqsynth.errors import VqsynthError
from vqsynth.storage.atomic import atomic_path
from vqsynth.storage.reading import regular_file

_TYPES: dict[str, str] = {"U8": "u1", "I8": "i1", "I16": "<i2", "I32": "<i4", "I64": "<i8", "F16": "<f2", "F32": "<f4"}
_NAMES = {np.dtype(kind): name for name, kind in _TYPES.items()}
_LARGEST_HEADER = 16 << 20


def map_tensors(path: str | Path, what: str) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Map the tensors of a file.

    Args:
        path: of the file.
        what: it should be, for messages.

    Returns:
        Arrays by name, read-only; and the file's metadata.

    Raises:
        VqsynthError: missing, or its header does not describe what it holds.
    """
    path = regular_file(path, what)
    damaged = VqsynthError(f"{path}: not {what}, or damaged; restore it or make it anew")
    try:
        size = path.stat().st_size
        with open(path, "rb") as handle:
            (length,) = struct.unpack("<Q", handle.read(8))
            if length > min(_LARGEST_HEADER, size):
                raise damaged
            header: dict[str, Any] = json.loads(handle.read(length))
        data = np.memmap(path, np.uint8, "r", offset=8 + length) if size > 8 + length else np.zeros(0, np.uint8)
        metadata = header.pop("__metadata__", {})
        arrays = {name: _view(data, entry) for name, entry in header.items()}
        texts = {str(key): str(value) for key, value in metadata.items()}
    except (struct.error, ValueError, KeyError, TypeError, AttributeError, OSError, OverflowError) as error:
        raise damaged from error
    return arrays, texts


def _view(data: np.ndarray, entry: Mapping[str, Any]) -> np.ndarray:
    """One tensor. Raises ValueError or KeyError where the header does not fit the file."""
    dtype, shape = np.dtype(_TYPES[entry["dtype"]]), [int(n) for n in entry["shape"]]
    first, last = (int(at) for at in entry["data_offsets"])
    if min(shape, default=0) < 0 or not 0 <= first <= last <= len(data):
        raise ValueError("offsets")
    if last - first != math.prod(shape) * dtype.itemsize:
        raise ValueError("size")
    return data[first:last].view(dtype).reshape(shape)


def write_tensors(
    path: str | Path,
    shapes: Mapping[str, tuple[tuple[int, ...], Any]],
    blocks: Mapping[str, Iterable[np.ndarray]],
    metadata: Mapping[str, str],
) -> None:
    """Write tensors block by block, whole or not at all.

    Args:
        path: of the file.
        shapes: name -> shape and type.
        blocks: name -> the tensor's rows in pieces.
        metadata: texts.

    Raises:
        VqsynthError: the file cannot be written.
        ValueError: the pieces of a tensor are not as many as its shape says.
    """
    # Wider types first, so that every tensor begins at a multiple of its own width.
    order = sorted(shapes, key=lambda name: -np.dtype(shapes[name][1]).itemsize)
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    at = 0
    for name in order:
        shape, dtype = shapes[name]
        size = math.prod(shape) * np.dtype(dtype).itemsize
        header[name] = {"dtype": _NAMES[np.dtype(dtype)], "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with atomic_path(path) as temporary:
        try:
            with open(temporary, "wb") as handle:
                handle.write(struct.pack("<Q", len(text)) + text)
                for name in order:
                    wanted = header[name]["data_offsets"][1] - header[name]["data_offsets"][0]
                    for block in blocks[name]:
                        wanted -= handle.write(np.ascontiguousarray(block, shapes[name][1]).tobytes())
                    if wanted:
                        raise ValueError(f"{name}: {wanted} bytes too few")
        except OSError as error:
            raise VqsynthError(f"{path}: could not be written ({error.strerror}); free some space") from error
