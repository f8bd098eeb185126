"""Random segments of a prepared corpus."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor

from vqsynth.training.prepare import Piece, Prepared
from vqsynth.vqvae.config import ModelConfig
from vqsynth.vqvae.features import encoder_view


@dataclasses.dataclass
class Batch:
    """Segments of equal length.

    Shape:
        audio: [batch, (frames - 1) * hop_length]; mel: [batch, frames, n_mels];
        f0, loudness: [batch, frames]; active: [batch, frames] bool
    """

    audio: Tensor
    mel: Tensor
    f0: Tensor
    loudness: Tensor
    active: Tensor

    def inputs(self, config: ModelConfig) -> Tensor:
        """The encoder's input. Shape: [batch, frames, n_features]."""
        return encoder_view(self.mel, self.f0, config)

    def to(self, device: torch.device) -> Batch:
        return Batch(*(getattr(self, field.name).to(device) for field in dataclasses.fields(self)))


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
    """Draws batches from the training or the held-out part of a corpus."""

    def __init__(self, corpus: Prepared, config: ModelConfig, frames: int, held_out: bool) -> None:
        self.corpus, self.config, self.frames = corpus, config, frames
        self.pieces = [p for p in corpus.pieces if p.held_out == held_out and p.frames > 1]
        weights = np.array([max(p.frames, frames) for p in self.pieces], float)
        self.weights = weights / weights.sum() if len(weights) else weights

    def _segment(self, piece: Piece, random: np.random.Generator) -> dict[str, np.ndarray]:
        corpus, hop, frames = self.corpus, self.config.hop_length, self.frames
        start = int(random.integers(0, max(1, piece.frames - frames + 1)))
        rows = slice(piece.frame + start, piece.frame + min(piece.frames, start + frames))
        first = piece.start + start * hop
        audio = corpus.audio[first : min(first + (frames - 1) * hop, piece.start + piece.samples)]
        short = frames - (rows.stop - rows.start)
        return {
            "audio": np.pad(audio, (0, (frames - 1) * hop - len(audio))),
            "mel": np.pad(corpus.mel[rows].astype(np.float32), ((0, short), (0, 0)), constant_values=-1.25),
            "f0": np.pad(corpus.f0[rows], (0, short)),
            "loudness": np.pad(corpus.loudness[rows], (0, short), constant_values=-120.0),
            "active": np.pad(corpus.active[rows], (0, short)),
        }

    def batch(self, size: int, random: np.random.Generator) -> Batch:
        """Draw ``size`` segments; one that is mostly silence is drawn again once."""
        rows = []
        while len(rows) < size:
            piece = self.pieces[random.choice(len(self.pieces), p=self.weights)]
            segment = self._segment(piece, random)
            if segment["active"].mean() < 0.4:
                segment = self._segment(piece, random)
            rows.append(segment)
        return Batch(**{name: torch.from_numpy(np.stack([row[name] for row in rows])) for name in rows[0]})
