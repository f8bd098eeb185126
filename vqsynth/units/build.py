"""From recordings, or a prepared corpus, to units: which are taken, under which name and licence, at which level."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vqsynth.corpus.check import SILENT_DB, SampleScan
from vqsynth.corpus.files import find_audio, probe, stream_mono
from vqsynth.corpus.packs import read_sources
from vqsynth.errors import VqsynthError, warn
from vqsynth.training.prepare import LEVEL_LUFS, Loudest
from vqsynth.training.prepared import Piece, Prepared
from vqsynth.units.maker import UnitsMaker

SHORTEST_SECONDS = 0.1
OWN = {"package": "own recordings", "version": "", "licence": "not stated", "real": True, "credit": ""}
"""What is known of recordings that nothing is said about."""
_BLOCK = 1 << 19
Progress = Callable[[str, float], None]


def add_recordings(maker: UnitsMaker, folders: Sequence[Path], progress: Progress = lambda text, share: None) -> int:
    """Encode all recordings of some folders; what cannot be used, or is there already, is left out with a warning.

    Args:
        maker: that takes them.
        folders: of recordings, or single files; where they come from is read from the nearest ``source.toml``.
        progress: called with what is being done and the share that is done, 0 to 1.

    Returns:
        How many recordings were there already.

    Raises:
        VqsynthError: a folder holds no recordings, or the disk is full.
    """
    listed = [(path, folder) for folder in folders for path in find_audio(folder)]
    seconds = [_seconds(path) for path, _ in listed]
    total, done, present = max(sum(seconds), 1e-9), 0.0, 0
    for (path, folder), length in zip(listed, seconds):
        progress(path.name, done / total)
        try:
            fingerprint, loudest = _scan(path, maker.model.config.sample_rate)
        except VqsynthError as error:
            warn(f"{error}; left out")
        else:
            name, known = _name(maker, path, folder, fingerprint)
            if known:
                warn(f"{path}: left out, {known} is the same sound")
                present += 1
            else:
                here = done
                maker.add(
                    _levelled(path, maker.model.config.sample_rate, loudest),
                    name,
                    source_of(path, folder),
                    fingerprint,
                    lambda at: progress(path.name, min(1.0, (here + at) / total)),  # noqa: B023 (called at once)
                )
        done += length
    return present


def add_corpus(
    maker: UnitsMaker,
    corpus: Prepared,
    sources: Sequence[Mapping[str, Any]],
    progress: Progress = lambda text, share: None,
) -> None:
    """Encode the recordings of a prepared corpus, held-out ones too; varied phrases are no playing.

    Args:
        maker: that takes them.
        corpus: that the model was trained on; its recordings are levelled.
        sources: provenance of the recordings.
        progress: called with what is being done and the share that is done, 0 to 1.
    """
    real = [piece for piece in corpus.pieces if not piece.varied]
    runs = [list(group) for _, group in itertools.groupby(real, lambda piece: piece.source)]
    for number, run in enumerate(runs):
        progress(run[0].source, number / len(runs))
        name = run[0].source
        maker.add(_stored(corpus, run), name, _merged(sources), corpus.info.get("fingerprints", {}).get(name, ""))


def source_of(path: Path, folder: Path) -> dict[str, Any]:
    """Package, version, licence and credit of a recording that was found below ``folder``."""
    for place in path.parents:
        if found := read_sources(place):
            return _merged(found)
        if place in (folder, folder.parent):
            break
    return {**OWN, "credit": path.parent.name}


def _merged(sources: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Several sources whose recordings are mixed, as one."""
    if not sources:
        return dict(OWN)
    texts = {
        key: "; ".join(dict.fromkeys(str(source.get(key, OWN[key])) for source in sources))
        for key in OWN
        if key != "real"
    }
    return {**texts, "real": all(source.get("real", True) is True for source in sources)}


def _seconds(path: Path) -> float:
    """Length, 0 where it cannot be known."""
    try:
        return probe(path).seconds
    except VqsynthError:
        return 0.0


def _scan(path: Path, sample_rate: int) -> tuple[str, float]:
    """Fingerprint of a file and its loudest moment in dB.

    Raises:
        VqsynthError: it cannot be played from: damaged, clipped, silent or too short.
    """
    scan, loudest, samples = SampleScan(probe(path)), Loudest(sample_rate), 0
    for block in loudest.through(stream_mono(path, sample_rate, on_block=scan.add)):
        samples += len(block)
    if reason := scan.reason(path, {}):
        raise VqsynthError(f"{path}: {reason}")
    if loudest.loudness <= SILENT_DB:
        raise VqsynthError(f"{path}: silent")
    if samples < SHORTEST_SECONDS * sample_rate:
        raise VqsynthError(f"{path}: shorter than {1000 * SHORTEST_SECONDS:.0f} ms")
    return scan.fingerprint, loudest.loudness


def _levelled(path: Path, sample_rate: int, loudest: float) -> Iterator[np.ndarray]:
    """A file at the working level, in blocks."""
    gain = np.float32(10 ** ((LEVEL_LUFS - loudest) / 20))
    return (block * gain for block in stream_mono(path, sample_rate))


def _stored(corpus: Prepared, pieces: Sequence[Piece]) -> Iterator[np.ndarray]:
    """A recording of a corpus, in blocks."""
    for piece in pieces:
        end = piece.start + piece.samples
        yield from (np.array(corpus.audio[at : min(at + _BLOCK, end)]) for at in range(piece.start, end, _BLOCK))


def _name(maker: UnitsMaker, path: Path, folder: Path, fingerprint: str) -> tuple[str, str]:
    """A name that no other recording has; and that of the recording which is the same, or an empty text."""
    plain = path.relative_to(folder).as_posix() if path != folder else path.name
    taken = {recording.name: recording.fingerprint for recording in maker.recordings}
    for name, known in taken.items():
        # Recordings that came without a fingerprint are told by their names.
        if known == fingerprint or (not known and name == plain):
            return name, name
    names = (
        plain,
        f"{(folder if path != folder else path.parent).resolve().name}/{plain}",
        f"{fingerprint[:12]}/{plain}",
    )
    return next(name for name in names if name not in taken), ""
