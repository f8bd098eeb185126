"""Errors that a user can act on, and warnings that do not stop the work."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable


class VqsynthError(Exception):
    """Something failed; the message is one sentence that says what to do. Exit code 1."""

    exit_code = 1


class UsageError(VqsynthError):
    """The request itself is wrong: an option, a name, a target. Exit code 2."""

    exit_code = 2


def nearest_names(word: str, names: Iterable[str]) -> str:
    """Return ``"did you mean a or b? "`` or an empty string, then all the names."""
    names = sorted(names)
    close = difflib.get_close_matches(word, names, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    return f"{hint}Available: {', '.join(names) or 'none'}"


def warn(message: str) -> None:
    """Print one line to standard error and go on."""
    print(f"warning: {message}", file=sys.stderr)
