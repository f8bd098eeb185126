"""A recording as a domain wants to hear it: at its rate, at the level of its training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vqsynth.corpus.check import SILENT_DB
from vqsynth.corpus.files import read_mono
from vqsynth.dsp.loudness import loudness
from vqsynth.errors import UsageError, VqsynthError

if TYPE_CHECKING:
    from vqsynth.wavae.domain import Domain
    from vqsynth.wavae.paths.latent_path import LatentPath

LEVELS = ("match", "raw")
_PIECE_SECONDS = 10.0


def loudest(audio: np.ndarray, sample_rate: int) -> float:
    """Loudness of the loudest moment of a sound [samples], dB."""
    size = round(_PIECE_SECONDS * sample_rate)
    return max(float(loudness(audio[start : start + size], sample_rate).max()) for start in range(0, len(audio), size))


def encode_recording(source: str | Path, domain: Domain, level: str = "match") -> tuple[np.ndarray, LatentPath, float]:
    """Read and encode a recording.

    Args:
        level: ``match`` brings the loudest moment to that of the training recordings, ``raw`` leaves it.

    Returns:
        The sound as it was encoded [samples], its path, and the gain in dB that it was given.

    Raises:
        UsageError: unknown ``level``. VqsynthError: the file cannot be used, is silent, or shorter than a latent frame.
    """
    if level not in LEVELS:
        raise UsageError("choose match or raw", field="level", value=level)
    audio = read_mono(source, domain.config.sample_rate)
    peak = loudest(audio, domain.config.sample_rate) if len(audio) else -np.inf
    if peak <= SILENT_DB:
        raise VqsynthError(f"{source}: holds nothing but silence; choose another recording")
    gain = domain.level - peak if level == "match" else 0.0
    audio = audio * np.float32(10 ** (gain / 20))
    try:
        return audio, domain.encode(audio), gain
    except VqsynthError as error:
        raise VqsynthError(f"{source}: {error}") from error
