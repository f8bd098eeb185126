"""Raw samples out of a SoundFont 2 file, as they are or repeated over their loops.

The format (SoundFont Technical Specification 2.04, sections 6 and 7): a RIFF file whose ``smpl`` chunk
holds all samples as 16-bit mono and whose ``shdr`` chunk holds a record of 46 bytes for each: name,
start, end, loop start and end (all in samples), rate, key, correction, link and type.
"""

from __future__ import annotations

import fnmatch
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from vqsynth.errors import VqsynthError

_RECORD = struct.Struct("<20s5IBbHH")
_LEFT = 4


@dataclass(frozen=True)
class Sample:
    """One sample's header: positions in samples within the ``smpl`` chunk, rate in Hz."""

    name: str
    start: int
    end: int
    loop_start: int
    loop_end: int
    sample_rate: int
    kind: int


def write_samples(path: Path, names: list[str], folder: Path, loop_seconds: float = 0.0) -> list[Path]:
    """Write the samples whose names match a pattern of ``names`` as WAV files; of a stereo pair the left.

    With ``loop_seconds`` each is prolonged over its loop to that length, else it is written as it is.

    Raises:
        VqsynthError: not a SoundFont, or it holds no such sample.
    """
    written = []
    with open(path, "rb") as handle:
        chunks = dict(_chunks(handle, path))
        if b"smpl" not in chunks or b"shdr" not in chunks:
            raise VqsynthError(f"{path}: not a SoundFont 2 file with samples")
        begin, _ = chunks[b"smpl"]
        for sample in _headers(handle, *chunks[b"shdr"]):
            if sample.kind not in (1, _LEFT) or not any(fnmatch.fnmatchcase(sample.name, name) for name in names):
                continue
            handle.seek(begin + 2 * sample.start)
            audio = np.frombuffer(handle.read(2 * (sample.end - sample.start)), "<i2")
            if loop_seconds:
                audio = _repeat(audio, sample, round(loop_seconds * sample.sample_rate))
            name = re.sub(r"\(?L\)?$", "", sample.name) if sample.kind == _LEFT else sample.name
            stem = re.sub(r"[^A-Za-z0-9#]+", "-", name).strip("-")
            target = folder / f"{stem}.wav"
            soundfile.write(target, audio, sample.sample_rate, subtype="PCM_16")
            written.append(target)
    if not written:
        raise VqsynthError(f"{path}: holds no sample named {' or '.join(names)}")
    return written


def _repeat(audio: np.ndarray, sample: Sample, length: int) -> np.ndarray:
    """Return ``audio`` [samples] prolonged over its loop to ``length`` samples, with 50 ms of fade at the end."""
    first, last = sample.loop_start - sample.start, sample.loop_end - sample.start
    if 0 <= first < last <= len(audio):
        loop = audio[first:last]
        times = max(0, -(-(length - last) // len(loop)))
        audio = np.concatenate([audio[:last], np.tile(loop, times)])[:length]
    fade = min(len(audio), sample.sample_rate // 20)
    audio = audio.astype(np.float32) / 32768
    audio[len(audio) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return audio


def _chunks(handle: BinaryIO, path: Path) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Yield (name, (offset, size)) of every chunk inside the file's lists."""
    size = path.stat().st_size
    head = handle.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"sfbk":
        return
    while handle.tell() + 8 <= size:
        name, length = struct.unpack("<4sI", handle.read(8))
        if name == b"LIST":
            handle.seek(4, 1)
            continue
        offset = handle.tell()
        yield name, (offset, min(length, size - offset))
        handle.seek(offset + length + length % 2)


def _headers(handle: BinaryIO, offset: int, size: int) -> list[Sample]:
    handle.seek(offset)
    samples = []
    for row in _RECORD.iter_unpack(handle.read(size - size % _RECORD.size)):
        name, start, end, loop_start, loop_end, sample_rate, _, _, _, kind = row
        name = name.split(b"\0")[0].decode("latin-1")
        samples.append(Sample(name, start, end, loop_start, loop_end, sample_rate, kind))
    return samples
