"""Distance of a reconstruction from its recording, and octave slips in a pitch track."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch

from benchmarks.tracking.measure import HOP, pitch
from vqsynth.corpus.files import find_audio, read_mono
from vqsynth.descriptors import f0
from vqsynth.dsp.mel import mel_filters
from vqsynth.dsp.stft import power_spectrogram
from vqsynth.library.timbre import Timbre
from vqsynth.render.transfer import decode_blocks, encode

BANDS, ACTIVE_DB, FLOOR_DB = 80, 40.0, 60.0
SLIP_SECONDS, SLIP_OCTAVES = 0.05, 0.6
WAYS = ("original", "timbre", "sound", "colour")
"""Nearest latent and the codes' own pitch; the codes that transfer takes; codes fitted to the sound; and its colour."""


@dataclasses.dataclass
class Row:
    """What became of one set of recordings.

    Attributes:
        error: mean log-mel distance in dB, by way.
        moved: recordings with notes out of the timbre's range, left out.
        slips: octave slips of the reconstruction.
    """

    timbre: str
    set: str
    recordings: int
    moved: int
    error: dict[str, float]
    slips: int


def log_mel_error(audio: np.ndarray, reference: np.ndarray, sample_rate: int) -> float:
    """Mean absolute distance over 80 log-mel bands in dB, levels included.

    Frames within 40 dB of the loudest count, and bands down to 60 dB under the loudest. Shape: 2 x [samples]
    """
    filters = mel_filters(sample_rate, 2048, BANDS)
    count = min(len(audio), len(reference))
    made, wanted = (
        power_spectrogram(torch.from_numpy(np.ascontiguousarray(x[:count], np.float32)), 2048, HOP) @ filters
        for x in (audio, reference)
    )
    floor = wanted.max() * 10 ** (-FLOOR_DB / 10)
    level = wanted.sum(1)
    distance = 10 * torch.log10((made + floor) / (wanted + floor))
    return float(distance[level > level.max() * 10 ** (-ACTIVE_DB / 10)].abs().mean())


def slips(wanted: np.ndarray, frame_rate: float, *heard: np.ndarray) -> int:
    """Runs of more than 50 ms in which all estimators hear a pitch about an octave or more off what it should be.

    A single one takes an attack for the octave below now and then. Shape: each [frames] Hz, 0 or NaN where unvoiced
    """
    off = np.ones(len(wanted), bool)
    for found in heard:
        both = (np.nan_to_num(found) > 0) & (np.nan_to_num(wanted) > 0)
        ratio = np.where(both, found, 1.0) / np.where(both, wanted, 1.0)
        off &= np.abs(np.log2(ratio)) > SLIP_OCTAVES
    edges = np.flatnonzero(np.diff(np.concatenate([[False], off, [False]]).astype(int)))
    return int(np.sum((edges[1::2] - edges[::2]) > SLIP_SECONDS * frame_rate))


def reconstruct(path: Path, timbre: Timbre, seconds: float) -> tuple[dict[str, float], int] | None:
    """Errors by way and the number of slips of one recording; None where its notes had to move."""
    rate = timbre.config.sample_rate
    kept, moved = encode(path, timbre)
    fitted, _ = encode(path, timbre, fit="sound")
    if moved:
        return None
    reference = read_mono(path, rate)[: round(seconds * rate)]
    sequences = {
        "original": (encode(path, timbre, "codes")[0], "codes"),
        "timbre": (kept, "track"),
        "sound": (dataclasses.replace(fitted, colour=None), "track"),
        "colour": (fitted, "track"),
    }
    errors = {}
    for way, (sequence, sung) in sequences.items():
        audio = np.concatenate([block for block, _ in decode_blocks(timbre, sequence, sung)])[: len(reference)]
        errors[way] = log_mel_error(audio, reference, rate)
    voiced = fitted.f0[fitted.f0 > 0]
    if not len(voiced):
        return errors, 0
    times, heard = pitch(audio, rate, float(voiced.min()), float(voiced.max()))
    frames = np.minimum(np.rint(times * rate / HOP).astype(int), len(fitted.f0) - 1)
    tracked, _, _ = f0.track(audio, rate)
    tracked = tracked[np.minimum(frames, len(tracked) - 1)]
    return errors, slips(fitted.f0[frames], rate / HOP, heard, tracked)


def row(timbre: Timbre, label: str, paths: list[Path], seconds: float) -> Row:
    """Reconstruct a set of recordings."""
    found = [reconstruct(path, timbre, seconds) for path in paths]
    kept = [one for one in found if one is not None]
    error = {way: float(np.mean([errors[way] for errors, _ in kept])) if kept else float("nan") for way in WAYS}
    return Row(timbre.name, label, len(kept), len(found) - len(kept), error, sum(count for _, count in kept))


def spread(folder: Path, files: int) -> list[Path]:
    """At most so many audio files of a folder, evenly picked; none where there is no such folder."""
    paths = find_audio(folder) if folder.is_dir() else []
    return [paths[i] for i in np.unique(np.linspace(0, len(paths) - 1, min(files, len(paths))).astype(int))]
