"""Random segments of a prepared corpus."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from vqsynth.training.prepared import Piece, Prepared

SILENT = {"mel": -1.25, "loudness": -120.0}


def fill_f0(f0: Tensor) -> Tensor:
    """Carry the pitch of voiced frames through unvoiced ones, for a continuous pulse train.

    Shape: [batch, frames] Hz with 0 where unvoiced -> [batch, frames] Hz
    """
    filled = f0.clone()
    for row in filled:
        voiced = torch.nonzero(row > 0)[:, 0]
        if len(voiced) == 0:
            row.fill_(220.0)
        else:
            position = np.interp(np.arange(len(row)), voiced.numpy(), np.log2(row[voiced].numpy()))
            row.copy_(torch.from_numpy(np.exp2(position)))
    return filled


class Segments:
    """Draws segments from the training or the held-out part of a corpus.

    Args:
        corpus: prepared.
        frames: of a segment.
        hop_length: samples between frames.
        held_out: which part to draw from.
        margin: samples of audio before the first frame's centre and after the last one's.
    """

    def __init__(self, corpus: Prepared, frames: int, hop_length: int, held_out: bool, margin: int = 0) -> None:
        self.corpus, self.frames, self.hop_length, self.margin = corpus, frames, hop_length, margin
        self.names = [name for name in ("mel", "f0", "loudness", "active") if hasattr(corpus, name)]
        self.pieces = [p for p in corpus.pieces if p.held_out == held_out and p.frames > 1]
        weights = np.array([max(p.frames, frames) for p in self.pieces], float)
        self.weights = weights / weights.sum() if len(weights) else weights

    def _audio(self, piece: Piece, first: int) -> np.ndarray:
        """Samples from ``first`` of a piece, silence where it has none."""
        length = (self.frames - 1) * self.hop_length + 2 * self.margin
        first -= self.margin
        inside = self.corpus.audio[
            piece.start + max(0, first) : piece.start + max(0, min(first + length, piece.samples))
        ]
        before = max(0, -first)
        return np.pad(inside, (before, length - before - len(inside)))

    def _segment(self, piece: Piece, random: np.random.Generator) -> dict[str, np.ndarray]:
        start = int(random.integers(0, max(1, piece.frames - self.frames + 1)))
        rows = slice(piece.frame + start, piece.frame + min(piece.frames, start + self.frames))
        short = self.frames - (rows.stop - rows.start)
        segment = {"audio": self._audio(piece, start * self.hop_length)}
        for name in self.names:
            values = getattr(self.corpus, name)[rows]
            values = values.astype(np.float32) if name == "mel" else values
            padding = [(0, short)] + [(0, 0)] * (values.ndim - 1)
            segment[name] = np.pad(values, padding, constant_values=SILENT.get(name, 0))
        return segment

    def draw(self, size: int, random: np.random.Generator) -> dict[str, Tensor]:
        """Draw ``size`` segments; one that is mostly silence is drawn again once.

        Shape:
            audio: [size, (frames - 1) * hop_length + 2 * margin]; f0, loudness, active: [size, frames];
            mel: [size, frames, n_mels], where the corpus has it
        """
        rows: list[dict[str, np.ndarray]] = []
        while len(rows) < size:
            piece = self.pieces[random.choice(len(self.pieces), p=self.weights)]
            segment = self._segment(piece, random)
            if segment["active"].mean() < 0.4:
                segment = self._segment(piece, random)
            rows.append(segment)
        return {name: torch.from_numpy(np.stack([row[name] for row in rows])) for name in rows[0]}
