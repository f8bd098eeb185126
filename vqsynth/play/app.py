"""The application: windows, jobs, their WebSocket, the page's files; the routes of the parts are added to it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from vqsynth.play.answers import Refused, answer
from vqsynth.play.desk import Desk, handled
from vqsynth.play.guard import Gate, Guard
from vqsynth.play.routes import loops, networks, paths, sounds, timbres, training, windows

PAGE = Path(__file__).parent / "page"
UNBUILT = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>vqsynth</title>"
    "<h1>The page is not built</h1><p>The server runs, but this copy of vqsynth has no built page. "
    "Install a release, or build it in <code>web/</code>.</p>"
)


def application(gate: Gate) -> Starlette:
    """The server's application; ``state.desk`` has what its parts share."""
    desk = Desk(gate)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        desk.sessions.loop = asyncio.get_running_loop()
        try:
            yield
        finally:
            desk.close()

    table = [
        *sounds.table(desk),
        *paths.table(desk),
        *timbres.table(desk),
        *networks.table(desk),
        *loops.table(desk),
        *training.table(desk),
        *windows.table(desk),
        WebSocketRoute("/api/events", functools.partial(_events, desk)),
        Route("/api/{rest:path}", handled(_unknown), methods=["GET", "POST", "PUT", "DELETE", "PATCH"]),
        Route("/{file:path}", handled(_page)),
    ]
    app = Starlette(routes=table, lifespan=lifespan)
    app.state.desk = desk
    app.add_middleware(Guard, gate=gate)
    return app


async def _events(desk: Desk, socket: WebSocket) -> None:
    """Everything that moves in a window, until the page goes."""
    try:
        session = desk.sessions.of(socket)
    except Refused:
        await socket.close(4404)
        return
    await socket.accept()
    messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    session.listeners.add(messages)

    async def send() -> None:
        for job in desk.jobs.live(session.id):
            await socket.send_text(_text({"job": job.answer}))
        while True:
            await socket.send_text(_text(await messages.get()))

    sending = asyncio.create_task(send())
    try:
        while True:
            await socket.receive()
    except (WebSocketDisconnect, RuntimeError):
        pass
    finally:
        session.listeners.discard(messages)
        if not session.listeners:
            desk.sessions.left(session.id)
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await sending


def _text(message: dict[str, Any]) -> str:
    return bytes(answer(message).body).decode()


async def _unknown(request: Request) -> Response:
    raise Refused(404, "there is nothing at this address")


async def _page(request: Request) -> Response:
    """A file of the built page; nothing outside of its folder."""
    name = request.path_params["file"] or "index.html"
    root = PAGE.resolve()
    if "\0" in name:
        raise Refused(404, "there is nothing at this address")
    path = (root / name).resolve()
    if path.is_relative_to(root) and path.is_file() and not path.name.startswith("."):
        return FileResponse(path)
    if name == "index.html":
        return HTMLResponse(UNBUILT)
    raise Refused(404, "there is nothing at this address")
