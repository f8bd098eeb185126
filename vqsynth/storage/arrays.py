"""NumPy archives (``.npz``) read without trust: known members, declared sizes checked first, no objects."""

from __future__ import annotations

import io
import math
import struct
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from vqsynth.errors import VqsynthError
from vqsynth.storage.atomic import atomic_path
from vqsynth.storage.reading import read_bytes

LARGEST = 1 << 28
"""Bytes of all arrays together, and of the archive: a latent path of a day."""
_MEMBERS = 256
_KINDS = "biufU"
_END = b"PK\x05\x06"
_END_64 = b"PK\x06\x07"


class Archive:
    """An archive whose members are read one by one, when they are asked for.

    Args:
        path: of the file.
        what: what it should be, with its article; for messages.
        remedy: what to do if it is not.

    Raises:
        VqsynthError: not a regular file, too large, or not an archive.
    """

    def __init__(self, path: str | Path, what: str, remedy: str) -> None:
        self.path = Path(path)
        self._fault = f"{self.path}: not {what}, or damaged; {remedy}"
        data = read_bytes(path, what, LARGEST)
        self._left = LARGEST
        try:
            _check_directory(data)
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            self._members = {m.filename.removesuffix(".npy"): m for m in self._zip.infolist()[:_MEMBERS]}
        # zipfile raises a dozen kinds of exceptions on damaged files.
        except Exception as error:
            raise VqsynthError(self._fault) from error

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def read(self, names: Iterable[str]) -> dict[str, np.ndarray]:
        """Read members; those that are not there are left out.

        Raises:
            VqsynthError: a member is damaged, holds objects, or all are larger together than :data:`LARGEST`.
        """
        try:
            return {name: self._read(self._members[name]) for name in dict.fromkeys(names) if name in self._members}
        # zlib, zipfile and NumPy's reader of headers raise a dozen kinds of exceptions on damaged files.
        except Exception as error:
            raise VqsynthError(self._fault) from error

    def _read(self, member: zipfile.ZipInfo) -> np.ndarray:
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or member.file_size > self._left:
            raise ValueError(f"{member.filename}: size or compression")
        self._left -= member.file_size
        with self._zip.open(member) as handle:
            shape, fortran, dtype = _header(handle)
            if dtype.hasobject or dtype.kind not in _KINDS or min(shape, default=0) < 0:
                raise ValueError(f"{member.filename}: dtype or shape")
            # zipfile reads no more than the declared size, and compares the checksum at its end.
            data = handle.read()
        if len(data) != math.prod(shape) * dtype.itemsize:
            raise ValueError(f"{member.filename}: {len(data)} bytes for {shape}")
        array = np.zeros(math.prod(shape), dtype)
        if data:
            array = np.frombuffer(data, dtype).copy()
        if dtype.kind == "U":
            array.tolist()  # raises for what is no character
        return array.reshape(shape, order="F" if fortran else "C")


def write_arrays(path: str | Path, arrays: Mapping[str, Any]) -> None:
    """Write arrays and scalars as a compressed ``.npz``, whole or not at all.

    Raises:
        VqsynthError: an array is not finite, the folder is not writable, or the disk is full.
    """
    for name, values in arrays.items():
        if np.asarray(values).dtype.kind == "f" and not np.isfinite(values).all():
            raise VqsynthError(f"{path}: was not written, since its {name} would not be finite; use smaller values")
    with atomic_path(path) as temporary, open(temporary, "wb") as handle:
        np.savez_compressed(handle, **arrays)


def _check_directory(data: bytes) -> None:
    """Refuse an archive with more members than are read here, before any is looked at.

    Raises:
        ValueError: no archive, or a directory too large.
    """
    tail = data[-65_557:]
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22 or _END_64 in tail:
        raise ValueError("no directory")
    count, size = struct.unpack("<HI", tail[at + 10 : at + 16])
    if count > _MEMBERS or size > 1024 * _MEMBERS:
        raise ValueError("too many members")


def _header(handle: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, order and kind of the array that follows."""
    version = np.lib.format.read_magic(handle)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    return read(handle)
