"""Training."""

from __future__ import annotations

import shutil

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vqsynth.play import sounds
from vqsynth.play.answers import Refused, answer, body_of, label, read
from vqsynth.play.desk import Desk, route
from vqsynth.play.work.training import SET_BYTES, Start, Training


def table(desk: Desk) -> list[Route]:
    """Its routes."""

    sets: dict[str, Training] = {}

    def found(request: Request) -> Training:
        training = sets.get(request.path_params["id"])
        if training is None or training.session != desk.sessions.of(request).id:
            raise Refused(404, "there is no such set of recordings in this window")
        return training

    def close() -> None:
        for training in sets.values():
            training.close()

    def changed(training: Training) -> None:
        desk.sessions.publish(training.session, {"training": training.answer})

    def made(name: str) -> None:
        desk.models.made.add(name)
        desk.models.forget(name)

    async def new(request: Request) -> Response:
        await body_of(request)
        session = desk.sessions.of(request)
        mine = [training for training in sets.values() if training.session == session.id]
        if len(mine) >= 4:
            raise Refused(429, "four sets of recordings are enough for a window")
        training = Training(session.id, session.new_folder(), changed, made)
        sets[training.id] = training
        return answer({"set": {"id": training.id}}, 201)

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
        _only_one()
        training.start(asked)
        return answer({"training": training.answer}, 202)

    async def act(request: Request) -> Response:
        training, what = found(request), request.path_params["what"]
        await body_of(request)
        if what == "stop":
            training.stop()
        elif what in ("resume", "finish"):
            _only_one()
            training.go_on(what == "finish")
        else:
            raise Refused(404, "there is nothing at this address")
        return answer({"training": training.answer})

    def _only_one() -> None:
        if any(training.state == "running" for training in sets.values()):
            raise Refused(429, "a training is running; stop it, or wait for its end")

    def state(request: Request) -> Response:
        return answer({"training": found(request).answer})

    def preview(request: Request) -> Response:
        return Response(found(request).preview(request.path_params["number"]).read_bytes(), media_type="audio/wav")

    desk.closing.append(close)
    return [
        route("/training", new, "POST"),
        route("/training/{id}", state),
        route("/training/{id}/files", add, "POST"),
        route("/training/{id}/check", check, "POST"),
        route("/training/{id}/start", start, "POST"),
        route("/training/{id}/previews/{number:int}.wav", preview),
        route("/training/{id}/{what}", act, "POST"),
    ]
