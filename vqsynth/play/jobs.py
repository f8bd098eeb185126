"""Long work off the event loop: two lanes, a bounded queue, progress, cancelling."""

from __future__ import annotations

import dataclasses
import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from vqsynth.errors import collect_warnings
from vqsynth.play.answers import Refused, clean, described, plain

QUEUE = 16
"""Jobs of all windows that wait."""
KEPT = 200
"""Finished jobs that can still be asked for."""
_TOLD_SECONDS = 0.05
Lane = Literal["quick", "long"]
Tell = Callable[[str, float], None]
"""Told what is done and the share of it; raises where the job was cancelled."""
logger = logging.getLogger("vqsynth.play")


class Cancelled(Exception):
    """The job is not wanted any more."""


@dataclasses.dataclass(eq=False)
class Job:
    """A piece of work.

    Attributes:
        session: whose it is.
        latest: jobs of one such name replace each other.
        finished: set at the end, however it came.
    """

    id: str
    kind: str
    session: str
    work: Callable[[Tell], dict[str, Any]]
    latest: str | None
    state: str = "queued"
    task: str = ""
    share: float = 0.0
    result: dict[str, Any] | None = None
    error: dict[str, str] | None = None
    warnings: list[str] = dataclasses.field(default_factory=list)
    finished: threading.Event = dataclasses.field(default_factory=threading.Event)
    unwanted: bool = False
    told: float = 0.0

    @property
    def answer(self) -> dict[str, Any]:
        """The job as JSON."""
        found = {"id": self.id, "kind": self.kind, "state": self.state, "task": self.task, "share": self.share}
        if self.result is not None:
            found["result"] = self.result
        if self.error is not None:
            found["error"] = self.error
        return clean({**found, "warnings": self.warnings})


class Jobs:
    """Queue and workers.

    Args:
        changed: called in a worker's thread with every job that has moved.
    """

    def __init__(self, changed: Callable[[Job], None]) -> None:
        self.changed = changed
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._waiting = 0
        self._lanes: dict[str, queue.SimpleQueue[Job | None]] = {
            lane: queue.SimpleQueue() for lane in ("quick", "long")
        }
        self._threads = [
            threading.Thread(target=self._run, args=(lane,), name=f"vqsynth-{name}", daemon=True)
            for name, lane in self._lanes.items()
        ]
        for thread in self._threads:
            thread.start()

    def submit(
        self,
        session: str,
        kind: str,
        work: Callable[[Tell], dict[str, Any]],
        lane: Lane = "quick",
        latest: str | None = None,
    ) -> Job:
        """Queue work, whose value becomes the job's result.

        Raises:
            Refused: 429, too much is waiting.
        """
        with self._lock:
            if latest is not None:
                for job in self._jobs.values():
                    if (job.session, job.latest) == (session, latest) and not job.finished.is_set():
                        self._unwant(job)
            if self._waiting >= QUEUE:
                raise Refused(429, f"{QUEUE} jobs are waiting already; wait for one of them, or cancel some")
            job = Job(secrets.token_urlsafe(12), kind, session, work, latest)
            self._jobs[job.id] = job
            self._waiting += 1
            for old in [job for job in self._jobs.values() if job.finished.is_set()][:-KEPT]:
                del self._jobs[old.id]
        self._lanes[lane].put(job)
        return job

    def get(self, session: str, id: str) -> Job:
        """A job of a session.

        Raises:
            Refused: 404.
        """
        job = self._jobs.get(id)
        if job is None or job.session != session:
            raise Refused(404, "there is no such job in this window")
        return job

    def live(self, session: str) -> list[Job]:
        """Unfinished jobs of a session."""
        with self._lock:
            return [job for job in self._jobs.values() if job.session == session and not job.finished.is_set()]

    def cancel(self, job: Job) -> None:
        """A waiting job ends at once, a running one at its next step."""
        with self._lock:
            self._unwant(job)

    def forget(self, session: str) -> None:
        """Cancel everything of a session, and drop what is finished."""
        with self._lock:
            for job in [job for job in self._jobs.values() if job.session == session]:
                self._unwant(job)
                if job.finished.is_set():
                    del self._jobs[job.id]

    def close(self) -> None:
        """Cancel everything and end the workers."""
        with self._lock:
            for job in self._jobs.values():
                self._unwant(job)
        for lane in self._lanes.values():
            lane.put(None)

    def _unwant(self, job: Job) -> None:
        job.unwanted = True
        if job.state == "queued":
            job.state = "cancelled"
            self._waiting -= 1
            job.finished.set()
            self.changed(job)

    def _run(self, lane: queue.SimpleQueue[Job | None]) -> None:
        while (job := lane.get()) is not None:
            with self._lock:
                if job.state != "queued":
                    continue
                job.state, self._waiting = "running", self._waiting - 1
            self.changed(job)
            self._do(job)

    def _do(self, job: Job) -> None:
        def tell(task: str, share: float) -> None:
            if job.unwanted:
                raise Cancelled
            job.task, job.share = plain(task), min(1.0, max(0.0, share))
            if time.monotonic() - job.told > _TOLD_SECONDS:
                job.told = time.monotonic()
                self.changed(job)

        state = "failed"
        with collect_warnings(log=False) as warnings:
            try:
                job.result = job.work(tell)
                job.share, state = 1.0, "done"
            except Cancelled:
                state = "cancelled"
            except Exception as error:
                status, job.error = described(error)
                if status >= 500:
                    logger.exception("a job failed")
        job.warnings, job.state = list(dict.fromkeys(warnings)), state
        # What the work holds (sounds, paths) is not needed any more.
        job.work = lambda tell: {}
        job.finished.set()
        self.changed(job)
