"""Threads that must not wait for others."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

SOUND, AROUND = 5, 1
"""Priorities of what makes sound, and of what shares the interpreter with it: a thread that holds the lock of the
interpreter and has to wait for other programs lets the sound wait."""


def run_first(priority: int = SOUND) -> bool:
    """Ask the system to run this thread before other programs; whether it does. A user needs the right to it."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(priority))
    except (AttributeError, OSError):  # not on this system, or not for this user
        return False
    return True


@contextlib.contextmanager
def urgent() -> Iterator[None]:
    """This thread, and those that it begins meanwhile, run before other programs; afterwards it runs as before."""
    changed = run_first(AROUND)
    try:
        yield
    finally:
        if changed:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
