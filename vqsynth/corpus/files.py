"""Find audio files, look into them, and stream them as mono at one rate.

Nothing here holds a whole file: readers yield blocks, and the resampler carries its own state.
Channels are averaged; where the average cancels (channels in antiphase, or the sound in one channel
of many), the louder one is taken instead.
"""

from __future__ import annotations

import collections
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from vqsynth.errors import VqsynthError
from vqsynth.storage.reading import is_file, is_folder, regular_file
from vqsynth.storage.sound_file import native_name

SUFFIXES = frozenset(
    ".wav .wave .wavex .rf64 .w64 .flac .ogg .oga .opus .mp3 .mp2 .mp1 .mpga .aif .aiff .aifc .au .snd "
    ".caf .voc .sf .ircam .nist .sph .svx .iff .8svx .paf .pvf .avr .htk .mat .wve .xi .sds .sd2".split()
)
MINIMUM_SECONDS = 0.05
RATES = (1_000, 1_000_000)
"""Lowest and highest sampling rate, Hz: a header that says 1 Hz would make hours of a second."""
LARGEST_SAMPLE = 5e9
"""Full scale is 1; 32-bit whole numbers written as floats stay below, and squares and sums of them are finite."""
_LARGEST_BLOCK = 1 << 24
_FAULTS = (soundfile.SoundFileError, TypeError, ValueError, RuntimeError, OSError, OverflowError, MemoryError)
"""What soundfile raises on damaged files."""
# MP3 without a table of contents has only an estimated length; a smaller shortfall is no damage.
_MP3_SLACK_SECONDS = 0.5
# An average quieter than the loudest channel by more than this has cancelled.
_CANCELLED_DB = 9.0


@dataclass(frozen=True)
class FileInfo:
    """What a header says: length in samples per channel, rate in Hz, channels, container and encoding."""

    frames: int
    sample_rate: int
    channels: int
    format: str
    subtype: str

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate


def find_audio(path: str | Path) -> list[Path]:
    """Return the audio files below ``path``, sorted; a file is returned alone. Hidden files are skipped.

    Raises:
        VqsynthError: nothing is there, or no audio; the message counts what was found instead.
    """
    path = Path(path)
    if not is_folder(path):
        if not os.path.lexists(path):
            raise VqsynthError(f"{path}: no such file or folder; give a folder with recordings or an audio file")
        return [regular_file(path, "a recording")]
    # Links to folders are not followed: they may lead round in a circle.
    paths = (Path(folder) / name for folder, _, names in os.walk(path) for name in names)
    files = sorted(p for p in paths if not _hidden(p.relative_to(path)) and is_file(p))
    audio = [p for p in files if p.suffix.lower() in SUFFIXES]
    if not audio:
        counts = collections.Counter(p.suffix.lower() or "without extension" for p in files)
        found = ", ".join(f"{n} {kind}" for kind, n in counts.most_common(6))
        found = f"no audio among its {len(files)} files ({found})" if files else "the folder is empty"
        raise VqsynthError(f"{path}: {found}; put WAV, FLAC, OGG, MP3 or AIFF files there")
    return audio


def probe(path: str | Path) -> FileInfo:
    """Read a file's header.

    Raises:
        VqsynthError: the file is missing, empty, or is not audio that libsndfile reads.
    """
    with _open(Path(path)) as sound:
        return _info(sound)


def stream_mono(
    path: str | Path,
    sample_rate: int,
    block_seconds: float = 10.0,
    start: float = 0.0,
    seconds: float | None = None,
    on_block: Callable[[np.ndarray], None] | None = None,
) -> Iterator[np.ndarray]:
    """Yield a file as mono float32 blocks [samples] at ``sample_rate`` Hz, never the whole of it.

    ``start`` and ``seconds`` choose a part, in seconds. Blocks together have the length of that part
    times the ratio of the rates, within one sample. ``on_block`` is called with each block as it was
    decoded, [samples, channels] at the file's own rate, so that one pass serves two purposes.

    Raises:
        VqsynthError: unreadable, truncated, shorter than 2 samples, or holding NaN or infinite samples.
    """
    path = Path(path)
    with _open(path) as sound:
        info = _info(sound)
        _check_length(sound, path)
        channel = _pick_channel(sound, path)
        position = min(round(start * info.sample_rate), info.frames)
        left = info.frames - position
        if seconds is not None:
            left = min(left, round(seconds * info.sample_rate))
        _seek(sound, path, position)
        resample = None
        if info.sample_rate != sample_rate:
            resample = soxr.ResampleStream(info.sample_rate, sample_rate, 1, dtype="float32")
        size = _block(info, block_seconds)
        while left > 0:
            block = _read(sound, path, min(size, left))
            left -= len(block)
            if not len(block):
                if info.format != "MP3" or left > _MP3_SLACK_SECONDS * info.sample_rate:
                    raise _truncated(path, left / info.sample_rate)
                left = 0
            if on_block is not None:
                on_block(block)
            mono = block[:, channel] if channel is not None else block.mean(axis=1)
            if resample is not None:
                mono = resample.resample_chunk(np.ascontiguousarray(mono), last=left == 0)
            if len(mono):
                yield np.ascontiguousarray(mono, dtype=np.float32)


