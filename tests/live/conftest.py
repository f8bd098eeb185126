"""Voices that ship, loaded once, and a plain one whose sound is known."""

from __future__ import annotations

import functools

import numpy as np
import pytest

RATE = 44_100


@pytest.fixture(scope="session")
def voice():
    """A voice by its name, begun anew."""
    from vqsynth.live.models.voice import load_voice

    loaded = functools.cache(load_voice)

    def begin(name: str, hears: bool = True):
        found = loaded(name, hears)
        found.reset()
        if hasattr(found, "_changes"):
            found._changes = -1
        return found

    return begin


class Wire:
    """Gives back what comes, some samples later."""

    name, sample_rate, level, axes, hears = "wire", RATE, -20.0, 0, True
    hop = 64
    follows = frozenset({"f0"})

    def __init__(self, latency: int = 100, factor: float = 1.0) -> None:
        self.latency, self.factor = latency, factor
        self.reset()

    def reset(self) -> None:
        self.held = np.zeros(self.latency, np.float32)

    def push(self, audio, controls):
        self.held = np.concatenate([self.held, audio * np.float32(self.factor)])
        out, self.held = self.held[: len(audio)], self.held[len(audio) :]
        return out


@pytest.fixture(scope="session")
def wire():
    """The class of the plain voice."""
    return Wire
