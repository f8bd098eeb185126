"""Recordings to training pieces on disk: resampled, levelled, varied, analyzed."""

from __future__ import annotations

import dataclasses
import errno
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vqsynth.corpus.check import SILENT_DB, screen
from vqsynth.corpus.files import find_audio, stream_mono
from vqsynth.corpus.vary import Note, find_note, largest_gap, phrases
from vqsynth.errors import VqsynthError, warn
from vqsynth.storage.atomic import write_text

Analyze = Callable[[np.ndarray], dict[str, np.ndarray]]
"""Analyzes audio [samples]: at least ``f0`` [frames] Hz (0 where unvoiced), ``loudness`` [frames] dB, ``active`` [frames] bool."""
TYPES = {"audio": np.float32, "f0": np.float32, "loudness": np.float32, "active": np.uint8, "mel": np.float16}
PIECE_SECONDS = 20.0
LEVEL_LUFS = -18.0
MIN_SECONDS = 0.05


@dataclasses.dataclass
class Piece:
    """A stretch of one recording (or a varied phrase), as stored.

    ``start`` and ``samples`` lie in the audio file, ``frame`` and ``frames`` in the feature arrays.
    """

    source: str
    held_out: bool
    varied: bool
    start: int
    samples: int
    frame: int
    frames: int


class Prepared:
    """A prepared corpus: memory-mapped audio and features of all pieces.

    Attributes:
        pieces: list of :class:`Piece`.
        audio: [samples] float32. mel: [frames, n_mels] float16. f0, loudness: [frames] float32. active: [frames] bool.
    """

    def __init__(self, folder: Path) -> None:
        self.info = json.loads((folder / "pieces.json").read_text())
        self.pieces = [Piece(**row) for row in self.info["pieces"]]
        self.audio = np.memmap(folder / "audio.raw", TYPES["audio"], "r")
        self.f0 = np.fromfile(folder / "f0.raw", TYPES["f0"])
        self.loudness = np.fromfile(folder / "loudness.raw", TYPES["loudness"])
        self.active = np.fromfile(folder / "active.raw", TYPES["active"]).astype(bool)
        if (folder / "mel.raw").is_file():
            self.mel = np.memmap(folder / "mel.raw", TYPES["mel"], "r").reshape(len(self.f0), -1)

    def seconds(self, held_out: bool, varied: bool | None = None) -> float:
        """Seconds of audio in the training or the held-out part."""
        rows = [p for p in self.pieces if p.held_out == held_out and varied in (None, p.varied)]
        return sum(p.samples for p in rows) / self.info["sample_rate"]


class DiskFull(VqsynthError):
    """There is no room for the prepared corpus."""


class _Writer:
    """Appends pieces to the arrays of a prepared corpus."""

    def __init__(self, folder: Path, analyze: Analyze) -> None:
        self.folder, self.analyze, self.pieces = folder, analyze, []
        self.samples = self.frames = 0
        self.files: dict[str, io.FileIO] = {}

    def add(self, audio: np.ndarray, source: str, held_out: bool, varied: bool) -> dict[str, np.ndarray]:
        arrays = self.analyze(audio)
        try:
            for name, array in {"audio": audio, **arrays}.items():
                if name not in self.files:
                    self.files[name] = open(self.folder / f"{name}.raw", "wb", buffering=0)
                data = array.astype(TYPES[name]).tobytes()
                if self.files[name].write(data) < len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise DiskFull(
                f"{self.folder}: the prepared recordings do not fit ({error.strerror}); free some space or choose another `output`"
            ) from error
        frames = len(arrays["f0"])
        self.pieces.append(Piece(source, held_out, varied, self.samples, len(audio), self.frames, frames))
        self.samples += len(audio)
        self.frames += frames
        return arrays

    def close(self) -> None:
        for handle in self.files.values():
            handle.close()


def hold_out(files: list[Path], seed: int, share: float = 0.08) -> set[Path]:
    """Choose the recordings that are kept for validation, by file.

    At least one where there are four or more. A single long file is divided by time elsewhere.
    """
    if len(files) < 4:
        return set()
    count = max(1, round(share * len(files)))
    return {files[i] for i in np.random.default_rng(seed).choice(len(files), count, replace=False)}


