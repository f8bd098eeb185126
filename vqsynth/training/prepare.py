"""Recordings to training pieces on disk: decoded once, resampled, levelled, varied, analyzed."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from vqsynth.corpus.check import SILENT_DB, SampleScan
from vqsynth.corpus.files import find_audio, probe, stream_mono
from vqsynth.corpus.vary import Note, find_note, largest_gap, phrases
from vqsynth.dsp.loudness import loudness
from vqsynth.errors import VqsynthError, warn
from vqsynth.storage.atomic import write_text
from vqsynth.training.prepared import INFO, TYPES, Piece, Prepared

Analyze = Callable[[np.ndarray], dict[str, np.ndarray]]
"""Analyzes audio [samples]: gives ``f0`` (Hz, 0 unvoiced), ``loudness`` (dB) and ``active`` (bool), each [frames]."""
PIECE_SECONDS = 20.0
LEVEL_LUFS = -18.0
MIN_SECONDS = 0.05


class DiskFull(VqsynthError):
    """There is no room for the prepared corpus."""


class _Writer:
    """Writes the arrays of a prepared corpus.

    Recordings are decoded one after the other to the end of ``audio.raw``, at the level that they have; a recording
    that is refused is cut off again. When all are known, they are read back, levelled and analyzed piece by piece.
    """

    def __init__(self, folder: Path, analyze: Analyze) -> None:
        self.folder, self.analyze = folder, analyze
        self.pieces: list[Piece] = []
        self.samples = self.frames = 0
        self.files: dict[str, io.FileIO] = {}

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self.files.values():
            handle.close()

    def _write(self, name: str, array: np.ndarray, position: int | None = None) -> None:
        """Write an array at the end, or at a place in the file, in values."""
        try:
            if name not in self.files:
                self.files[name] = open(self.folder / f"{name}.raw", "wb+", buffering=0)
            file = self.files[name]
            file.seek(0, os.SEEK_END) if position is None else file.seek(position * np.dtype(TYPES[name]).itemsize)
            data = array.astype(TYPES[name]).tobytes()
            if file.write(data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise DiskFull(
                f"{self.folder}: the prepared recordings do not fit ({error.strerror}); "
                "free some space or choose another `output`"
            ) from error

    def decode(self, blocks: Iterable[np.ndarray]) -> int:
        """Append audio blocks [samples]; returns how many samples they have."""
        start = self.samples
        for block in blocks:
            self._write("audio", block)
            self.samples += len(block)
        return self.samples - start

    def cut(self, start: int) -> None:
        """Forget the audio from sample ``start`` on."""
        if "audio" in self.files:
            self.files["audio"].truncate(start * np.dtype(TYPES["audio"]).itemsize)
        self.samples = start

    def read(self, start: int, count: int) -> np.ndarray:
        """Audio that was decoded. Shape: -> [count] float32."""
        self.files["audio"].seek(start * np.dtype(TYPES["audio"]).itemsize)
        return np.fromfile(self.files["audio"], TYPES["audio"], count)

    def add(
        self, audio: np.ndarray, source: str, held_out: bool, varied: bool, start: int | None = None
    ) -> dict[str, np.ndarray]:
        """Add a piece [samples], in the place of decoded audio from ``start`` on or at the end; give its features."""
        arrays = self.analyze(audio)
        self._write("audio", audio, start)
        for name, array in arrays.items():
            self._write(name, array)
        if start is None:
            start = self.samples
            self.samples += len(audio)
        frames = len(arrays["f0"])
        self.pieces.append(Piece(source, held_out, varied, start, len(audio), self.frames, frames))
        self.frames += frames
        return arrays


def hold_out(files: list[Path], seed: int, share: float = 0.08) -> set[Path]:
    """Choose the recordings that are kept for validation, by name: the same ones in whatever folder they are.

    At least one where there are four or more. A single long file is divided by time elsewhere.
    """
    if len(files) < 4:
        return set()
    draw = {path: int(hashlib.sha256(f"{seed} {path.name}".encode()).hexdigest()[:8], 16) / 16**8 for path in files}
    return {path for path in files if draw[path] < share} or {min(files, key=lambda path: draw[path])}


def _hold_out_end(pieces: list[Piece]) -> None:
    """Where there are too few files to spare one, hold out the end of a long one."""
    real = [piece for piece in pieces if not piece.varied]
    long = [piece for piece in real if sum(piece.source == other.source for other in real) > 1]
    if long:
        long[-1].held_out = True


@dataclasses.dataclass
class _Decoded:
    """A recording in the work file: where it lies, the gain that brings it to the working level, its hash."""

    path: Path
    start: int
    samples: int
    gain: float
    fingerprint: str


class Loudest:
    """The loudest moment of what is passed through it, dB."""

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate, self.loudness = sample_rate, -200.0

    def through(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Pass on blocks [samples]."""
        for block in blocks:
            self.loudness = float(max(self.loudness, loudness(block, self.sample_rate).max(initial=-200)))
            yield block


