"""Weights in a quarter of their size: eight bits a number and a scale for each row of a matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

SCALE = ".scale"
"""What the name of a matrix's scales ends with."""
SMALLEST = 2048
"""Numbers of a matrix that is worth it."""


def compact(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Round matrices to 255 levels a row, everything else to half precision.

    Shape:
        [rows, ...] -> int8, the same, and under the name with ``.scale`` float32 [rows]
    """
    import torch

    small: dict[str, Tensor] = {}
    for name, weight in weights.items():
        if not weight.is_floating_point() or weight.ndim < 2 or weight.numel() < SMALLEST:
            small[name] = weight.half() if weight.is_floating_point() else weight
            continue
        scale = (weight.float().flatten(1).abs().amax(1) / 127).clamp_min(1e-12)
        rows = scale.view(-1, *[1] * (weight.ndim - 1))
        small[name] = (weight.float() / rows).round().clamp(-127, 127).to(torch.int8)
        small[name + SCALE] = scale
    return small


def expand(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Inverse of :func:`compact`, in single precision; what was never compacted stays as it is.

    Raises:
        ValueError: scales that do not fit their matrix.
    """
    import torch

    whole: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name.endswith(SCALE) and name.removesuffix(SCALE) in tensors:
            continue
        scale = tensors.get(name + SCALE)
        if tensor.dtype == torch.int8 and scale is not None:
            if scale.shape != tensor.shape[:1] or tensor.ndim < 2:
                raise ValueError(f"the scales of {name} do not fit it")
            tensor = tensor.float() * scale.float().view(-1, *[1] * (tensor.ndim - 1))
        whole[name] = tensor
    return whole
