"""A recording to units, streamed: encode, measure what the codebook lacks, describe what can be played of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np
import torch

from vqsynth import descriptors
from vqsynth.dsp.loudness import gain_of_loudness
from vqsynth.training.segments import fill_f0
from vqsynth.units.detail import STEP_DB, analyze_detail, corrected
from vqsynth.units.store import COLUMNS, DESCRIPTORS, encode_descriptor, encode_pitch
from vqsynth.vqvae.model import VQVAE

PIECE_SECONDS, MARGIN_SECONDS = 20.0, 1.0
"""Length of what is worked on at once, and of the context that it is given on both sides."""
_QUIETEST = -120.0


@dataclasses.dataclass(frozen=True)
class EncodedPiece:
    """Units of a stretch of a recording, not marked yet.

    Attributes:
        columns: those of :data:`~vqsynth.units.store.COLUMNS` but ``mark``.
        f0: Hz, 0 where unvoiced, [frames].
        loudness: dB, [frames].
    """

    columns: dict[str, np.ndarray]
    f0: np.ndarray
    loudness: np.ndarray


def encode_stream(model: VQVAE, blocks: Iterable[np.ndarray]) -> Iterator[EncodedPiece]:
    """Encode a recording of any length; together the pieces have its frames, as if it were encoded at once.

    Args:
        model: of the timbre.
        blocks: of the recording at the model's rate and the working level, [samples] each.
    """
    config = model.config
    piece, margin = (round(seconds * config.frame_rate) for seconds in (PIECE_SECONDS, MARGIN_SECONDS))
    for audio, first, last in _pieces(blocks, config.hop_length, piece, margin):
        whole = encode_piece(model, audio)
        kept = slice(first, last)
        columns = {name: column[kept] for name, column in whole.columns.items()}
        yield EncodedPiece(columns, whole.f0[kept], whole.loudness[kept])


def _pieces(
    blocks: Iterable[np.ndarray], hop_length: int, piece: int, margin: int
) -> Iterator[tuple[np.ndarray, int, int]]:
    """Audio with context, and which of its frames to keep; ``piece`` and ``margin`` in frames."""
    held, before, samples = np.zeros(0, np.float32), 0, 0
    for block in blocks:
        held, samples = np.concatenate([held, block]), samples + len(block)
        while len(held) >= (size := (before + piece + margin) * hop_length):
            yield held[:size], before, before + piece
            held = held[(before + piece - margin) * hop_length :]
            before = margin
    if samples:
        yield held, before, 1 + len(held) // hop_length


def encode_piece(model: VQVAE, audio: np.ndarray) -> EncodedPiece:
    """Encode audio at the working level. Shape: [samples]."""
    config = model.config
    encoded = model.encode(audio)
    detail = analyze_detail(model, audio, encoded.codes, encoded.f0, encoded.loudness)
    sung = fill_f0(torch.from_numpy(encoded.f0.astype(np.float32))[None])[0]
    base = dataclasses.replace(model.decode(encoded.codes), f0=sung)
    harmonic, noise = (torch.from_numpy(STEP_DB * detail[n].astype(np.float32)) for n in detail)
    synthesizer = model.synthesizer()
    gain = gain_of_loudness(torch.from_numpy(encoded.loudness))
    sound = synthesizer.render(corrected(base, harmonic, noise, synthesizer.law), gain)
    measured = descriptors.measure(DESCRIPTORS, sound, config.sample_rate, config.n_fft, config.hop_length)
    columns = {
        "code": encoded.codes,
        "pitch": encode_pitch(encoded.f0),
        "loudness": np.maximum(encoded.loudness, _QUIETEST),
        **{
            name: encode_descriptor(name, np.where(found.valid, found.values, np.nan)[: len(encoded.f0)])
            for name, found in measured.items()
        },
        **detail,
    }
    typed = {name: np.asarray(columns[name]).astype(kind) for name, kind in COLUMNS.items() if name in columns}
    return EncodedPiece(typed, encoded.f0, encoded.loudness)
