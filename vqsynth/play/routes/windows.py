"""Windows: who may come in, jobs, the session file."""

from __future__ import annotations

import json
from typing import Any

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vqsynth.play.answers import CURVE_POINTS, Body, Refused, answer, body_of, parse, read
from vqsynth.play.desk import Desk, route
from vqsynth.play.guard import COOKIE
from vqsynth.play.jobs import QUEUE
from vqsynth.play.sessions import SESSION_BYTES
from vqsynth.play.sounds import UPLOAD_BYTES, UPLOAD_SECONDS
from vqsynth.play.work import saved
from vqsynth.play.work.timbres import RENDER_SECONDS
from vqsynth.version import __version__


class Token(Body):
    """The token that the server printed."""

    token: str


def table(desk: Desk) -> list[Route]:
    """Its routes."""

    async def hello(request: Request) -> Response:
        limits = {
            "upload_bytes": UPLOAD_BYTES,
            "upload_seconds": UPLOAD_SECONDS,
            "render_seconds": RENDER_SECONDS,
            "curve_points": CURVE_POINTS,
            "queue": QUEUE,
            "session_bytes": SESSION_BYTES,
        }
        return answer({"version": __version__, "token": not desk.gate.lets_in(request.headers), "limits": limits})

    async def token(request: Request) -> Response:
        cookie = desk.gate.spend((await read(request, Token)).token)
        response = Response(status_code=204)
        response.set_cookie(COOKIE, cookie, httponly=True, samesite="strict")
        return response

    async def session(request: Request) -> Response:
        await body_of(request)
        made, closed = desk.sessions.open()
        for id in closed:
            desk.jobs.forget(id)
        return answer({"session": made.id}, 201)

    async def job(request: Request) -> Response:
        found = desk.jobs.get(desk.sessions.of(request).id, request.path_params["id"])
        if request.method == "DELETE":
            desk.jobs.cancel(found)
        return answer({"job": found.answer})

    return [
        *_saved(desk),
        route("/hello", hello),
        route("/token", token, "POST"),
        route("/session", session, "POST"),
        route("/jobs/{id}", job, "GET", "DELETE"),
    ]


def _saved(desk: Desk) -> list[Route]:
    def save(request: Request) -> Response:
        content = saved.save(desk.sessions.of(request), request.query_params.get("audio") == "1")
        headers = {"content-disposition": 'attachment; filename="session.vqsynth.json"'}
        return Response(content, headers=headers, media_type="application/json")

    async def restore(request: Request) -> Response:
        session = desk.sessions.of(request)
        content = await body_of(request, saved.FILE_BYTES)

        def act() -> dict[str, Any]:
            return saved.restore(desk.models, session, parse(content, saved.Saved))

        return answer(await run_sync(act))

    async def view(request: Request) -> Response:
        session = desk.sessions.of(request)
        try:
            session.view = json.loads(await body_of(request, saved.VIEW_BYTES))
        except (ValueError, RecursionError):
            raise Refused(400, "the view must be JSON") from None
        return Response(status_code=204)

    return [
        route("/session/file", save),
        route("/session/file", restore, "POST"),
        route("/session/view", view, "PUT"),
    ]
