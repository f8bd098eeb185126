"""What a window has: its sounds and paths, bounded; windows do not see each other's."""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from starlette.requests import HTTPConnection

from vqsynth.play.answers import Refused
from vqsynth.play.jobs import Job
from vqsynth.wavae.effects.decoding import Decoded
from vqsynth.wavae.paths.latent_path import LatentPath

SESSIONS, IDLE_SECONDS = 32, 7200.0
SESSION_BYTES = 256 << 20
"""Of a window's sounds, in memory; the oldest that was not used goes first."""
SOUNDS, PATHS, PATH_BYTES = 200, 256, 128 << 20
WAV = "sound.wav"


@dataclasses.dataclass(eq=False)
class Sound:
    """A sound of a window.

    Attributes:
        folder: of its own, which holds ``sound.wav`` and all that its recipe needs; goes with the sound.
        audio: float32 [samples].
        commands: lines that make the same sound in the folder; empty for what was uploaded.
        request: what the page asked for.
    """

    id: str
    name: str
    origin: str
    folder: Path
    audio: np.ndarray
    rate: int
    licence: str | None = None
    commands: list[str] = dataclasses.field(default_factory=list)
    request: dict[str, Any] = dataclasses.field(default_factory=dict)
    report: dict[str, Any] | None = None
    curves: dict[str, list[float | None]] | None = None
    stems: list[str] = dataclasses.field(default_factory=list)

    @property
    def answer(self) -> dict[str, Any]:
        """The sound as JSON."""
        return {
            "id": self.id,
            "name": self.name,
            "seconds": len(self.audio) / self.rate,
            "sample_rate": self.rate,
            "samples": len(self.audio),
            "origin": self.origin,
            "recipe": bool(self.commands),
            "stems": self.stems,
            "peak": float(np.abs(self.audio).max(initial=0.0)),
            "licence": self.licence,
        }


class Session:
    """A window's sounds and paths; safe to use from several threads.

    Args:
        id: that nobody guesses.
        folder: for its files.

    Attributes:
        view: what the page wants kept, as it gave it.
        listeners: queues of the window's sockets.
        decoded: what the latest decode left, for the next one.
    """

    def __init__(self, id: str, folder: Path) -> None:
        self.id, self.folder = id, folder
        self.used = time.monotonic()
        self.view: Any = None
        self.listeners: set[asyncio.Queue[dict[str, Any]]] = set()
        self.decoded: Decoded | None = None
        self._lock = threading.RLock()
        self._sounds: collections.OrderedDict[str, Sound] = collections.OrderedDict()
        self._paths: collections.OrderedDict[str, LatentPath] = collections.OrderedDict()
        self._closed = False

    def new_folder(self) -> Path:
        """An empty folder for a sound; its name is that of the sound."""
        folder = self.folder / f"s{secrets.token_hex(8)}"
        folder.mkdir(parents=True)
        return folder

    def add(self, sound: Sound) -> Sound:
        """Keep a sound; the longest unused ones go where there is no room.

        Raises:
            Refused: the sound alone is too large, or the window is gone.
        """
        with self._lock:
            if self._closed or sound.audio.nbytes > SESSION_BYTES:
                shutil.rmtree(sound.folder, ignore_errors=True)
                raise Refused(413, "the sound is too long to be kept; make a shorter one")
            self._sounds[sound.id] = sound
            while sum(s.audio.nbytes for s in self._sounds.values()) > SESSION_BYTES or len(self._sounds) > SOUNDS:
                _, old = self._sounds.popitem(last=False)
                shutil.rmtree(old.folder, ignore_errors=True)
        return sound

    def sound(self, id: str) -> Sound:
        """A sound of this window.

        Raises:
            Refused: 404.
        """
        with self._lock:
            if id not in self._sounds:
                raise Refused(404, "there is no such sound in this window; make or upload it again", "sound")
            self._sounds.move_to_end(id)
            return self._sounds[id]

    def sounds(self) -> list[Sound]:
        """All of them."""
        with self._lock:
            return list(self._sounds.values())

    def remove(self, id: str) -> None:
        """Forget a sound."""
        sound = self.sound(id)
        with self._lock:
            self._sounds.pop(id, None)
        shutil.rmtree(sound.folder, ignore_errors=True)

    def add_path(self, path: LatentPath) -> str:
        """Keep a path; the longest unused ones go where there is no room."""
        id = f"p{secrets.token_hex(8)}"
        with self._lock:
            self._paths[id] = path
            while len(self._paths) > PATHS or sum(p.z.nbytes for p in self._paths.values()) > PATH_BYTES:
                self._paths.popitem(last=False)
        return id

    def path(self, id: str) -> LatentPath:
        """A path of this window.

        Raises:
            Refused: 404.
        """
        with self._lock:
            if id not in self._paths:
                raise Refused(404, "there is no such path in this window; encode the sound again", "path")
            self._paths.move_to_end(id)
            return self._paths[id]

    def paths(self) -> dict[str, LatentPath]:
        """All of them."""
        with self._lock:
            return dict(self._paths)

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._closed = True
            self._sounds.clear()
            self._paths.clear()
        shutil.rmtree(self.folder, ignore_errors=True)


