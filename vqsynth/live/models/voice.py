"""What the engine asks of a model, and models found by their names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from vqsynth.errors import UsageError, nearest_names

if TYPE_CHECKING:
    from vqsynth.live.controls import Controls


class Voice(Protocol):
    """A model in motion.

    Attributes:
        name: as it is asked for.
        sample_rate: of its sound, Hz.
        latency: samples by which its sound trails what came in.
        hop: samples for which it works at once.
        level: loudness that it does not go far over, LUFS.
        follows: descriptors that it can be asked for.
        axes: of its latents; 0 where it has none.
        hears: whether its input matters.
    """

    name: str
    sample_rate: int
    latency: int
    hop: int
    level: float
    follows: frozenset[str]
    axes: int
    hears: bool

    def push(self, audio: np.ndarray, controls: Controls) -> np.ndarray:
        """Take samples, give as many; the controls hold for all of them. Shape: [n] -> [n] float32."""

    def reset(self) -> None:
        """Begin anew."""


WAVAE = "wavae/"
"""Before a name: the continuous model, where a timbre has the same name."""


def voice_names() -> list[str]:
    """Names of all models that can be played."""
    from vqsynth.library.timbre import Timbre
    from vqsynth.wavae.domain import Domain

    timbres = list(Timbre.installed())
    return timbres + [f"{WAVAE}{name}" if name in timbres else name for name in Domain.installed()]


def load_voice(name: str, hears: bool = True, seed: int = 0, fast: bool = False) -> Voice:
    """Load a model by name or path, compiled and warmed up.

    Args:
        name: a timbre or a continuous model; ``wavae/NAME`` is the continuous one where both exist.
        hears: whether it plays what it hears, or descriptors and notes alone.
        seed: of the noise.
        fast: of a timbre that plays what it hears: with a third of the delay, coarser.

    Raises:
        UsageError: there is none of this name.
        VqsynthError: its folder is damaged.
    """
    from vqsynth.library.timbre import CARD, Timbre
    from vqsynth.wavae import domain as domains

    path, timbres = Path(name), Timbre.installed()
    if name in timbres or (path / CARD).is_file():
        timbre = Timbre(Timbre.find(name))
        if hears:
            from vqsynth.live.models.transfer_voice import TransferVoice

            return TransferVoice(timbre, name, seed, fast)
        from vqsynth.live.models.played_voice import PlayedVoice

        return PlayedVoice(timbre, name, seed)
    plain = name.removeprefix(WAVAE)
    if plain not in domains.Domain.installed() and os.sep not in plain:
        raise UsageError(f"{name}: no model of this name; {nearest_names(name, voice_names())}")
    from vqsynth.live.models.domain_voice import DomainVoice

    return DomainVoice(domains.load(plain), name, seed, hears)
