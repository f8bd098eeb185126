"""Training."""

from __future__ import annotations

import shutil
from typing import Literal

from anyio.to_thread import run_sync
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vqsynth.play import sounds
from vqsynth.play.answers import Body, Refused, answer, body_of, label, read
from vqsynth.play.desk import Desk, route
from vqsynth.play.work.sets import Sets
from vqsynth.play.work.training import SET_BYTES, Start, Training


class Open(Body):
    """An unfinished training."""

    model: Literal["wavae", "timbre"]
    name: str = Field(max_length=40)


def table(desk: Desk) -> list[Route]:
    """Its routes."""

    def changed(training: Training) -> None:
        desk.sessions.publish(training.session, {"training": training.answer})

    def made(name: str) -> None:
        desk.models.made.add(name)
        desk.models.forget(name)
        desk.sessions.announce({"models": name})

    sets = Sets(desk.sessions.folder / "training", desk.sessions.watched, changed, made)

    def left(session: str) -> None:
        if sets.leaves(session):
            desk.sessions.announce({"unfinished": True})

    desk.sessions.busy, desk.sessions.left = sets.runs_in, left
    desk.closing.append(sets.close)

    def found(request: Request) -> Training:
        return sets.get(desk.sessions.of(request).id, request.path_params["id"])

    async def new(request: Request) -> Response:
        await body_of(request)
        training = sets.new(desk.sessions.of(request).id)
        return answer({"set": {"id": training.id}}, 201)

    def listed(request: Request) -> Response:
        return answer(sets.listed(desk.sessions.of(request).id))

    async def take_over(request: Request) -> Response:
        asked, session = await read(request, Open), desk.sessions.of(request)
        training = await run_sync(sets.take_over, session.id, asked.model, asked.name)
        return answer({"training": training.answer})

    async def add(request: Request) -> Response:
        training = found(request)
        file = desk.sessions.of(request).new_folder() / "upload.bin"
        try:
            size = await sounds.receive(request, file, min(SET_BYTES, 4 * sounds.UPLOAD_BYTES))
            name = label(request.query_params.get("name"), "recording")
            return answer({"files": await run_sync(training.add, file, name, size)}, 201)
        finally:
            shutil.rmtree(file.parent, ignore_errors=True)

    async def check(request: Request) -> Response:
        training = found(request)
        await body_of(request)
        return await desk.job(request, "check", lambda session, tell: training.check(tell), "long")

    async def start(request: Request) -> Response:
        asked, training = await read(request, Start), found(request)
        sets.only_one()
        training.start(asked)
        return answer({"training": training.answer}, 202)

    async def act(request: Request) -> Response:
        training, what = found(request), request.path_params["what"]
        await body_of(request)
        if what == "stop":
            training.stop()
        elif what in ("resume", "finish"):
            sets.only_one()
            training.go_on(what == "finish")
        else:
            raise Refused(404, "there is nothing at this address")
        return answer({"training": training.answer})

    def state(request: Request) -> Response:
        return answer({"training": found(request).answer})

    def preview(request: Request) -> Response:
        part = request.query_params.get("part", "")[:20]
        return Response(found(request).heard(request.path_params["number"], part), media_type="audio/wav")

    def picture(request: Request) -> Response:
        path = found(request).preview(request.path_params["number"], ".png")
        return Response(path.read_bytes(), media_type="image/png")

    return [
        route("/training", new, "POST"),
        route("/training", listed),
        route("/training/open", take_over, "POST"),
        route("/training/{id}", state),
        route("/training/{id}/files", add, "POST"),
        route("/training/{id}/check", check, "POST"),
        route("/training/{id}/start", start, "POST"),
        route("/training/{id}/previews/{number:int}.wav", preview),
        route("/training/{id}/previews/{number:int}.png", picture),
        route("/training/{id}/{what}", act, "POST"),
    ]
