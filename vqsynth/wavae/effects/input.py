"""A recording as a domain wants to hear it: at its rate, at the level of its training."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vqsynth.corpus.check import SILENT_DB
from vqsynth.corpus.files import read_mono, stream_mono
from vqsynth.dsp.loudness import loudness
from vqsynth.errors import UsageError, VqsynthError

if TYPE_CHECKING:
    from vqsynth.wavae.domain import Domain
    from vqsynth.wavae.paths.latent_path import LatentPath

LEVELS = ("match", "raw")
_PIECE_SECONDS = 10.0


def loudest(audio: np.ndarray | Iterable[np.ndarray], sample_rate: int) -> float:
    """Loudness of the loudest moment of a sound [samples], or of one that comes in blocks, in dB; of none -inf."""
    size, peak, held = round(_PIECE_SECONDS * sample_rate), -np.inf, np.zeros(0, np.float32)
    for block in [audio] if isinstance(audio, np.ndarray) else audio:
        held = np.concatenate([held, block]) if len(held) else block
        while len(held) >= size:
            peak, held = max(peak, float(loudness(held[:size], sample_rate).max())), held[size:]
    return max(peak, float(loudness(held, sample_rate).max())) if len(held) else peak


def encode_file(source: str | Path, domain: Domain, pitch: str = "track") -> LatentPath:
    """Encode a recording at its own level; memory does not grow with its length.

    Args:
        source: an audio file.
        domain: that encodes it.
        pitch: as for :meth:`vqsynth.wavae.domain.Domain.encode`.

    Raises:
        UsageError: unknown ``pitch``.
        VqsynthError: the file cannot be used, is silent, or shorter than a latent frame.
    """
    rate = domain.config.sample_rate
    _check_heard(source, loudest(stream_mono(source, rate), rate))
    try:
        return domain.encode_blocks(stream_mono(source, rate), pitch)
    except UsageError:
        raise
    except VqsynthError as error:
        raise error if str(error).startswith(str(source)) else VqsynthError(f"{source}: {error}") from error


def _check_heard(source: str | Path, peak: float) -> None:
    if peak <= SILENT_DB:
        raise VqsynthError(f"{source}: holds nothing but silence; choose another recording")


def encode_recording(
    source: str | Path, domain: Domain, level: str = "match", pitch: str = "track"
) -> tuple[np.ndarray, LatentPath, float]:
    """Read and encode a recording.

    Args:
        source: an audio file.
        domain: that encodes it.
        level: ``match`` brings the loudest moment to that of the training recordings, ``raw`` leaves it.
        pitch: as for :meth:`vqsynth.wavae.domain.Domain.encode`.

    Returns:
        The sound as it was encoded [samples], its path, and the gain in dB that it was given.

    Raises:
        UsageError: unknown ``level`` or ``pitch``.
        VqsynthError: the file cannot be used, is silent, or shorter than a latent frame.
    """
    if level not in LEVELS:
        raise UsageError("choose match or raw", field="level", value=level)
    audio = read_mono(source, domain.config.sample_rate)
    peak = loudest(audio, domain.config.sample_rate)
    _check_heard(source, peak)
    gain = domain.level - peak if level == "match" else 0.0
    audio = audio * np.float32(10 ** (gain / 20))
    try:
        return audio, domain.encode(audio, pitch), gain
    except UsageError:
        raise
    except VqsynthError as error:
        raise VqsynthError(f"{source}: {error}") from error
