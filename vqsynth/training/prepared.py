"""A prepared corpus on disk, read."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

TYPES = {"audio": np.float32, "f0": np.float32, "loudness": np.float32, "active": np.uint8, "mel": np.float16}
INFO = "pieces.json"
"""Written last: a folder without it was not prepared to the end."""


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

    Args:
        folder: that :func:`prepare` wrote.

    Attributes:
        info: what is known of the corpus as a whole.
        pieces: list of :class:`Piece`.
        audio: [samples] float32.
        mel: [frames, n_mels] float16, where the model's features have it.
        f0: [frames] float32 Hz, 0 where unvoiced.
        loudness: [frames] float32 dB.
        active: [frames] bool, false in silence.
    """

    mel: np.ndarray

    def __init__(self, folder: Path) -> None:
        self.info = json.loads((folder / INFO).read_text())
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

    def facts(self) -> dict[str, Any]:
        """What a model's card says of the corpus that it was trained on."""
        return {
            "audio_seconds": round(self.seconds(False, False), 1),
            "held_out_seconds": round(self.seconds(True), 1),
            "held_out": self.info["held_out"],
            "varied_seconds": round(self.info["varied_seconds"], 1),
        }


def is_prepared(folder: Path) -> bool:
    """Whether ``folder`` holds a corpus that was prepared to the end and is whole."""
    try:
        pieces = [Piece(**row) for row in json.loads((folder / INFO).read_text())["pieces"]]
        samples, frames = pieces[-1].start + pieces[-1].samples, pieces[-1].frame + pieces[-1].frames
        sizes = {name: frames * np.dtype(TYPES[name]).itemsize for name in ("f0", "loudness", "active")}
        sizes["audio"] = samples * np.dtype(TYPES["audio"]).itemsize
        return all((folder / f"{name}.raw").stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, TypeError, KeyError, IndexError):
        return False
