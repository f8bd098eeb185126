"""Descriptor-driven sound synthesis.

    import vqsynth

    violin = vqsynth.load("violin")
    audio, report = violin.render(centroid="sin", f0="A4")

Nothing heavy is imported until it is used.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vqsynth.library.timbre import Timbre

__version__ = "0.1.0"
__all__ = ["__version__", "available", "load"]


def load(name: str | Path) -> Timbre:
    """Load a timbre by its name or by the path of its folder.

    Raises:
        UsageError: there is none of this name; the message has the nearest ones.
        VqsynthError: the folder is damaged or of a foreign version.
    """
    from vqsynth.library import timbre as folder

    return folder.load(name)


def available() -> list[dict[str, Any]]:
    """Return the cards of all installed timbres, sorted by name.

    Raises:
        VqsynthError: a card cannot be read.
    """
    from vqsynth.library import timbre as folder

    return [folder.load(path).card for path in folder.installed().values()]
