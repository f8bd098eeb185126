"""Units on disk: what the recordings did, frame by frame, memory-mapped.

A unit is a frame of a recording as it was played: its code, pitch, loudness, descriptors, what is played there (onset,
release, silence), and the corrections of :mod:`vqsynth.units.detail`. One file holds them all, in the order of playing.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vqsynth.errors import UsageError, VqsynthError, nearest_names
from vqsynth.storage.tensor_map import map_tensors, write_tensors

FILE = "units.safetensors"
VERSION = "1"
NOTE, ONSET, RELEASE, SILENCE, UNVOICED = 1, 2, 4, 8, 16
"""Bits of a unit's mark: a note begins here; part of an onset; of a release; silence; sound without pitch."""
DESCRIPTORS = ("centroid", "bandwidth", "rolloff", "flatness")
_LOWEST_HZ, _PER_OCTAVE = 20.0, 2400
_KHZ = float(np.log2(1000.0))
COLUMNS: dict[str, Any] = {
    "code": np.int32,
    "pitch": np.int16,
    "loudness": np.float16,
    "mark": np.uint8,
    **dict.fromkeys(DESCRIPTORS, np.float16),
    "harmonic_detail": np.int8,
    "noise_detail": np.int8,
}
WIDTHS = {"harmonic_detail": 40, "noise_detail": 20}
"""Values a unit of the columns that have several."""


@dataclasses.dataclass(frozen=True)
class Recording:
    """Where units come from.

    Attributes:
        name: of the file, with the folders that it was found in.
        source: number of its source.
        first_second: at which its units begin.
        fingerprint: hash of its samples, as ``SampleScan`` makes it; empty where it is not known.
    """

    name: str
    source: int
    first_second: float = 0.0
    fingerprint: str = ""


@dataclasses.dataclass(frozen=True)
class Units:
    """Units of a timbre.

    Attributes:
        columns: name -> array with a row a unit; names and types are those of :data:`COLUMNS`.
        start: int64 [recordings + 1], first unit of each recording.
        recordings: in the order of their units.
        sources: package, version, licence and credit of each source.
        model: SHA-256 of the weights that encoded them.
        left_out: numbers of recordings that must not be played.
        chosen: bool [units], those to play around; None are all.
    """

    columns: dict[str, np.ndarray]
    start: np.ndarray
    recordings: tuple[Recording, ...]
    sources: tuple[dict[str, Any], ...]
    model: str
    left_out: frozenset[int] = frozenset()
    chosen: np.ndarray | None = None

    def __len__(self) -> int:
        return int(self.start[-1])

    @property
    def code(self) -> np.ndarray:
        """Codes, int32 [units]."""
        return self.columns["code"]

    @property
    def loudness(self) -> np.ndarray:
        """K-weighted dB at the working level, float16 [units]."""
        return self.columns["loudness"]

    @property
    def harmonic_detail(self) -> np.ndarray:
        """Corrections of the harmonics, int8 [units, 40]."""
        return self.columns["harmonic_detail"]

    @property
    def noise_detail(self) -> np.ndarray:
        """Corrections of the noise, int8 [units, 20]."""
        return self.columns["noise_detail"]

    @property
    def mark(self) -> np.ndarray:
        """Bits, uint8 [units]; recordings that are left out are silent."""
        if not self.left_out:
            return self.columns["mark"]
        mark = np.array(self.columns["mark"])
        for number in self.left_out:
            mark[self.start[number] : self.start[number + 1]] = SILENCE
        return mark

    def f0(self, which: slice = slice(None)) -> np.ndarray:
        """Pitch in Hz, 0 where unvoiced: float64 [units]."""
        pitch = self.columns["pitch"][which]
        return np.where(pitch >= 0, _LOWEST_HZ * np.exp2(pitch / _PER_OCTAVE), 0.0)

    def column(self, name: str) -> np.ndarray:
        """Binary logarithm of a descriptor in its own unit, NaN where it cannot be measured: float64 [units].

        Raises:
            UsageError: units do not have this descriptor.
        """
        if name not in DESCRIPTORS:
            raise UsageError(f"units have no descriptor '{name}'; {nearest_names(name, DESCRIPTORS)}")
        return np.asarray(self.columns[name], np.float64) + (0.0 if name == "flatness" else _KHZ)

    def recording_of(self, units: np.ndarray) -> np.ndarray:
        """Numbers of the recordings that units belong to. Shape: [n] -> [n]."""
        return np.searchsorted(self.start, units, side="right") - 1

    def without(self, names: Sequence[str]) -> Units:
        """The same units, but for those of some recordings, by name.

        Raises:
            UsageError: a name is none of the recordings', or nothing would be left.
        """
        known = [recording.name for recording in self.recordings]
        for name in names:
            if name not in known:
                raise UsageError(
                    f"no recording of these units has that name; {nearest_names(name, known)}",
                    field="without",
                    value=name,
                )
        left_out = self.left_out | {number for number, name in enumerate(known) if name in names}
        if len(left_out) == len(known):
            raise UsageError("no recording would be left; leave out fewer", field="without", value=", ".join(names))
        return dataclasses.replace(self, left_out=left_out)

    def only(self, numbers: Sequence[int] | np.ndarray) -> Units:
        """The same units, to be played around some of them.

        Raises:
            UsageError: a number is none of theirs, or there are none.
        """
        numbers = np.asarray(numbers, np.int64)
        if not len(numbers):
            raise UsageError("names no unit; choose some", field="only")
        if numbers.min() < 0 or numbers.max() >= len(self):
            wrong = numbers[(numbers < 0) | (numbers >= len(self))][0]
            raise UsageError(f"these units are numbered from 0 to {len(self) - 1:,}", field="only", value=f"{wrong}")
        chosen = np.zeros(len(self), bool)
        chosen[numbers] = True
        return dataclasses.replace(self, chosen=chosen)

    def save(self, path: str | Path) -> None:
        """Write the file, whole or not at all."""
        blocks = {name: [self.columns[name]] for name in COLUMNS}
        write_units(path, blocks, self.start, self.recordings, self.sources, self.model)


