"""Units in the making: kept on disk recording by recording, then written as one file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np

from vqsynth.errors import VqsynthError
from vqsynth.units.encode import encode_stream
from vqsynth.units.marks import mark_notes
from vqsynth.units.store import COLUMNS, WIDTHS, Recording, Units, write_units
from vqsynth.vqvae.model import VQVAE

_ROWS = 1 << 16


class UnitsMaker:
    """Encodes recordings into units; memory does not grow with their length. Use as a context manager.

    Args:
        model: of the timbre.
        model_sha256: checksum of its weights.
        folder: where what is not written yet may lie, in files without a name.
        base: units to add to.

    Attributes:
        recordings: in the order of their units, those of ``base`` first.
        sources: package, version, licence and credit of each source.
    """

    def __init__(self, model: VQVAE, model_sha256: str, folder: Path, base: Units | None = None) -> None:
        self.model, self.model_sha256, self.folder, self.base = model, model_sha256, folder, base
        self.recordings = list(base.recordings) if base else []
        self.sources: list[dict[str, Any]] = [dict(source) for source in base.sources] if base else []
        self._start = [int(at) for at in base.start] if base else [0]
        self._files: dict[str, IO[bytes]] = {}

    def __enter__(self) -> UnitsMaker:
        try:
            for name in COLUMNS:
                self._files[name] = tempfile.TemporaryFile(dir=self.folder)
        except OSError as error:
            self.__exit__(None, None, None)
            raise VqsynthError(f"{self.folder}: cannot write here ({error.strerror})") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files.values():
            file.close()

    def __len__(self) -> int:
        return self._start[-1]

    @property
    def bytes(self) -> int:
        """Of the file, about."""
        return len(self) * sum(map(self._bytes, COLUMNS))

    @property
    def added(self) -> list[Recording]:
        """Recordings that ``base`` does not have."""
        return self.recordings[len(self.base.recordings) if self.base else 0 :]

    def add(
        self,
        blocks: Iterable[np.ndarray],
        name: str,
        source: Mapping[str, Any],
        fingerprint: str = "",
        progress: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        """Encode a recording; if that fails or is interrupted, none of it stays.

        Args:
            blocks: of audio at the model's rate and the working level, [samples] each.
            name: of the recording.
            source: package, version, licence and credit.
            fingerprint: of its samples.
            progress: called with the seconds that are done.

        Raises:
            VqsynthError: the disk is full.
        """
        rate, done, f0, loudness = self.model.config.frame_rate, 0, [], []
        try:
            for piece in encode_stream(self.model, blocks):
                self._write(piece.columns)
                f0.append(piece.f0)
                loudness.append(piece.loudness)
                done += len(piece.f0)
                progress(done / rate)
            if not done:
                return
            self._write({"mark": mark_notes(np.concatenate(f0), np.concatenate(loudness), rate)})
        except BaseException:
            self._cut()
            raise
        self._start.append(self._start[-1] + done)
        if dict(source) not in self.sources:
            self.sources.append(dict(source))
        self.recordings.append(Recording(name, self.sources.index(dict(source)), 0.0, fingerprint))

    def save(self, path: str | Path) -> None:
        """Write all units, those of ``base`` first, whole or not at all.

        Raises:
            VqsynthError: the file cannot be written.
        """
        blocks = {name: self._blocks(name) for name in COLUMNS}
        start = np.array(self._start, np.int64)
        write_units(path, blocks, start, self.recordings, self.sources, self.model_sha256)

    def _blocks(self, name: str) -> Iterator[np.ndarray]:
        """Rows of a column, in pieces."""
        if self.base:
            column = self.base.columns[name]
            yield from (column[at : at + _ROWS] for at in range(0, len(column), _ROWS))
        file, width = self._files[name], self._bytes(name)
        file.seek(0)
        while data := file.read(_ROWS * width):
            yield np.frombuffer(data, COLUMNS[name])

    def _write(self, columns: Mapping[str, np.ndarray]) -> None:
        try:
            for name, column in columns.items():
                self._files[name].write(np.ascontiguousarray(column, COLUMNS[name]).tobytes())
        except OSError as error:
            raise VqsynthError(f"{self.folder}: the units do not fit ({error.strerror}); free some space") from error

    def _cut(self) -> None:
        """Forget what belongs to no whole recording."""
        rows = self._start[-1] - (len(self.base) if self.base else 0)
        for name, file in self._files.items():
            file.seek(rows * self._bytes(name))
            file.truncate()

    @staticmethod
    def _bytes(name: str) -> int:
        """Bytes a unit."""
        return np.dtype(COLUMNS[name]).itemsize * WIDTHS.get(name, 1)
