"""What all parts of the server share, and how a handler becomes a route."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vqsynth.play.answers import answer, described, number
from vqsynth.play.guard import Gate
from vqsynth.play.jobs import Job, Jobs, Lane, Tell, logger
from vqsynth.play.models import Models
from vqsynth.play.sessions import Session, Sessions

LONGEST_WAIT = 30.0
Handler = Callable[[Request], Awaitable[Response]]


class Desk:
    """What all parts share.

    Args:
        gate: who is let in.
    """

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.sessions = Sessions()
        self.models = Models()
        self.jobs = Jobs(self.sessions.changed)
        self.closing: list[Callable[[], None]] = []

    async def job(
        self,
        request: Request,
        kind: str,
        work: Callable[[Session, Tell], dict[str, Any]],
        lane: Lane = "quick",
        latest: str | None = None,
    ) -> Response:
        """Queue work of a window; with ``?wait=`` the answer may already have its result."""
        session, wait = self.sessions.of(request), number(request, "wait", 0.0, 0.0, LONGEST_WAIT)
        job = self.jobs.submit(session.id, kind, functools.partial(work, session), lane, latest)
        if wait:
            await self._finished(job, wait)
        return answer({"job": job.answer}, 200 if job.finished.is_set() else 202)

    async def _finished(self, job: Job, seconds: float) -> None:
        """Wait without holding a thread for it."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not job.finished.is_set() and loop.time() < end:
            await asyncio.sleep(0.004)

    def close(self) -> None:
        """End all work, forget all windows."""
        for close in self.closing:
            close()
        self.jobs.close()
        self.sessions.close()


def handled(handler: Callable[[Request], Any]) -> Handler:
    """A handler whose exceptions become answers; a plain function runs in a thread."""

    @functools.wraps(handler)
    async def safe(request: Request) -> Response:
        try:
            if inspect.iscoroutinefunction(handler):
                return await handler(request)
            return await anyio.to_thread.run_sync(handler, request)
        except Exception as error:
            status, text = described(error)
            if status >= 500:
                logger.exception("a request failed")
            return Response(
                answer(text).body,
                status,
                {"retry-after": "1"} if status == 429 else None,
                media_type="application/json",
            )

    return safe


def route(path: str, handler: Callable[[Request], Any], *methods: str) -> Route:
    """A route of the API."""
    return Route(f"/api{path}", handled(handler), methods=methods or ("GET",))
