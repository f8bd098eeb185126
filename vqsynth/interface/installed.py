"""Timbres that are installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vqsynth.interface.timbre import Timbre


def load(name: str | Path) -> Timbre:
    """Load a timbre by its name or by the path of its folder.

    Raises:
        UsageError: there is none of this name; the message has the nearest ones.
        VqsynthError: the folder is damaged or of a foreign version.
    """
    return Timbre(Timbre.find(name))


def available() -> list[dict[str, Any]]:
    """Return the cards of all installed timbres, sorted by name.

    Raises:
        VqsynthError: a card cannot be read.
    """
    return [Timbre(path).card for path in Timbre.installed().values()]
