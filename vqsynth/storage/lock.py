"""One writer at a time: an advisory lock on a folder, which ends with the process that holds it, however that ends."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from vqsynth.errors import VqsynthError, warn

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

NAME = ".vqsynth-lock"
"""The lock's file in its folder: who holds it, as JSON; it is removed with the lock."""
_FAR = 1 << 30
"""Windows locks bytes and keeps others from reading them: one far behind the text is taken."""
_BUSY = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}


@contextlib.contextmanager
def locked(folder: Path, what: str) -> Iterator[None]:
    """Hold the lock of an existing ``folder``.

    The operating system frees it when the process dies, so a lock is never stale. Threads exclude each other as
    processes do. A file system without locks is used without, with a warning.

    Args:
        folder: what is written to.
        what: a noun for what writes, for the other one's message: ``sweep``, ``training``.

    Raises:
        VqsynthError: another one holds it, or the folder cannot be written to.
    """
    path = Path(folder) / NAME
    handle = _acquire(path, what)
    try:
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, json.dumps({"what": what, "pid": os.getpid(), "host": socket.gethostname()}).encode())
        yield
    finally:
        # Removed while held, so that nobody can hold a file that is no longer there.
        if sys.platform == "win32":
            os.close(handle)
            with contextlib.suppress(OSError):
                path.unlink()
        else:
            with contextlib.suppress(OSError):
                path.unlink()
            os.close(handle)


def _acquire(path: Path, what: str) -> int:
    """An open file that is locked and still is the one at ``path``."""
    while True:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
        except OSError as error:
            raise VqsynthError(
                f"{path.parent}: cannot write here ({error.strerror}); choose another output folder"
            ) from error
        try:
            _lock(handle)
        except OSError as error:
            if error.errno in _BUSY:
                os.close(handle)
                raise VqsynthError(_taken(path, what)) from None
            warn(f"{path.parent}: this file system has no locks ({error.strerror}); let no other {what} write here")
            return handle
        try:
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                return handle
        except FileNotFoundError:
            pass
        os.close(handle)  # the last holder removed it between open and lock


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        os.lseek(handle, _FAR, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _taken(path: Path, what: str) -> str:
    """The sentence for a lock that another one holds."""
    who = ""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        holder = json.loads(path.read_text(encoding="utf-8"))
        what = str(holder["what"])
        where = "" if holder["host"] == socket.gethostname() else f" on {holder['host']}"
        who = f" (process {int(holder['pid'])}{where})"
    return f"{path.parent}: another {what} is writing here{who}; wait until it has ended, or choose another folder"
