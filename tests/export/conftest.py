"""Shipped models as instruments, and exported files that tests share."""

from __future__ import annotations

import pytest
import torch

RATE = 44_100


@pytest.fixture(scope="session")
def domain():
    """The strings that ship."""
    from vqsynth.wavae import load

    return load("strings")


@pytest.fixture
def wavae(domain):
    """A new instrument of the strings."""
    from vqsynth.export.wavae import wavae_instrument

    return wavae_instrument(domain.model, domain.pca)


@pytest.fixture(scope="session")
def violin():
    """The violin that ships."""
    from vqsynth.library.timbre import load

    return load("violin")


@pytest.fixture(scope="session")
def violin_and_card(violin):
    """An instrument of the violin, and what a host must know of it."""
    from vqsynth.export.models import instrument_of

    return instrument_of(violin)


@pytest.fixture
def instrument(violin_and_card):
    """The instrument of the violin, as new."""
    violin_and_card[0].reset(1)
    return violin_and_card[0]


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """The strings as exported: path of the TorchScript file, report."""
    from vqsynth.export.write import export

    path = tmp_path_factory.mktemp("exported") / "strings.ts"
    return path, export("strings", path, blocks=200)


@pytest.fixture(scope="session")
def signal(note):
    """The note as hosts have it. Shape: [1, 1, 88064], whole blocks of 2048."""
    return torch.from_numpy(note[: 43 * 2048])[None, None]


@pytest.fixture(scope="session")
def blockwise():
    """Runs a method over a signal [1, channels, frames] in blocks, in inference mode."""

    def run(method, signal, frames):
        with torch.inference_mode():
            return torch.cat([method(block) for block in signal.split(frames, 2)], 2).numpy()[0]

    return run
