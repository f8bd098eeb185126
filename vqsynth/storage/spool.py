"""Sound that is not finished: in memory while short, in an unnamed file while long."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import numpy as np

from vqsynth.errors import VqsynthError
from vqsynth.storage.atomic import output_folder

IN_MEMORY = 1 << 23
"""Samples (190 s at 44.1 kHz, 32 MB) up to which sound stays in memory."""
STEPS = {"16": 2.0**-15, "24": 2.0**-23}
"""Between two neighbouring sample values of a format."""
_BLOCK = 1 << 18


def rounded(audio: np.ndarray, bits: str | None) -> np.ndarray:
    """What becomes of samples in a file of ``bits`` (None: they stay in memory)."""
    if bits not in STEPS:
        return audio
    return np.round(audio / np.float32(STEPS[bits])) * np.float32(STEPS[bits])


class AudioSpool:
    """Mono float32 samples, appended in order, read anywhere. Use as a context manager.

    Args:
        samples: how many will be kept; what is written beyond is dropped.
        folder: where a long sound may be put, made if it is missing; None keeps any length in memory.
    """

    def __init__(self, samples: int, folder: Path | None = None) -> None:
        self.samples, self.written, self.peak, self.folder = samples, 0, 0.0, folder
        self._memory: np.ndarray | None = None
        if folder is None or samples <= IN_MEMORY:
            self._memory = np.zeros(samples, np.float32)
        else:
            self._place = output_folder(folder)
            self._place.__enter__()
            try:
                self._file = tempfile.TemporaryFile(dir=folder)
            except OSError as error:
                self._place.__exit__(type(error), error, error.__traceback__)
                raise VqsynthError(
                    f"{folder}: cannot write here ({error.strerror}); choose another output folder"
                ) from error

    def __enter__(self) -> AudioSpool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._memory is None:
            self._file.close()
            self._place.__exit__(kind, error, trace)

    def write(self, audio: np.ndarray) -> None:
        """Append float32 [n].

        Raises:
            VqsynthError: the disk is full.
        """
        audio = audio[: self.samples - self.written]
        if not len(audio):
            return
        self.peak = max(self.peak, float(np.abs(audio).max()))
        self._put(self.written, audio)
        self.written += len(audio)

    def add(self, other: AudioSpool) -> None:
        """Mix another sound into this one, which is as long as it or empty.

        Raises:
            VqsynthError: the disk is full.
        """
        self.peak, written = 0.0, self.written
        for start in range(0, other.written, _BLOCK):
            audio = other.read(start, _BLOCK)
            if start < written:
                audio = audio + self.read(start, _BLOCK)
            self.peak = max(self.peak, float(np.abs(audio).max()))
            self._put(start, audio)
        self.written = max(written, other.written)

    def _put(self, start: int, audio: np.ndarray) -> None:
        """Set samples from ``start`` on."""
        if self._memory is not None:
            self._memory[start : start + len(audio)] = audio
            return
        try:
            self._file.seek(4 * start)
            self._file.write(np.ascontiguousarray(audio, np.float32).tobytes())
        except OSError as error:
            raise VqsynthError(f"{self.folder}: the sound does not fit ({error.strerror}); free some space") from error

    def read(self, start: int, count: int) -> np.ndarray:
        """Samples from ``start``, fewer at the end: float32 [n]."""
        if self._memory is not None:
            return self._memory[start : start + count]
        self._file.seek(4 * start)
        return np.frombuffer(self._file.read(4 * min(count, self.written - start)), np.float32)

    def blocks(self, scale: float = 1.0, bits: str | None = None) -> Iterator[np.ndarray]:
        """The whole sound in order, times ``scale``, as a file of ``bits`` holds it."""
        for start in range(0, self.written, _BLOCK):
            block = self.read(start, _BLOCK)
            yield rounded(block if scale == 1.0 else block * np.float32(scale), bits)