def stream_channels(path: str | Path, block_seconds: float = 10.0) -> Iterator[np.ndarray]:
    """Yield a file as it is, float32 blocks [samples, channels] at its own rate.

    Raises:
        VqsynthError: as :func:`stream_mono`.
    """
    path = Path(path)
    with _open(path) as sound:
        _check_length(sound, path)
        size = _block(_info(sound), block_seconds)
        while len(block := _read(sound, path, size)):
            yield block


def read_mono(path: str | Path, sample_rate: int, start: float = 0.0, seconds: float | None = None) -> np.ndarray:
    """Read a file, or ``seconds`` of it from ``start``, as mono float32 [samples] at ``sample_rate`` Hz.

    Raises:
        VqsynthError: as :func:`stream_mono`.
    """
    blocks = list(stream_mono(path, sample_rate, start=start, seconds=seconds))
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in path.parts)


def _open(path: Path) -> soundfile.SoundFile:
    """Open a file whose rate is one of sound."""
    if regular_file(path, "a recording").stat().st_size == 0:
        raise VqsynthError(f"{path}: the file is empty (0 bytes); remove or replace it")
    missing = _missing_riff_bytes(path)
    if missing:
        raise VqsynthError(f"{path}: truncated, the header promises {missing} more bytes; copy the file again")
    try:
        sound = soundfile.SoundFile(native_name(path))
    except _FAULTS as error:
        raise VqsynthError(f"{path}: not readable as audio ({_reason(error)}); convert it to WAV or FLAC") from error
    if not RATES[0] <= sound.samplerate <= RATES[1]:
        sound.close()
        raise VqsynthError(
            f"{path}: {sound.samplerate} samples a second are no rate of sound; correct its header or raw settings"
        )
    return sound


def _reason(error: BaseException) -> str:
    return getattr(error, "error_string", str(error)).rstrip(". ") or type(error).__name__


def _truncated(path: Path, seconds: float) -> VqsynthError:
    return VqsynthError(f"{path}: truncated, its last {seconds:.2f} s are missing; copy the file again")


def _missing_riff_bytes(path: Path) -> int:
    """Return how many bytes a WAV's data chunk lacks; libsndfile shortens such files without a word.

    Sizes of 0 and near 2**32 mean "unknown", as programs write them that stream WAV into a pipe.
    """
    try:
        handle = open(path, "rb")
    except OSError as error:
        raise VqsynthError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    with handle:
        size = os.fstat(handle.fileno()).st_size
        if handle.read(4) != b"RIFF" or handle.read(8)[4:] != b"WAVE":
            return 0
        while len(header := handle.read(8)) == 8:
            name, length = struct.unpack("<4sI", header)
            if name == b"data":
                return 0 if length >= 0x7FFFFF00 else max(0, handle.tell() + length - size)
            handle.seek(length + length % 2, 1)
    return 0


def _info(sound: soundfile.SoundFile) -> FileInfo:
    return FileInfo(sound.frames, sound.samplerate, sound.channels, sound.format, sound.subtype)


def _check_length(sound: soundfile.SoundFile, path: Path) -> None:
    if sound.frames < 2:
        count = "1 sample" if sound.frames == 1 else "no samples"
        raise VqsynthError(f"{path}: holds {count}, too short to be sound; remove or replace it")


def _block(info: FileInfo, seconds: float) -> int:
    """Samples a channel to be read at once: ``seconds``, fewer where channels are many."""
    return max(1, min(round(seconds * info.sample_rate), _LARGEST_BLOCK // info.channels))


def _seek(sound: soundfile.SoundFile, path: Path, position: int) -> None:
    """Go to a sample; in a damaged file this already may fail."""
    try:
        sound.seek(position)
    except _FAULTS as error:
        raise VqsynthError(f"{path}: damaged or truncated ({_reason(error)}); copy it again") from error


def _read(sound: soundfile.SoundFile, path: Path, frames: int) -> np.ndarray:
    """Read up to ``frames`` samples as float32 [samples, channels], finite and not beyond :data:`LARGEST_SAMPLE`."""
    try:
        block = sound.read(frames, dtype="float32", always_2d=True)
    except _FAULTS as error:
        raise VqsynthError(f"{path}: damaged or truncated ({_reason(error)}); copy it again") from error
    if not np.isfinite(block).all():
        raise VqsynthError(f"{path}: holds NaN or infinite samples; write the file again")
    if block.size and max(block.max(), -block.min()) > LARGEST_SAMPLE:
        raise VqsynthError(f"{path}: holds samples beyond {LARGEST_SAMPLE:g}, where 1 is full scale; write it again")
    return block


def _pick_channel(sound: soundfile.SoundFile, path: Path) -> int | None:
    """Return None to average all channels, or the index of the loudest one if the average cancels.

    Judged on one second at each quarter of the file, so that long files cost nothing.
    """
    if sound.channels == 1 or not sound.seekable():
        return None
    power, average = np.zeros(sound.channels), 0.0
    for quarter in range(4):
        _seek(sound, path, quarter * sound.frames // 4)
        block = _read(sound, path, min(_block(_info(sound), 1.0), sound.frames))
        power += (block.astype(np.float64) ** 2).sum(axis=0)
        average += (block.mean(axis=1, dtype=np.float64) ** 2).sum()
    loudest = int(power.argmax())
    cancelled = average < power[loudest] * 10 ** (-_CANCELLED_DB / 10)
    return loudest if cancelled else None
