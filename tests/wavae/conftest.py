"""A shipped domain, two made sounds and their latent paths."""

from __future__ import annotations

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
