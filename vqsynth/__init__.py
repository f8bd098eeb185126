"""Descriptor-driven sound synthesis.

    import vqsynth

    violin = vqsynth.load("violin")
    audio, report = violin.render(centroid="sin", f0="A4")

The continuous models are in :mod:`vqsynth.wavae`. Nothing heavy is imported until it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vqsynth.errors import UsageError, VqsynthError, collect_warnings
from vqsynth.version import __version__

if TYPE_CHECKING:
    from vqsynth.control.request import Request
    from vqsynth.interface.installed import available, load
    from vqsynth.interface.runs import sweep, train
    from vqsynth.interface.timbre import Timbre
    from vqsynth.render.code_file import CodeSequence

_HOMES = {
    "CodeSequence": "render.code_file",
    "Request": "control.request",
    "Timbre": "interface.timbre",
    "available": "interface.installed",
    "load": "interface.installed",
    "sweep": "interface.runs",
    "train": "interface.runs",
}
__all__ = [
    "load",
    "available",
    "Timbre",
    "Request",
    "CodeSequence",
    "sweep",
    "train",
    "VqsynthError",
    "UsageError",
    "collect_warnings",
    "__version__",
]


def __getattr__(name: str) -> Any:
    # Imported when first used, so that the command line's help comes at once.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
