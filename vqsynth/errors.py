"""Errors that a user can act on, and warnings that do not stop the work."""

from __future__ import annotations

import contextlib
import contextvars
import difflib
import logging
import re
from collections.abc import Iterable, Iterator

logger = logging.getLogger("vqsynth")
_collected: contextvars.ContextVar[tuple[list[str], ...]] = contextvars.ContextVar("collected", default=())
_about: contextvars.ContextVar[str] = contextvars.ContextVar("about", default="")
_silent: contextvars.ContextVar[bool] = contextvars.ContextVar("silent", default=False)


class VqsynthError(Exception):
    """Something failed; the message is one sentence that says what to do. Exit code 1.

    Args:
        message: what is wrong and what to do.
        field: the argument or setting that is wrong, by its Python name; the command line shows its option instead.
        value: what was given for it.

    Attributes:
        message: without the field.
        field: as given, or None.
        value: as text, or None.
    """

    exit_code = 1

    def __init__(self, message: str, *, field: str | None = None, value: object = None) -> None:
        self.message, self.field = _shortened(message), field
        self.value = None if value is None else _shortened(str(value))
        super().__init__(self.text(field))

    def text(self, label: str | None) -> str:
        """The whole sentence, with ``label`` standing for the field (``--gain`` on the command line)."""
        where = " ".join(part for part in (label, self.value) if part)
        return f"{where}: {self.message}" if where else self.message


def _shortened(text: str) -> str:
    """Words that no reader wants whole, such as a number of a thousand digits, cut to their beginning."""
    return re.sub(r"(\S{60})\S{400,}", r"\1...", text)


class UsageError(VqsynthError):
    """The request itself is wrong: a setting, a name, a target. Exit code 2."""

    exit_code = 2


def nearest_names(word: str, names: Iterable[str]) -> str:
    """Return ``"did you mean a or b? "`` or an empty string, then all the names."""
    names = sorted(names)
    close = difflib.get_close_matches(word, names, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    return f"{hint}Available: {', '.join(names) or 'none'}"


def warn(message: str) -> None:
    """Log a warning to the logger ``vqsynth``, and add it to every :func:`collect_warnings` around this call."""
    # A file name that is not UTF-8 must not break a log, a table or a report.
    message = _about.get() + message.encode("utf-8", "replace").decode("utf-8")
    if not _silent.get():
        logger.warning(message)
    for messages in _collected.get():
        messages.append(message)


@contextlib.contextmanager
def about(what: str) -> Iterator[None]:
    """Warnings and errors of the calls within begin with what they are about, in this thread alone.

    Raises:
        VqsynthError: as the calls do, with ``what`` before its message.
    """
    token = _about.set(f"{_about.get()}{what}: ")
    try:
        yield
    except VqsynthError as error:
        raise type(error)(f"{what}: {error.message}", field=error.field, value=error.value) from error
    finally:
        _about.reset(token)


@contextlib.contextmanager
def collect_warnings(log: bool = True) -> Iterator[list[str]]:
    """Collect the warnings of the calls within, in this thread alone.

    Args:
        log: also log them, as without.

    Yields:
        The warnings so far; the list grows.
    """
    messages: list[str] = []
    collected = _collected.set((*_collected.get(), messages))
    silent = _silent.set(_silent.get() or not log)
    try:
        yield messages
    finally:
        _collected.reset(collected)
        _silent.reset(silent)
