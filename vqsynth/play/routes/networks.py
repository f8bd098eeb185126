"""What the page needs to play a timbre by itself: its network, and the runtime of networks."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from vqsynth.errors import VqsynthError
from vqsynth.export.page.page import BUILT
from vqsynth.play.answers import body_of
from vqsynth.play.desk import Desk, route
from vqsynth.play.work.networks import Networks

RUNTIME = BUILT / "runtime.wasm.gz"


def table(desk: Desk) -> list[Route]:
    """Its routes."""
    networks = Networks(desk.sessions.folder / "networks")

    async def export(request: Request) -> Response:
        await body_of(request)
        name = request.path_params["name"]
        return await desk.job(request, "export", lambda session, tell: networks.export(name, tell), "long", "network")

    def network(request: Request) -> Response:
        desk.sessions.of(request)
        return FileResponse(networks.file(request.path_params["key"]), media_type="application/octet-stream")

    def runtime(request: Request) -> Response:
        if not RUNTIME.is_file():
            raise VqsynthError("the runtime of networks is missing; install vqsynth anew")
        headers = {"content-encoding": "gzip"}
        return FileResponse(RUNTIME, headers=headers, media_type="application/wasm")

    return [
        route("/timbres/{name}/network", export, "POST"),
        route("/networks/{key}.onnx", network),
        route("/runtime.wasm", runtime),
    ]