def _decode_all(
    found: list[Path],
    writer: _Writer,
    sample_rate: int,
    progress: Callable[[str, float], None],
) -> tuple[list[Path], list[_Decoded], dict[str, str]]:
    """Decode every file once, and judge it on the way.

    Returns:
        Files that are no damaged, clipped or double recordings; those of them that are to be used, decoded; and
        the reasons of all that are left out, by file name.
    """
    usable: list[Path] = []
    decoded: list[_Decoded] = []
    left_out: dict[str, str] = {}
    seen: dict[str, Path] = {}
    for number, path in enumerate(found):
        progress(path.name, number / len(found))
        start = writer.samples
        try:
            scan, loudest = SampleScan(probe(path)), Loudest(sample_rate)
            samples = writer.decode(loudest.through(stream_mono(path, sample_rate, on_block=scan.add)))
            reason = scan.reason(path, seen)
        except DiskFull:
            raise
        except VqsynthError as error:
            reason = str(error).removeprefix(f"{path}: ")
        if reason:
            warn(f"{path}: left out ({reason})")
        else:
            usable.append(path)
            if loudest.loudness <= SILENT_DB:
                reason = "silent"
            elif samples < MIN_SECONDS * sample_rate:
                reason = f"shorter than {MIN_SECONDS * 1000:.0f} ms"
        if reason:
            left_out[path.name] = reason
            writer.cut(start)
        else:
            gain = float(10 ** ((LEVEL_LUFS - loudest.loudness) / 20))
            decoded.append(_Decoded(path, start, samples, gain, scan.fingerprint))
    return usable, decoded, left_out


def _add_pieces(
    writer: _Writer, recording: _Decoded, per_piece: int, held_out: bool
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Level and analyze a recording in pieces; returns the last one and its features.

    The last piece is up to twice as long as the others. Shape: -> audio [samples], features by name
    """
    position, end = recording.start, recording.start + recording.samples
    while position < end:
        count = per_piece if end - position >= 2 * per_piece else end - position
        audio = writer.read(position, count) * np.float32(recording.gain)
        arrays = writer.add(audio, recording.path.name, held_out, False, position)
        position += count
    return audio, arrays


def prepare(
    recordings: Path,
    folder: Path,
    sample_rate: int,
    hop_length: int,
    analyze: Analyze,
    seed: int = 0,
    vary: str = "auto",
    vary_seconds: float = 240.0,
    progress: Callable[[str, float], None] = lambda text, share: None,
) -> Prepared:
    """Prepare ``recordings`` into ``folder``; every file is decoded once, and no file is held in memory whole.

    Args:
        recordings: a folder of audio files, or one file.
        folder: to write into; what is in it is replaced.
        sample_rate: of all audio, Hz.
        hop_length: of the analysis, samples.
        analyze: called with the audio [samples] of every piece.
        seed: of the choice of held-out recordings and of the varied phrases.
        vary: ``auto`` varies where most recordings are single notes, ``on`` always, ``off`` never.
        vary_seconds: of varied phrases.
        progress: called with what is being done and the share that is done, 0..1.

    Raises:
        VqsynthError: no recording can be used, or the disk is full.
    """
    found = find_audio(recordings)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    notes: list[Note] = []
    per_piece = int(PIECE_SECONDS * sample_rate)
    with _Writer(folder, analyze) as writer:
        usable, decoded, left_out = _decode_all(found, writer, sample_rate, lambda t, share: progress(t, share / 3))
        if not decoded:
            raise VqsynthError(
                f"{recordings}: none of its {len(found)} audio files can be used; run `vqsynth corpus check` to see why"
            )
        kept_out = hold_out(usable, seed)
        for number, recording in enumerate(decoded):
            progress(recording.path.name, (1 + 2 * number / len(decoded)) / 3)
            held_out = recording.path in kept_out
            before = len(writer.pieces)
            audio, arrays = _add_pieces(writer, recording, per_piece, held_out)
            if len(writer.pieces) == before + 1 and not held_out:
                note = find_note(audio, sample_rate, arrays["f0"], arrays["loudness"], hop_length)
                notes += [note] if note else []
        varied = 0.0
        if (vary == "on" and notes) or (vary == "auto" and len(notes) >= max(2, 0.5 * len(decoded))):
            for phrase in phrases(notes, sample_rate, vary_seconds, seed):
                progress("varying notes", varied / vary_seconds)
                writer.add(phrase, "phrases", False, True)
                varied += len(phrase) / sample_rate
    if not kept_out:
        _hold_out_end(writer.pieces)
    info = {
        "sample_rate": sample_rate,
        "used": [recording.path.name for recording in decoded],
        "fingerprints": {recording.path.name: recording.fingerprint for recording in decoded},
        "held_out": sorted({p.source for p in writer.pieces if p.held_out}),
        "left_out": left_out,
        "notes": len(notes),
        "largest_gap_semitones": largest_gap(np.array([n.pitch for n in notes])) if notes else 0.0,
        "varied_seconds": varied,
        "pieces": [dataclasses.asdict(piece) for piece in writer.pieces],
    }
    write_text(folder / INFO, json.dumps(info))
    return Prepared(folder)
