"""Code sequences on disk: what ``encode`` writes and ``decode`` and ``render`` read.

A ``.npz`` without pickled objects: ``codes`` [frames] int32, ``loudness`` [frames] float32 dB, ``f0``
[frames] float32 Hz (0 where no pitch is asked for), and the scalars ``format``, ``timbre``, ``model``
(SHA-256 of the weights that the codes belong to), ``sample_rate``, ``hop_length``; where codes were fitted to a
recording also ``colour`` [n_mels] float32 dB.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vqsynth.errors import UsageError, VqsynthError, warn
from vqsynth.storage.arrays import Archive, write_arrays

if TYPE_CHECKING:
    from vqsynth.library.timbre import Timbre

FORMAT = 1
_ARRAYS = ("codes", "loudness", "f0")
_SCALARS = ("format", "timbre", "model", "sample_rate", "hop_length")
_WHAT, _REMEDY = "a file of codes", "encode the sound again"
LOUDNESS = (-200.0, 60.0)
"""What a loudness in dB can be."""
HIGHEST = 24_000.0
"""What a pitch in Hz can be."""


@dataclasses.dataclass
class CodeSequence:
    """Codes of one sound, with the loudness and the pitch that they were found with.

    Shape:
        codes: [frames] int64; loudness: [frames] dB (LUFS); f0: [frames] Hz, 0 where unvoiced;
        colour: [n_mels] dB, what instrument and room add to the timbre throughout, or None
    """

    codes: np.ndarray
    loudness: np.ndarray
    f0: np.ndarray
    colour: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.codes)


def model_checksum(timbre: Timbre) -> str:
    """SHA-256 of the timbre's weights, as its card has it."""
    return str(timbre.card.get("files", {}).get("model.safetensors", ""))


def save_codes(path: str | Path, timbre: Timbre, sequence: CodeSequence) -> None:
    """Write a sequence, whole or not at all.

    Raises:
        VqsynthError: the folder is missing or not writable, or the disk is full.
    """
    colour = {} if sequence.colour is None else {"colour": sequence.colour.astype(np.float32)}
    write_arrays(
        path,
        {
            **colour,
            "codes": sequence.codes.astype(np.int32),
            "loudness": sequence.loudness.astype(np.float32),
            "f0": sequence.f0.astype(np.float32),
            "format": FORMAT,
            "timbre": timbre.name,
            "model": model_checksum(timbre),
            "sample_rate": timbre.config.sample_rate,
            "hop_length": timbre.config.hop_length,
        },
    )


def timbre_of(path: str | Path) -> str:
    """Name of the timbre that a file of codes was made with.

    Raises:
        VqsynthError: as :func:`load_codes`.
    """
    return str(_read(Path(path))["timbre"])


def load_codes(path: str | Path, timbre: Timbre, force: bool = False) -> CodeSequence:
    """Read a sequence for ``timbre``.

    Args:
        path: of the file.
        timbre: that is to play them.
        force: accept codes of other weights, with a warning, as long as the numbers are in range.

    Raises:
        VqsynthError: missing, damaged, or of a foreign version.
        UsageError: made with another timbre.
    """
    path = Path(path)
    data = _read(path)
    if str(data["model"]) != model_checksum(timbre):
        theirs = str(data["timbre"])
        what = f"another training of {theirs}" if theirs == timbre.name else f"the timbre {theirs}"
        if not force:
            raise UsageError(
                f"{path}: these codes belong to {what}, not to {timbre.name}; name that one, or add `force`"
            )
        warn(f"{path}: these codes belong to {what}; {timbre.name} gives them another meaning")
    codes, loudness, f0 = (data[name] for name in _ARRAYS)
    shapes = {a.shape for a in (codes, loudness, f0)}
    if (
        len(shapes) != 1
        or codes.ndim != 1
        or not len(codes)
        or codes.dtype.kind not in "iu"
        or {loudness.dtype.kind, f0.dtype.kind} != {"f"}
    ):
        raise VqsynthError(f"{path}: its arrays are empty or do not belong together; encode the sound again")
    low, high = LOUDNESS
    # Comparisons are false for NaN.
    if not ((loudness >= low) & (loudness <= high)).all():
        raise VqsynthError(f"{path}: its loudness is not always within {low:g} to {high:g} dB; {_REMEDY}")
    if not ((f0 >= 0) & (f0 <= HIGHEST)).all():
        raise VqsynthError(f"{path}: its pitch is not always within 0 to {HIGHEST:g} Hz; {_REMEDY}")
    if codes.min() < 0 or codes.max() >= timbre.config.n_codes:
        raise UsageError(
            f"{path}: codes run from {codes.min()} to {codes.max()}, "
            f"but {timbre.name} has 0 to {timbre.config.n_codes - 1}; "
            "name the timbre that they were made with"
        )
    from vqsynth.vqvae.code_spectra import MOST_COLOUR

    colour = data.get("colour")
    if colour is not None and (
        colour.shape != (timbre.config.n_mels,) or colour.dtype.kind != "f" or not (np.abs(colour) <= MOST_COLOUR).all()
    ):
        raise VqsynthError(f"{path}: its colour is damaged; {_REMEDY}")
    return CodeSequence(codes.astype(np.int64), loudness.astype(np.float32), f0.astype(np.float32), colour)


def _read(path: Path) -> dict[str, np.ndarray]:
    data = Archive(path, _WHAT, _REMEDY).read((*_ARRAYS, *_SCALARS, "colour"))
    missing = [name for name in (*_ARRAYS, *_SCALARS) if name not in data]
    if missing:
        raise VqsynthError(f"{path}: not a file of codes (no {', '.join(missing)}); make one with `vqsynth encode`")
    if any(data[name].ndim for name in _SCALARS):
        raise VqsynthError(f"{path}: not {_WHAT}, or damaged; {_REMEDY}")
    if str(data["format"]) != str(FORMAT):
        raise VqsynthError(f"{path}: format {data['format']}, but this vqsynth reads {FORMAT}; {_REMEDY}")
    return data
