"""New contents for a folder, at one instant where the system can do that."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from pathlib import Path

_AT_FDCWD, _RENAME_EXCHANGE, _RENAME_SWAP = -100, 2, 2


def replace_contents(folder: Path, new: Path, last: str) -> None:
    """Put the contents of ``new``, a folder within ``folder``, in the place of what ``folder`` has of the same names.

    All other entries of ``folder`` stay. A process that is killed at any time leaves either the old contents
    whole or the new ones; what it had not moved yet is moved by :func:`finish_replacing`. Where the system
    cannot exchange two folders, files are moved one by one, ``last`` at the end.

    Args:
        folder: to change.
        new: removed afterwards.
        last: name of the file that makes the others valid.
    """
    folder = folder.resolve()
    aside = _aside(folder)
    shutil.rmtree(aside, ignore_errors=True)
    try:
        new.rename(aside)
    except OSError:  # the parent is not ours to write to
        _replace_one_by_one(folder, new, last)
        return
    if _exchange(aside, folder):
        finish_replacing(folder)
    else:
        aside.rename(new)
        _replace_one_by_one(folder, new, last)


def finish_replacing(folder: Path) -> None:
    """Move what a killed :func:`replace_contents` left behind; nothing if there is nothing."""
    folder = folder.resolve()
    aside = _aside(folder)
    if not aside.is_dir() or not folder.is_dir():
        return
    for entry in sorted(aside.iterdir()):
        if not (folder / entry.name).exists():
            entry.rename(folder / entry.name)
    shutil.rmtree(aside, ignore_errors=True)


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.replaced")


def _exchange(first: Path, second: Path) -> bool:
    """Let two folders change places in one step; False where the system or the file system cannot."""
    a, b = os.fsencode(first), os.fsencode(second)
    try:
        library = ctypes.CDLL(None)
        if sys.platform == "darwin":
            return library.renamex_np(a, b, _RENAME_SWAP) == 0
        return library.renameat2(_AT_FDCWD, a, _AT_FDCWD, b, _RENAME_EXCHANGE) == 0
    except (OSError, AttributeError, TypeError):
        return False


def _replace_one_by_one(folder: Path, new: Path, last: str) -> None:
    for entry in sorted(new.iterdir(), key=lambda entry: entry.name == last):
        if entry.is_dir():
            shutil.rmtree(folder / entry.name, ignore_errors=True)
        entry.replace(folder / entry.name)
    new.rmdir()
