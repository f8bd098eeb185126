"""A recording as a stream of frames: analysis piece by piece with the numbers of the whole.

Pieces overlap by a margin that is analyzed and thrown away, so memory does not grow with the recording.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from vqsynth.corpus.files import probe, stream_mono
from vqsynth.errors import VqsynthError

BLOCK_SECONDS = 20.0
MARGIN_SECONDS = 1.5
"""What the pitch tracker looks at to both sides of a frame; the STFT needs far less."""

Progress = Callable[[str, float], None]
"""Told what is being done and the share done, 0..1."""


class FrameGrid(Protocol):
    """What is needed of a model's configuration: sample rate, size and distance of frames."""

    @property
    def sample_rate(self) -> int: ...

    @property
    def n_fft(self) -> int: ...

    @property
    def hop_length(self) -> int: ...


@dataclasses.dataclass
class Piece:
    """A piece of a recording with its margins.

    Attributes:
        audio: float32 [samples]; its frame 0 is frame ``first`` of the recording.
        keep: frames of the piece that are its own, without the margins.
    """

    audio: np.ndarray
    first: int
    keep: slice

    @property
    def frames(self) -> slice:
        """The piece's own frames as frames of the recording."""
        return slice(self.first + self.keep.start, self.first + self.keep.stop)


def pieces(blocks: Iterable[np.ndarray], hop_length: int, block_frames: int, margin_frames: int) -> Iterator[Piece]:
    """Cut a stream of blocks [samples] into pieces on the frame grid.

    A stream of ``n`` samples has ``1 + n // hop_length`` frames, each kept by one piece.
    """
    held, first, done = np.zeros(0, np.float32), 0, 0
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) >= (done - first + block_frames + margin_frames) * hop_length:
            length = (done - first + block_frames + margin_frames) * hop_length
            yield Piece(held[:length], first, slice(done - first, done - first + block_frames))
            done += block_frames
            start = max(0, done - margin_frames)
            held, first = held[(start - first) * hop_length :], start
    total = first + 1 + len(held) // hop_length
    if done < total:
        yield Piece(held, first, slice(done - first, total - first))


class RecordingBlocks:
    """An audio file at a model's rate, to be read any number of times.

    Raises:
        VqsynthError: the file is not audio, or truncated, empty, shorter than two samples, or holds NaN;
            the header is read at once, the rest while streaming.
    """

    def __init__(self, path: str | Path, config: FrameGrid) -> None:
        self.path, self.config = Path(path), config
        self.seconds = probe(self.path).seconds

    def pieces(self, task: str = "", progress: Progress | None = None) -> Iterator[Piece]:
        """Read the file once, in pieces of about 20 s."""
        rate, hop = self.config.sample_rate, self.config.hop_length
        block, margin = (max(1, round(s * rate / hop)) for s in (BLOCK_SECONDS, MARGIN_SECONDS))
        for piece in pieces(stream_mono(self.path, rate), hop, block, margin):
            yield piece
            if progress is not None:
                progress(task, min(1.0, piece.frames.stop * hop / rate / max(self.seconds, 1e-9)))

    def pitch(self, progress: Progress | None = None) -> np.ndarray:
        """Track the whole recording's pitch. Shape: [frames] Hz, 0 where unvoiced.

        Raises:
            VqsynthError: as the class, or the recording is digital silence.
        """
        from vqsynth.descriptors import f0

        config, tracked, silent = self.config, [], True
        for piece in self.pieces("tracking pitch", progress):
            values, _, voiced = f0.track(piece.audio, config.sample_rate, config.n_fft, config.hop_length)
            tracked.append(np.where(voiced, values, 0.0)[piece.keep].astype(np.float32))
            silent = silent and not np.any(piece.audio)
        if silent:
            raise VqsynthError(f"{self.path}: holds nothing but silence; choose another recording")
        return np.concatenate(tracked)
