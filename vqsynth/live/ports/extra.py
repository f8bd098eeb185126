"""Packages of the extra ``live``, imported when they are needed."""

from __future__ import annotations

import importlib
from types import ModuleType

from vqsynth.errors import VqsynthError

_FOR = {"sounddevice": "sound devices", "rtmidi": "MIDI"}


def need(module: str) -> ModuleType:
    """Import a module of the extra.

    Raises:
        VqsynthError: it is not installed, or a library that it stands on is not.
    """
    what = _FOR[module.split(".")[0]]
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise VqsynthError(
            f"{what} need more than is installed; run `pip install 'vqsynth[live]'` ({error})"
        ) from error
    except OSError as error:
        hint = "install the library libportaudio2 of your system" if module == "sounddevice" else "check its libraries"
        raise VqsynthError(f"{what} are not at hand ({error}); {hint}") from error
