"""Sound written as it comes, whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from vqsynth.errors import UsageError, VqsynthError, warn
from vqsynth.storage.atomic import atomic_path

BITS = {"16": "PCM_16", "24": "PCM_24", "32f": "FLOAT"}
FORMATS = {".wav": ("16", "24", "32f"), ".flac": ("16", "24")}


def native_name(path: str | Path) -> str | bytes:
    """A path as soundfile opens it: names that are not UTF-8 as bytes alone, and on Windows as text alone."""
    return os.fsencode(path) if os.name == "posix" else str(path)


def check_output(path: str | Path, bits: str = "16") -> None:
    """Check, before any work is done, that a sound could be written to ``path``.

    Raises:
        UsageError: the suffix is not .wav or .flac, or the format has no such ``bits``.
        VqsynthError: the folder does not exist.
    """
    path = Path(path)
    allowed = FORMATS.get(path.suffix.lower())
    if allowed is None:
        raise UsageError(f"{path}: the output must end in .wav or .flac")
    if bits not in allowed:
        raise UsageError(f"{path.suffix} files can have {', '.join(allowed)}", field="bits", value=bits)
    if not path.parent.is_dir():
        raise VqsynthError(f"{path.parent}: this output folder does not exist; create it first")


class SoundWriter:
    """Appends mono blocks to an open file; samples beyond full scale are clipped in integer formats.

    Attributes:
        samples: how many were written. peak: highest absolute sample before clipping.
    """

    def __init__(self, sound: soundfile.SoundFile, integer: bool) -> None:
        self._sound, self._integer = sound, integer
        self.samples, self.peak = 0, 0.0

    def write(self, audio: np.ndarray) -> None:
        """Append float32 [samples]."""
        if not len(audio):
            return
        self.peak = max(self.peak, float(np.abs(audio).max()))
        self._sound.write(np.clip(audio, -1.0, 1.0) if self._integer else audio)
        self.samples += len(audio)


@contextlib.contextmanager
def open_sound(path: str | Path, sample_rate: int, bits: str = "16") -> Iterator[SoundWriter]:
    """Open ``path`` for mono sound; it appears when the block ends well.

    Args:
        bits: ``16``, ``24`` or ``32f`` (WAV only).

    Raises:
        UsageError: as :func:`check_output`. VqsynthError: not writable, or the disk is full.
    """
    path = Path(path)
    check_output(path, bits)
    with atomic_path(path) as temporary:
        try:
            with soundfile.SoundFile(native_name(temporary), "w", sample_rate, 1, subtype=BITS[bits]) as sound:
                writer = SoundWriter(sound, bits != "32f")
                yield writer
        # soundfile asserts that all samples were taken, and a full disk takes fewer.
        except (soundfile.LibsndfileError, AssertionError) as error:
            raise VqsynthError(f"{path}: could not be written (is the disk full?); free some space") from error
        # libsndfile does not report a full disk reliably; the length of the file does.
        if soundfile.info(native_name(temporary)).frames != writer.samples:
            raise VqsynthError(f"{path}: could not be written whole (is the disk full?); free some space")
    if writer.peak > 1.0 and bits != "32f":
        warn(
            f"{path}: peaks {20 * np.log10(writer.peak):.1f} dB over full scale were clipped; use a lower `gain` or `bits=32f`"
        )
