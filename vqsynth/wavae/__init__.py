"""The continuous path: a mel-spectrogram VAE freed of loudness, with a streaming vocoder.

import vqsynth.wavae
strings = vqsynth.wavae.load("strings")
path = strings.encode(audio)          # latents, loudness, principal axes
audio = strings.decode(path)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vqsynth.wavae.domain import Domain as Domain
    from vqsynth.wavae.domain import load as load
    from vqsynth.wavae.paths.latent_path import LatentPath as LatentPath

_HOMES = {"Domain": "domain", "load": "domain", "LatentPath": "paths.latent_path"}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    # Imported when first used, so that the command line's help comes at once.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
