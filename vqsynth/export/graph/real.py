"""Complex numbers and Fourier transforms in real tensors: what formats without complex types can hold.

Within :class:`RealNumbers` every ``torch.fft.rfft``, ``irfft`` and ``torch.complex`` gives or takes a :class:`Pair`,
and the arithmetic of the synthesis goes on with it, unchanged. A transform is two small matrix products with a rotation
between them (Cooley & Tukey 1965), which costs a tenth of one large product.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode


class Pair:
    """A complex tensor as two real ones; knows what the synthesis does with it.

    Args:
        real: part.
        imag: part, of the same shape.
    """

    def __init__(self, real: Tensor, imag: Tensor) -> None:
        self.real, self.imag = real, imag

    @staticmethod
    def of(tensor: Tensor | Pair) -> Pair:
        """A complex tensor, or what is a pair already, as a pair."""
        return tensor if isinstance(tensor, Pair) else Pair(tensor.real.clone(), tensor.imag.clone())

    @property
    def shape(self) -> torch.Size:
        """Of either part."""
        return self.real.shape

    def conj(self) -> Pair:
        """The conjugate."""
        return Pair(self.real, -self.imag)

    def __getitem__(self, index: Any) -> Pair:
        return Pair(self.real[index], self.imag[index])

    def __mul__(self, other: Tensor | Pair) -> Pair:
        if isinstance(other, Pair):
            return Pair(
                self.real * other.real - self.imag * other.imag, self.real * other.imag + self.imag * other.real
            )
        return Pair(self.real * other, self.imag * other)

    __rmul__ = __mul__

    def __add__(self, other: Pair) -> Pair:
        return Pair(self.real + other.real, self.imag + other.imag)

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        # A tensor times a pair; the transforms are met by the mode before they come here.
        if func in (torch.Tensor.mul, torch.Tensor.__mul__, torch.mul):
            return args[1] * args[0]
        return NotImplemented


class RealNumbers(TorchFunctionMode):
    """While it lasts, Fourier transforms and complex tensors are made of real ones; see the module."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch.fft.rfft:
            return rfft(*args, **kwargs)
        if func is torch.fft.irfft:
            return irfft(*args, **kwargs)
        if func is torch.complex:
            return Pair(*args)
        return func(*args, **kwargs)


def rfft(x: Tensor, n: int | None = None) -> Pair:
    """The transform of real frames. Shape: [..., length] -> [..., n // 2 + 1]; n is a power of two."""
    *outer, length = map(int, x.shape)
    n = int(n or length)
    if length < n:
        x = torch.nn.functional.pad(x, (0, n - length))
    rows, columns = _sides(n)
    first, turn, second = (_table(kind, n, x.dtype) for kind in ("first", "turn", "second"))
    # Sample columns * i + j lies in row i: transform the columns, turn, transform the rows.
    x = x.reshape(*outer, rows, columns)
    inner = Pair(first.real @ x, first.imag @ x) * turn
    real = inner.real @ second.real - inner.imag @ second.imag
    imag = inner.real @ second.imag + inner.imag @ second.real
    keep = n // 2 + 1
    # Bin i + rows * k is in row i, column k.
    return Pair(real.transpose(-1, -2).flatten(-2)[..., :keep], imag.transpose(-1, -2).flatten(-2)[..., :keep])


def irfft(spectrum: Pair, n: int | None = None) -> Tensor:
    """The inverse of :func:`rfft`. Shape: [..., n // 2 + 1] -> [..., n]."""
    *outer, bins = map(int, spectrum.shape)
    n = int(n or 2 * (bins - 1))
    dtype = spectrum.real.dtype
    rows, columns = _sides(n)
    weights, first, turn, second = (_table(kind, n, dtype) for kind in ("weights", "back", "unturn", "last"))
    missing = (rows // 2 + 1) * columns - bins
    half = spectrum * weights.real
    parts = [torch.nn.functional.pad(part, (0, missing)) for part in (half.real, half.imag)]
    half = Pair(*(part.reshape(*outer, rows // 2 + 1, columns) for part in parts))
    inner = Pair(first.real @ half.real - first.imag @ half.imag, first.real @ half.imag + first.imag @ half.real)
    inner = inner * turn
    # The real part is all there is: the other half of the spectrum is the conjugate of this one.
    return (inner.real @ second.real - inner.imag @ second.imag).transpose(-1, -2).flatten(-2)


def _sides(n: int) -> tuple[int, int]:
    if n & (n - 1) or n < 4:
        raise ValueError(f"a transform of {n} points is not a power of two")
    rows = 1 << ((n.bit_length() - 1) // 2)
    return rows, n // rows


@functools.lru_cache(maxsize=64)
def _table(kind: str, n: int, dtype: torch.dtype) -> Pair:
    """Constants of the transforms of n points."""
    rows, columns = _sides(n)
    i, j = torch.arange(rows, dtype=torch.float64), torch.arange(columns, dtype=torch.float64)
    half = torch.arange(rows // 2 + 1, dtype=torch.float64)
    kept = torch.arange(columns // 2 + 1, dtype=torch.float64)
    if kind == "weights":
        weights = torch.full((n // 2 + 1,), 2.0 / n, dtype=torch.float64)
        weights[0] = weights[-1] = 1.0 / n
        return Pair(weights.to(dtype), torch.zeros_like(weights).to(dtype))
    turns = {
        "first": -i[:, None] * i / rows,
        "turn": -i[:, None] * j / n,
        "second": -j[:, None] * kept / columns,
        "back": i[:, None] * half / rows,
        "unturn": i[:, None] * j / n,
        "last": j[:, None] * j / columns,
    }[kind]
    angle = 2 * math.pi * torch.remainder(turns, 1.0)
    return Pair(torch.cos(angle).to(dtype), torch.sin(angle).to(dtype))
