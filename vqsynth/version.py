"""The version of this package, and of what its numbers depend on."""

from __future__ import annotations

__version__ = "0.1.0"


def versions() -> dict[str, str]:
    """Versions of this package, torch, numpy and Python, for reports."""
    import platform

    import numpy as np
    import torch

    return {
        "vqsynth": __version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
