"""Descriptors: properties of sound that can be measured, asked for and followed.

One module a descriptor, each with a constant ``DESCRIPTOR``; a new file is found without being registered.
Modules whose names begin with an underscore are helpers.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Iterable
from typing import Any

import numpy as np

from vqsynth.descriptors._base import Descriptor, Measurement, audible
from vqsynth.errors import UsageError, nearest_names

__all__ = ["Descriptor", "Measurement", "audible", "get", "measure", "names"]


@functools.cache
def names() -> tuple[str, ...]:
    """Names of all descriptors, sorted. Nothing is imported for it."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")))


def get(name: str) -> Descriptor:
    """Return the descriptor called ``name``.

    Raises:
        UsageError: there is none; the message has the nearest names.
    """
    if name not in names():
        raise UsageError(f"unknown descriptor '{name}'; {nearest_names(name, names())}")
    return importlib.import_module(f"{__name__}.{name}").DESCRIPTOR


def measure(
    which: Iterable[str], audio: np.ndarray, sample_rate: int, n_fft: int = 2048, hop_length: int = 512, **hints: Any
) -> dict[str, Measurement]:
    """Measure several descriptors on one sound, sharing one STFT.

    Args:
        which: descriptor names.
        audio: float32 ``[samples]``, mono.
        sample_rate: in Hz.
        n_fft: samples of an analysis window.
        hop_length: samples between frames.
        **hints: passed to every descriptor (``method`` for f0, for example).

    Returns:
        name -> :class:`Measurement` with ``1 + samples // hop_length`` frames.

    Raises:
        UsageError: unknown descriptor.
    """
    from vqsynth.descriptors._spectrum import Spectrum

    found = [get(name) for name in which]
    audio = np.nan_to_num(np.asarray(audio, dtype=np.float32), posinf=0.0, neginf=0.0)
    spectrum = Spectrum(audio, sample_rate, n_fft, hop_length)
    return {d.name: d.measure(audio, sample_rate, n_fft, hop_length, spectrum=spectrum, **hints) for d in found}