def write_units(
    path: str | Path,
    blocks: Mapping[str, Iterable[np.ndarray]],
    start: np.ndarray,
    recordings: Sequence[Recording],
    sources: Sequence[Mapping[str, Any]],
    model: str,
) -> None:
    """Write a file of units from rows in pieces, whole or not at all.

    Args:
        path: of the file.
        blocks: name -> rows of that column, piece by piece.
        start: int64 [recordings + 1], first unit of each recording.
        recordings: in the order of their units.
        sources: package, version, licence and credit of each source.
        model: SHA-256 of the weights that encoded them.

    Raises:
        VqsynthError: the file cannot be written.
    """
    shapes: dict[str, tuple[tuple[int, ...], Any]] = {
        name: ((int(start[-1]), *((WIDTHS[name],) if name in WIDTHS else ())), kind) for name, kind in COLUMNS.items()
    }
    shapes["start"] = (start.shape, np.int64)
    metadata = {
        "version": VERSION,
        "model": model,
        "recordings": json.dumps([dataclasses.asdict(recording) for recording in recordings]),
        "sources": json.dumps([dict(source) for source in sources]),
    }
    write_tensors(path, shapes, {**blocks, "start": [start]}, metadata)


def encode_pitch(f0: np.ndarray) -> np.ndarray:
    """Half cents above 20 Hz, -1 where unvoiced. Shape: [n] Hz -> [n] int16."""
    cents = np.round(_PER_OCTAVE * np.log2(np.maximum(f0, _LOWEST_HZ) / _LOWEST_HZ))
    return np.where(f0 > 0, cents, -1).astype(np.int16)


def encode_descriptor(name: str, values: np.ndarray) -> np.ndarray:
    """Octaves above 1 kHz (flatness: above 1), NaN where there is no value. Shape: [n] -> [n] float16."""
    with np.errstate(invalid="ignore", divide="ignore"):
        octaves = np.log2(np.where(values > 0, values, np.nan)) - (0.0 if name == "flatness" else _KHZ)
    return octaves.astype(np.float16)


def open_units(path: str | Path, n_codes: int) -> Units:
    """Map a file of units.

    Args:
        path: of the file.
        n_codes: of the model that they belong to.

    Raises:
        VqsynthError: not a file of units, or one that does not fit.
    """
    columns, metadata = map_tensors(path, "a file of units")
    damaged = VqsynthError(f"{path}: not a file of units, or damaged; make it anew with `vqsynth units build`")
    if metadata.get("version") != VERSION:
        raise damaged
    try:
        start = columns.pop("start").astype(np.int64)
        recordings = tuple(Recording(**row) for row in json.loads(metadata["recordings"]))
        sources = tuple(dict(row) for row in json.loads(metadata["sources"]))
        units = Units(columns, start, recordings, sources, metadata["model"])
        count = len(units)
        fits = all(
            columns[name].dtype == kind and columns[name].shape == (count, *([WIDTHS[name]] if name in WIDTHS else []))
            for name, kind in COLUMNS.items()
        )
        ordered = len(start) == len(recordings) + 1 and start[0] == 0 and bool((np.diff(start) > 0).all())
        known = all(0 <= recording.source < len(sources) for recording in recordings)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise damaged from error
    if not (fits and ordered and known) or int(units.code.min()) < 0 or int(units.code.max()) >= n_codes:
        raise damaged
    return units
