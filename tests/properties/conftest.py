"""How long the properties are tried, and what every one of them must keep.

Bounded and repeatable by default; ``python -m pytest tests/properties --hypothesis-profile long`` tries twenty times
as many cases, new ones every time.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

LONGEST, LARGEST = 4.0, 400
"""CPU seconds and new megabytes that one case may take."""

_common = {"deadline": None, "suppress_health_check": list(HealthCheck)}
settings.register_profile("bounded", max_examples=50, derandomize=True, database=None, **_common)
settings.register_profile("long", max_examples=1000, print_blob=True, **_common)
settings.load_profile("bounded")


@pytest.fixture(scope="session")
def tried() -> Callable:
    """Call a function: its value, or None after an error of ours; anything else, and too much of anything, fails."""
    from vqsynth.errors import VqsynthError

    def attempt(function: Callable, *arguments: object, **options: object) -> object:
        start, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            with np.errstate(all="ignore"):
                return function(*arguments, **options)
        except VqsynthError as error:
            assert str(error)
            return None
        finally:
            assert time.process_time() - start < LONGEST
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1024 * LARGEST

    return attempt


@pytest.fixture(scope="session")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("properties")


@pytest.fixture
def here(_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that all cases share, and the working directory of the test."""
    monkeypatch.chdir(_folder)
    return _folder


@pytest.fixture(scope="session")
def domain():
    """The strings that ship."""
    from vqsynth.wavae import load

    return load("strings")


@pytest.fixture(scope="session")
def path(domain, note):
    """The latent path of half a second of ``note``; not to be written to."""
    return domain.encode(note[:22_050])