def _hold_out_end(pieces: list[Piece]) -> None:
    """Where there are too few files to spare one, hold out the end of a long one."""
    real = [piece for piece in pieces if not piece.varied]
    long = [piece for piece in real if sum(piece.source == other.source for other in real) > 1]
    if long:
        long[-1].held_out = True


def _screened(found: list[Path]) -> tuple[list[Path], dict[str, str]]:
    """Files that can be used, and the reasons of the others: damaged, clipped, or there twice."""
    usable, refused, seen = [], {}, {}
    for path in found:
        try:
            reason = screen(path, seen)
        except VqsynthError as error:
            reason = str(error).removeprefix(f"{path}: ")
        if reason:
            refused[path.name] = reason
            warn(f"{path}: left out ({reason})")
        else:
            usable.append(path)
    return usable, refused


def _level_gain(path: Path, sample_rate: int) -> float:
    """Gain that brings the loudest moment of a file to the working level; 0 for a silent file."""
    from vqsynth.dsp.loudness import loudness

    loudest = max(
        (loudness(block, sample_rate).max(initial=-200) for block in stream_mono(path, sample_rate) if len(block)),
        default=-200,
    )
    return 0.0 if loudest <= SILENT_DB else float(10 ** ((LEVEL_LUFS - loudest) / 20))


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
    """Prepare ``recordings`` into ``folder``.

    Args:
        sample_rate: of all audio, Hz. hop_length: of the analysis, samples.
        analyze: called with the audio [samples] of every piece.
        vary: ``auto`` varies where most recordings are single notes, ``on`` always, ``off`` never.

    Raises:
        VqsynthError: no recording can be used.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = find_audio(recordings)
    files, left_out = _screened(found)
    kept_out = hold_out(files, seed)
    writer = _Writer(folder, analyze)
    notes: list[Note] = []
    used = []
    per_piece = int(PIECE_SECONDS * sample_rate)
    for number, path in enumerate(files):
        progress(path.name, number / len(files))
        try:
            gain = _level_gain(path, sample_rate)
            if gain == 0:
                left_out[path.name] = "silent"
                continue
            before = len(writer.pieces)
            buffer = np.zeros(0, np.float32)
            for block in stream_mono(path, sample_rate):
                buffer = np.concatenate([buffer, block * np.float32(gain)])
                while len(buffer) >= 2 * per_piece:
                    writer.add(buffer[:per_piece], path.name, path in kept_out, False)
                    buffer = buffer[per_piece:]
            if len(buffer) < MIN_SECONDS * sample_rate and len(writer.pieces) == before:
                left_out[path.name] = f"shorter than {MIN_SECONDS * 1000:.0f} ms"
                continue
            arrays = writer.add(buffer, path.name, path in kept_out, False)
        except DiskFull:
            raise
        except VqsynthError as error:
            left_out[path.name] = str(error)
            warn(str(error))
            continue
        used.append(path.name)
        if len(writer.pieces) == before + 1 and path not in kept_out:
            note = find_note(buffer, sample_rate, arrays["f0"], arrays["loudness"], hop_length)
            notes += [note] if note else []
    if not used:
        raise VqsynthError(
            f"{recordings}: none of its {len(found)} audio files can be used; run `vqsynth corpus check` to see why"
        )
    varied = 0.0
    if vary == "on" and notes or vary == "auto" and len(notes) >= max(2, 0.5 * len(used)):
        for phrase in phrases(notes, sample_rate, vary_seconds, seed):
            progress("varying notes", varied / vary_seconds)
            writer.add(phrase, "phrases", False, True)
            varied += len(phrase) / sample_rate
    writer.close()
    if not kept_out:
        _hold_out_end(writer.pieces)
    info = {
        "sample_rate": sample_rate,
        "used": used,
        "held_out": sorted({p.source for p in writer.pieces if p.held_out}),
        "left_out": left_out,
        "notes": len(notes),
        "largest_gap_semitones": largest_gap(np.array([n.pitch for n in notes])) if notes else 0.0,
        "varied_seconds": varied,
        "pieces": [dataclasses.asdict(piece) for piece in writer.pieces],
    }
    write_text(folder / "pieces.json", json.dumps(info))
    return Prepared(folder)
