"""From recordings to units: encode, mark, measure what the codebook lacks, describe."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vqsynth import descriptors
from vqsynth.corpus.files import find_audio, stream_mono
from vqsynth.corpus.packs import read_sources
from vqsynth.dsp.loudness import gain_of_loudness, loudness
from vqsynth.errors import VqsynthError, warn
from vqsynth.training.prepared import Prepared
from vqsynth.training.segments import fill_f0
from vqsynth.units.detail import STEP_DB, analyze_detail, corrected
from vqsynth.units.marks import mark_notes
from vqsynth.units.store import COLUMNS, DESCRIPTORS, Recording, Units, encode_descriptor, encode_pitch
from vqsynth.vqvae.model import VQVAE

LEVEL_LUFS = -18.0
"""Loudest frame of a recording at the working level."""
PIECE_SECONDS = 60.0
Progress = Callable[[str, float], None]


def units_of(model: VQVAE, audio: np.ndarray) -> dict[str, np.ndarray]:
    """Columns of a recording at the working level.

    Args:
        model: of the timbre.
        audio: [samples].

    Returns:
        name -> [frames] or [frames, n], as :data:`~vqsynth.units.store.COLUMNS` has them.
    """
    config = model.config
    encoded = model.encode(audio)
    f0 = encoded.f0
    mark = mark_notes(f0, encoded.loudness, config.frame_rate)
    detail = analyze_detail(model, audio, encoded.codes, f0, encoded.loudness)
    sung = fill_f0(torch.from_numpy(f0.astype(np.float32))[None])[0]
    base = dataclasses.replace(model.decode(encoded.codes), f0=sung)
    harmonic, noise = (torch.from_numpy(STEP_DB * detail[n].astype(np.float32)) for n in detail)
    synthesizer = model.synthesizer()
    sound = synthesizer.render(
        corrected(base, harmonic, noise, synthesizer.law), gain_of_loudness(torch.from_numpy(encoded.loudness))
    )
    measured = descriptors.measure(DESCRIPTORS, sound, config.sample_rate, config.n_fft, config.hop_length)
    count = len(f0)
    described = {
        name: encode_descriptor(name, np.where(found.valid, found.values, np.nan)[:count])
        for name, found in measured.items()
    }
    columns = {
        "code": encoded.codes,
        "pitch": encode_pitch(f0),
        "loudness": np.maximum(encoded.loudness, -120.0),
        "mark": mark,
        **described,
        **detail,
    }
    return {name: np.asarray(columns[name]).astype(kind) for name, kind in COLUMNS.items()}


def join(parts: Sequence[Mapping[str, np.ndarray]]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Columns of recordings one after the other, and where each begins."""
    start = np.cumsum([0, *(len(part["code"]) for part in parts)]).astype(np.int64)
    return {name: np.concatenate([part[name] for part in parts]) for name in COLUMNS}, start


def build_units(
    model: VQVAE,
    model_sha256: str,
    folders: Iterable[str | Path],
    sources: Sequence[Mapping[str, Any]] | None = None,
    progress: Progress = lambda text, share: None,
) -> Units:
    """Make units of all recordings in some folders.

    Args:
        model: of the timbre.
        model_sha256: checksum of its weights.
        folders: of recordings; each is a source, told by its ``source.toml`` where it has one.
        sources: what is known of each folder's recordings, in place of that.
        progress: called with what is being done and the share that is done, 0 to 1.

    Raises:
        VqsynthError: no recording can be used.
    """
    rate = model.config.sample_rate
    parts, recordings, known = [], [], []
    listed = [(number, path) for number, folder in enumerate(map(Path, folders)) for path in find_audio(folder)]
    for folder in map(Path, folders):
        known.append(source_of(folder))
    for at, (number, path) in enumerate(listed):
        progress(path.name, at / len(listed))
        try:
            audio = np.concatenate(list(stream_mono(path, rate)))
        except VqsynthError as error:
            warn(f"{error}; left out")
            continue
        loudest = float(loudness(audio, rate).max())
        if loudest < -70 or len(audio) < 0.1 * rate:
            warn(f"{path}: left out (silent or too short)")
            continue
        audio = (audio * 10 ** ((LEVEL_LUFS - loudest) / 20)).astype(np.float32)
        size = int(PIECE_SECONDS * rate)
        for first in range(0, max(1, len(audio) - rate), size):
            last = len(audio) if first + 2 * size > len(audio) else first + size
            parts.append(units_of(model, audio[first:last]))
            recordings.append(Recording(path.name, number, first / rate))
            if last == len(audio):
                break
    if not parts:
        raise VqsynthError("none of these recordings can be used; run `vqsynth corpus check` to see why")
    columns, start = join(parts)
    return Units(columns, start, tuple(recordings), tuple(dict(s) for s in (sources or known)), model_sha256)


def build_from_corpus(model: VQVAE, model_sha256: str, corpus: Prepared, sources: Sequence[Mapping[str, Any]]) -> Units:
    """Make units of the recordings of a prepared corpus, held-out ones too; varied phrases are no playing.

    Args:
        model: of the timbre.
        model_sha256: checksum of its weights.
        corpus: that it was trained on.
        sources: provenance of the recordings.
    """
    rate, parts, recordings = model.config.sample_rate, [], []
    first: dict[str, int] = {}
    for piece in corpus.pieces:
        if piece.varied or piece.frames < 2:
            continue
        audio = np.array(corpus.audio[piece.start : piece.start + piece.samples])
        parts.append(units_of(model, audio))
        recordings.append(Recording(piece.source, 0, first.get(piece.source, 0) / rate))
        first[piece.source] = first.get(piece.source, 0) + piece.samples
    columns, start = join(parts)
    return Units(columns, start, tuple(recordings), (_merged(sources),), model_sha256)


def _merged(sources: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Several sources whose recordings are mixed, as one."""
    keys = ("package", "version", "licence", "credit")
    merged: dict[str, Any] = {key: "; ".join(dict.fromkeys(str(s.get(key, "")) for s in sources)) for key in keys}
    return {**merged, "real": all(s.get("real", True) for s in sources)}


def source_of(folder: Path) -> dict[str, Any]:
    """Package, version, licence and credit of a folder's recordings."""
    found = read_sources(folder if folder.is_dir() else folder.parent)
    own = {"package": "own recordings", "version": "", "licence": "not stated", "real": True, "credit": folder.name}
    return {key: value for key, value in (found[0] if found else own).items() if key in own}
