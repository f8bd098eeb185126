"""Files of users read without trust: regular files alone, of bounded size, every fault told in one sentence."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import sys
from pathlib import Path
from typing import Any

from vqsynth.errors import VqsynthError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LARGEST_TEXT = 1 << 26
"""Bytes of a text file of a user, such as the path of a day as CSV."""
LARGEST_TOML = 1 << 20
"""Bytes of a TOML file: reading takes a second a megabyte."""
MOST_DOTS = 32
"""Parts of a dotted TOML key; reading takes time with their square."""
_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_DOTTED = re.compile(rf"(?<![\w\\-]){_KEY}(?:[ \t]*\.[ \t]*{_KEY}){{{MOST_DOTS}}}")
_BLOCK = 1 << 20


def regular_file(path: str | Path, what: str = "a file", *, error: type[VqsynthError] = VqsynthError) -> Path:
    """Return ``path`` if it is a regular file: reading it ends, and does not wait.

    Args:
        path: what the user gave.
        what: what was wanted there, with its article.
        error: class of the exceptions.

    Raises:
        VqsynthError: there is no such file, it is a folder, a pipe or a device, or it cannot be looked at.
    """
    path = Path(path)
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise error(f"{path}: no such file; check its name") from None
    # ValueError: a zero byte within the name. RuntimeError: a loop of links.
    except (OSError, ValueError, RuntimeError) as fault:
        reason = getattr(fault, "strerror", None) or "this is no name of a file"
        raise error(f"{path}: cannot be read ({reason}); check the path and its permissions") from None
    if stat.S_ISDIR(mode):
        raise error(f"{path}: this is a folder, not {what}; give one file in it")
    if not stat.S_ISREG(mode):
        raise error(f"{path}: this is a pipe or a device, not {what}; copy it to a file first")
    return path


def is_file(path: str | Path) -> bool:
    """Whether ``path`` is a regular file; False for anything that cannot be looked at."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError, RuntimeError):
        return False


def is_folder(path: str | Path) -> bool:
    """Whether ``path`` is a folder; False for anything that cannot be looked at."""
    try:
        return Path(path).is_dir()
    except (OSError, ValueError, RuntimeError):
        return False


def read_bytes(
    path: str | Path,
    what: str = "a file",
    largest: int = LARGEST_TEXT,
    *,
    error: type[VqsynthError] = VqsynthError,
) -> bytes:
    """Read a file whole, if it is not too large.

    Args:
        path: of the file.
        what: what was wanted there, with its article.
        largest: size that is accepted, in bytes.
        error: class of the exceptions.

    Raises:
        VqsynthError: not a regular file, not readable, or too large.
    """
    path = regular_file(path, what, error=error)
    try:
        with open(path, "rb") as handle:
            size = os.fstat(handle.fileno()).st_size
            if size > largest:
                raise error(f"{path}: {size:,} bytes are more than {what} can have ({largest:,}); divide it")
            # No more than the size: files of the system that have none would never end.
            return handle.read(size)
    except OSError as fault:
        raise error(f"{path}: cannot be read ({fault.strerror}); check the path and its permissions") from None


def read_text(
    path: str | Path,
    what: str = "a text file",
    largest: int = LARGEST_TEXT,
    *,
    error: type[VqsynthError] = VqsynthError,
) -> str:
    """Read a UTF-8 text whole, with or without a byte order mark, its lines ended by ``\\n``.

    Args:
        path: of the file.
        what: what was wanted there, with its article.
        largest: size that is accepted, in bytes.
        error: class of the exceptions.

    Raises:
        VqsynthError: as :func:`read_bytes`, or the file is not UTF-8.
    """
    try:
        text = read_bytes(path, what, largest, error=error).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise error(f"{path}: this is not a text file; {what} is written in UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_toml(
    path: str | Path, what: str = "a TOML file", *, error: type[VqsynthError] = VqsynthError
) -> dict[str, Any]:
    """Read a TOML file.

    Args:
        path: of the file.
        what: what was wanted there, with its article.
        error: class of the exceptions.

    Raises:
        VqsynthError: the file is missing, too large, or is not TOML, or its keys or lists are too deep.
    """
    text = read_text(path, what, LARGEST_TOML, error=error)
    if _DOTTED.search(text):
        raise error(f"{path}: a key has more than {MOST_DOTS} dotted parts; write fewer")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise error(f"{path}: its lists or tables are too deep; write them flat") from None
    # ValueError: also whole numbers of thousands of digits.
    except (ValueError, OverflowError, IndexError, KeyError) as fault:
        raise error(f"{path}: not valid TOML ({fault}); restore or correct it") from None


def sha256(path: str | Path) -> str:
    """Return the hexadecimal SHA-256 of a file; no more of it is read than its size was at the start."""
    digest = hashlib.sha256()
    with open(path, "rb") as handle:
        left = os.fstat(handle.fileno()).st_size
        while left > 0 and (block := handle.read(min(left, _BLOCK))):
            digest.update(block)
            left -= len(block)
    return digest.hexdigest()
