"""Sound written as it comes, whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from vqsynth.errors import UsageError, VqsynthError, warn
from vqsynth.storage.atomic import atomic_path, check_folder

BITS = {"16": "PCM_16", "24": "PCM_24", "32f": "FLOAT"}
FORMATS = {".wav": ("16", "24", "32f"), ".flac": ("16", "24")}


def native_name(path: str | Path) -> str | bytes:
    """A path as soundfile opens it: names that are not UTF-8 as bytes alone, and on Windows as text alone."""
    return os.fsencode(path) if os.name == "posix" else str(path)


def check_output(path: str | Path, bits: str = "16") -> None:
    """Check, before any work is done, that a sound could be written to ``path``, whose folder need not be there yet.

    Args:
        path: of the sound.
        bits: ``16``, ``24`` or ``32f``.

    Raises:
        UsageError: the suffix is not .wav or .flac, or the format has no such ``bits``.
        VqsynthError: the folder cannot be made or written to.
    """
    path = Path(path)
    allowed = FORMATS.get(path.suffix.lower())
    if allowed is None:
        raise UsageError(f"{path}: the output must end in .wav or .flac")
    if bits not in allowed:
        raise UsageError(f"{path.suffix} files can have {', '.join(allowed)}", field="bits", value=bits)
    if path.is_dir():
        raise VqsynthError(f"{path}: is a folder; choose another name")
    check_folder(path.parent)


class SoundWriter:
    """Appends mono blocks to an open file; samples beyond full scale are clipped in integer formats.

    Args:
        sound: the open file.
        name: of the file that it becomes, for messages.
        integer: whether the format ends at full scale.

    Attributes:
        samples: how many were written.
        peak: highest absolute sample before clipping.
    """

    def __init__(self, sound: soundfile.SoundFile, name: str | Path, integer: bool) -> None:
        self._sound, self._name, self._integer = sound, name, integer
        self.samples, self.peak = 0, 0.0

    def write(self, audio: np.ndarray) -> None:
        """Append a block.

        Args:
            audio: float32 [samples].

        Raises:
            VqsynthError: it is not finite in single precision.
        """
        if not len(audio):
            return
        with np.errstate(over="ignore"):
            finite = np.isfinite(np.asarray(audio, np.float32))
        if not finite.all():
            at = (self.samples + int(np.argmin(finite))) / self._sound.samplerate
            raise VqsynthError(
                f"{self._name}: was not written, since the sound is not finite from {at:.2f} s on; "
                "a gain, a curve or a bent path is too large there, or the model's weights are damaged"
            )
        self.peak = max(self.peak, float(np.abs(audio).max()))
        self._sound.write(np.clip(audio, -1.0, 1.0) if self._integer else audio)
        self.samples += len(audio)


@contextlib.contextmanager
def open_sound(path: str | Path, sample_rate: int, bits: str = "16") -> Iterator[SoundWriter]:
    """Open ``path`` for mono sound; it appears when the block ends well, in a folder that is made for it.

    What is over full scale is told in a warning: integer formats clip it, floats keep it.

    Args:
        path: of the sound.
        sample_rate: Hz.
        bits: ``16``, ``24`` or ``32f`` (WAV only).

    Raises:
        UsageError: as :func:`check_output`.
        VqsynthError: not finite, not writable, or the disk is full.
    """
    path = Path(path)
    check_output(path, bits)
    with atomic_path(path) as temporary:
        try:
            with soundfile.SoundFile(native_name(temporary), "w", sample_rate, 1, subtype=BITS[bits]) as sound:
                writer = SoundWriter(sound, path, bits != "32f")
                yield writer
        # soundfile asserts that all samples were taken, and a full disk takes fewer.
        except (soundfile.LibsndfileError, AssertionError) as error:
            raise VqsynthError(f"{path}: could not be written (is the disk full?); free some space") from error
        # libsndfile does not report a full disk reliably; the length of the file does.
        if soundfile.info(native_name(temporary)).frames != writer.samples:
            raise VqsynthError(f"{path}: could not be written whole (is the disk full?); free some space")
    if writer.peak > 1.0:
        over = f"{path}: peaks {20 * np.log10(writer.peak):.1f} dB over full scale"
        if bits == "32f":
            warn(f"{over} are kept; other programs may clip them, so use a lower `gain`")
        else:
            warn(f"{over} were clipped; use a lower `gain` or `bits=32f`")
