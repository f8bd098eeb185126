"""A shipped domain, two made sounds and their latent paths."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest


@pytest.fixture(scope="session")
def domain():
    """The strings that ship."""
    from vqsynth.wavae import load

    return load("strings")


@pytest.fixture(scope="session")
def low_note(make_tone):
    """One and a half seconds of a dark, falling tone. Shape: [66150] float32 at 44.1 kHz."""
    return make_tone(np.geomspace(196, 147, round(1.5 * 44_100)), 1.5, 0.7)


@pytest.fixture(scope="session")
def path(domain, note):
    """The latent path of ``note``; not to be written to."""
    return domain.encode(note)


@pytest.fixture(scope="session")
def low_path(domain, low_note):
    """The latent path of ``low_note``; not to be written to."""
    return domain.encode(low_note)


@pytest.fixture(scope="session")
def sing():
    """Gives a path pitch (Hz) and voicing, each a number or [frames], whatever controls its model has."""

    def given(path, hz, voicing=1.0):
        curves = (path.loudness, np.broadcast_to(hz, len(path)), np.broadcast_to(voicing, len(path)))
        return dataclasses.replace(
            path, names=("loudness", "pitch", "voicing"), controls=np.stack(curves, 1).astype(np.float32)
        )

    return given


@pytest.fixture(scope="session")
def speak():
    """Takes all controls but the loudness from a path."""
    return lambda path: dataclasses.replace(path, names=("loudness",), controls=path.controls[:, :1])
