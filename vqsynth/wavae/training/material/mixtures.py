"""Batches for the continuous model: single sounds, and chords mixed from up to four of them."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from vqsynth.training.prepared import Piece, Prepared
from vqsynth.training.segments import Segments

PARTS_DB = (-9.0, 3.0)
"""Level of a further voice relative to the first."""
MOST_VOICES = 4
TONE_HZ, TONE_RMS = (60.0, 1200.0), 0.1
"""Pitches and level of made tones."""


class Mixtures(Segments):
    """Draws segments at other speeds, some of them mixed to chords.

    A segment of a single voice has its pitch; a chord, and a recording of many voices, has none.

    Args:
        corpus: prepared.
        frames: of a segment.
        hop_length: samples between frames.
        held_out: which part to draw from.
        margin: samples of audio before the first frame's centre and after the last one's.
        ensembles: patterns of names of recordings of many voices.
        chords: share of the segments that are mixed.
        speed: most semitones by which a segment is played faster or slower.
        tones: share of the voices that are made: few recordings are as pure as an organ pipe or a whistle.
    """

    def __init__(
        self,
        corpus: Prepared,
        frames: int,
        hop_length: int,
        held_out: bool,
        margin: int,
        ensembles: Sequence[str] = (),
        chords: float = 0.0,
        speed: float = 0.0,
        tones: float = 0.0,
    ) -> None:
        super().__init__(corpus, frames, hop_length, held_out, margin)
        self.chords, self.speed, self.tones = chords, speed, tones
        self.many = {
            piece.source for piece in self.pieces if any(fnmatch.fnmatch(piece.source, name) for name in ensembles)
        }

    def voice(self, random: np.random.Generator) -> dict[str, np.ndarray]:
        """A segment of one recording, at another speed; one that is mostly silence is drawn again once."""
        if self.tones and random.random() < self.tones:
            return self._tone(random)
        piece = self.pieces[random.choice(len(self.pieces), p=self.weights)]
        segment = self._varied(piece, random)
        if segment["active"].mean() < 0.4:
            segment = self._varied(piece, random)
        return segment

    def _tone(self, random: np.random.Generator) -> dict[str, np.ndarray]:
        """A made tone: harmonics that fall by any slope, with or without the even ones, steady or in vibrato."""
        rate = self.corpus.info["sample_rate"]
        seconds = (np.arange((self.frames - 1) * self.hop_length + 2 * self.margin) - self.margin) / rate
        depth = random.uniform(0, 0.5) * (random.random() < 0.5)
        swing = 2 * np.pi * (random.uniform(4, 7) * seconds + random.random())
        f0 = np.exp(random.uniform(*np.log(TONE_HZ))) * 2 ** (depth * np.sin(swing) / 12)
        step = 1 + int(random.random() < 0.3)
        number = np.arange(1, max(2.0, min(40.0, rate / 2.2 / f0.max())), step)
        level = number ** -random.uniform(0.3, 5.0)
        phase = 2 * np.pi * np.cumsum(f0) / rate
        audio = level @ np.sin(number[:, None] * phase + 2 * np.pi * random.random((len(number), 1)))
        audio = (audio * TONE_RMS / max(audio.std(), 1e-6)).astype(np.float32)
        pitch = f0[self.margin + np.arange(self.frames) * self.hop_length].astype(np.float32)
        heard = np.ones(self.frames, bool)
        return {"audio": audio, "f0": pitch, "pitches": pitch[:, None], "active": heard, "alone": heard.copy()}

    def _varied(self, piece: Piece, random: np.random.Generator) -> dict[str, np.ndarray]:
        ratio = 2 ** (random.uniform(-self.speed, self.speed) / 12) if self.speed and random.random() < 0.8 else 1.0
        frames = int(np.ceil(self.frames * ratio)) + 1
        start = int(random.integers(0, max(1, piece.frames - frames + 1)))
        length = (self.frames - 1) * self.hop_length + 2 * self.margin
        first, last = start * self.hop_length - self.margin - 2, int(np.ceil(length * ratio)) + 5
        inside = self.corpus.audio[piece.start + max(0, first) : piece.start + max(0, min(first + last, piece.samples))]
        before = max(0, -first)
        audio = np.pad(inside, (before, last - before - len(inside)))
        if ratio != 1.0:
            audio = cubic(audio, 2 + np.arange(length) * ratio)
        else:
            audio = audio[2 : 2 + length].copy()
        # The first frame's centre is a margin into the segment, which passes at the same speed.
        lead = self.margin / self.hop_length * (ratio - 1)
        rows = start + np.round(np.arange(self.frames) * ratio + lead).astype(int)
        known = (rows >= 0) & (rows < piece.frames)
        rows = piece.frame + np.clip(rows, 0, piece.frames - 1)
        f0 = np.where(known, self.corpus.f0[rows], 0.0) * ratio
        f0 = f0.astype(np.float32)
        single = f0 * (piece.source not in self.many)
        heard = self.corpus.active[rows] & known
        return {"audio": audio, "f0": single, "pitches": f0[:, None], "active": heard, "alone": heard.copy()}

    def draw(self, size: int, random: np.random.Generator) -> dict[str, Tensor]:
        """Draw ``size`` segments.

        Shape:
            audio: [size, (frames - 1) * hop_length + 2 * margin]; f0 (Hz, 0 without a single pitch), active, alone
            (nothing is mixed): [size, frames]; pitches of all voices: [size, frames, voices] Hz, 0 without
        """
        rows = []
        for _ in range(size):
            row = self.voice(random)
            pitches = [row["pitches"]]
            if random.random() < self.chords:
                for _ in range(int(random.integers(1, MOST_VOICES))):
                    other = self.voice(random)
                    row["audio"] += other["audio"] * np.float32(10 ** (random.uniform(*PARTS_DB) / 20))
                    row["active"] = row["active"] | other["active"]
                    pitches.append(other["pitches"])
                row["f0"] = np.zeros_like(row["f0"])
                row["alone"] = np.zeros_like(row["alone"])
            silent = np.zeros((self.frames, MOST_VOICES - len(pitches)), np.float32)
            row["pitches"] = np.concatenate([*pitches, silent], 1)
            rows.append(row)
        return {name: torch.from_numpy(np.stack([row[name] for row in rows])) for name in rows[0]}


def cubic(audio: np.ndarray, position: np.ndarray) -> np.ndarray:
    """A signal between its samples, by Catmull-Rom splines. Shape: [samples], [n] from 1 to samples - 3 -> [n]."""
    at = position.astype(int)
    x = (position - at).astype(np.float32)
    a, b, c, d = (audio[at + step] for step in (-1, 0, 1, 2))
    return b + 0.5 * x * (c - a + x * (2 * a - 5 * b + 4 * c - d + x * (3 * (b - c) + d - a)))
