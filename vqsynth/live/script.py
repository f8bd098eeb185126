"""Messages in time as text: ``0.5 /descriptor/centroid 1800``, a line a message."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable
from pathlib import Path

from vqsynth.errors import VqsynthError
from vqsynth.live.messages import Message, Refused, read
from vqsynth.storage.atomic import write_text
from vqsynth.storage.reading import read_text

LONGEST = 24 * 3600.0
MOST_LINES = 1_000_000
HEADER = "# seconds /address arguments"


def arguments_of(words: Iterable[str]) -> list[float | str]:
    """Words as arguments: numbers where they are numbers."""
    return [_value(word) for word in words]


def _value(word: str) -> float | str:
    try:
        return float(word)
    except ValueError:
        return word


def read_script(path: str | Path) -> list[tuple[float, Message]]:
    """Seconds and messages of a file, in the order of time; empty lines and what follows ``#`` do not count.

    Raises:
        VqsynthError: the file cannot be read, or a line is no message; it names the line.
    """
    events: list[tuple[float, Message]] = []
    for number, line in enumerate(read_text(Path(path), "a script of messages").splitlines(), 1):
        try:
            words = shlex.split(line, comments=True)
            if not words:
                continue
            seconds = float(words[0])
            if not (math.isfinite(seconds) and 0 <= seconds <= LONGEST) or len(words) < 2:
                raise Refused("a line is seconds, an address and its arguments, as in 0.5 /gain -6")
            events.append((seconds, read(words[1], arguments_of(words[2:]))))
        except ValueError as error:
            reason = f"a line begins with seconds, as in 0.5 /gain -6 ({error})"
            raise VqsynthError(f"{path}, line {number}: {reason}") from error
        except Refused as error:
            raise VqsynthError(f"{path}, line {number}: {error}") from error
        if len(events) > MOST_LINES:
            raise VqsynthError(f"{path}: has more than {MOST_LINES:,} messages; give fewer")
    return sorted(events, key=lambda event: event[0])


def write_script(path: str | Path, events: Iterable[tuple[float, Message]], notes: Iterable[str] = ()) -> None:
    """Write what :func:`read_script` reads.

    Args:
        path: of the file.
        events: seconds and messages.
        notes: lines of comment at its beginning.
    """
    lines = [*(f"# {note}" for note in notes), HEADER, *(f"{t:.7f} {message.text()}" for t, message in events)]
    write_text(path, "\n".join(lines) + "\n")