class Sessions:
    """All windows.

    Attributes:
        folder: temporary, for all their files.
        loop: that the sockets live in.
        busy: whether a window has work that must go on, whoever watches it.
        left: told when a window's last socket has closed.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="vqsynth-play-"))
        self.loop: asyncio.AbstractEventLoop | None = None
        self.busy: Callable[[str], bool] = lambda id: False
        self.left: Callable[[str], None] = lambda id: None
        self._sessions: dict[str, Session] = {}

    def open(self) -> tuple[Session, list[str]]:
        """A new window; and the ids of those that were closed because nobody used them, or there were too many."""
        now, closed = time.monotonic(), []
        idle = [session for session in self._sessions.values() if not self.busy(session.id)]
        by_age = sorted(idle, key=lambda session: session.used)
        for number, session in enumerate(by_age):
            too_many = len(by_age) - number >= SESSIONS
            if too_many or (now - session.used > IDLE_SECONDS and not session.listeners):
                self._sessions.pop(session.id).close()
                closed.append(session.id)
        id = secrets.token_urlsafe(16)
        session = self._sessions[id] = Session(id, self.folder / secrets.token_hex(8))
        session.folder.mkdir()
        return session, closed

    def of(self, connection: HTTPConnection) -> Session:
        """The window that asks.

        Raises:
            Refused: 404, it is unknown.
        """
        id = connection.headers.get("x-session") or connection.query_params.get("session") or ""
        session = self._sessions.get(id)
        if session is None:
            raise Refused(404, "this window's session is over; load the page again", "session")
        session.used = time.monotonic()
        return session

    def publish(self, id: str, message: dict[str, Any]) -> None:
        """Send a message to a window's sockets; from any thread."""
        session, loop = self._sessions.get(id), self.loop
        if session is None or loop is None or loop.is_closed():
            return

        def put() -> None:
            for listener in list(session.listeners):
                if listener.qsize() < 1000:  # a page that does not read asks again when it is back
                    listener.put_nowait(message)

        loop.call_soon_threadsafe(put)

    def watched(self, id: str) -> bool:
        """Whether a window is open in a browser."""
        session = self._sessions.get(id)
        return session is not None and bool(session.listeners)

    def announce(self, message: dict[str, Any]) -> None:
        """Send a message to all windows; from any thread."""
        for id in list(self._sessions):
            self.publish(id, message)

    def changed(self, job: Job) -> None:
        """Tell a job's window how it stands."""
        self.publish(job.session, {"job": job.answer})

    def close(self) -> None:
        """Forget everything."""
        for session in self._sessions.values():
            session.close()
        shutil.rmtree(self.folder, ignore_errors=True)
