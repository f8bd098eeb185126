"""The continuous model: paths, transfer, feedback."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vqsynth.play.answers import Body, Refused, answer, floats, number, read
from vqsynth.play.desk import Desk, route
from vqsynth.play.work import effects, latent
from vqsynth.wavae.paths.path_file import save as save_path

TYPES = {".csv": "text/csv", ".txt": "text/plain"}


def table(desk: Desk) -> list[Route]:
    """Its routes."""

    def job(kind: str, body: type[Body], function: Callable[..., dict[str, Any]], lane: Any) -> Any:
        async def submit(request: Request) -> Response:
            asked = await read(request, body)
            own = [request.path_params["id"]] if "id" in request.path_params else []

            def work(session: Any, tell: Any) -> dict[str, Any]:
                return function(desk.models, session, *own, asked, tell)

            return await desk.job(request, kind, work, lane, getattr(asked, "latest", None))

        return submit

    def soon(body: type[Body], function: Callable[..., dict[str, Any]]) -> Any:
        async def act(request: Request) -> Response:
            asked, session = await read(request, body), desk.sessions.of(request)
            return answer(await run_sync(function, session, request, asked), 201)

        return act

    def path(request: Request) -> Response:
        id = request.path_params["id"]
        return answer({"path": latent.described(id, desk.sessions.of(request).path(id))})

    def axes(request: Request) -> Response:
        found = desk.sessions.of(request).path(request.path_params["id"])
        count = int(number(request, "count", 16, 1, 4096))
        values = latent.units(found)[:, :count].T
        return floats(values, Axes=len(values), Frames=len(found))

    def controls(request: Request) -> Response:
        found = desk.sessions.of(request).path(request.path_params["id"])
        return floats(found.controls.T, Controls=",".join(found.names), Frames=len(found))

    def file(request: Request) -> Response:
        kind = request.path_params["kind"]
        if kind not in ("npz", "csv", "txt"):
            raise Refused(404, "choose path.npz, path.csv or path.txt")
        found = desk.sessions.of(request).path(request.path_params["id"])
        with tempfile.TemporaryDirectory() as folder:
            save_path(Path(folder) / f"path.{kind}", found)
            content = (Path(folder) / f"path.{kind}").read_bytes()
        return Response(content, media_type=TYPES.get(f".{kind}", "application/octet-stream"))

    edit = soon(latent.Edit, lambda session, request, asked: latent.edit(session, request.path_params["id"], asked))
    mix = soon(latent.Mix, lambda session, request, asked: latent.mix(desk.models, session, asked))
    walk = soon(latent.Random, lambda session, request, asked: latent.random(desk.models, session, asked))
    return [
        route("/paths/encode", job("encode", latent.Encode, latent.encode, "quick"), "POST"),
        route("/paths/random", walk, "POST"),
        route("/paths/mix", mix, "POST"),
        route("/paths/{id}", path),
        route("/paths/{id}/axes", axes),
        route("/paths/{id}/controls", controls),
        route("/paths/{id}/path.{kind}", file),
        route("/paths/{id}/edit", edit, "POST"),
        route("/paths/{id}/decode", job("decode", latent.Decode, latent.decode, "quick"), "POST"),
        route("/transfer", job("transfer", effects.Transfer, effects.carry, "long"), "POST"),
        route("/feedback", job("feedback", effects.Feedback, effects.loop, "long"), "POST"),
    ]
