"""Models, and what the discrete one does: map, histogram, hearing, renders."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vqsynth.control.targets import library
from vqsynth.play.answers import answer, floats, number, read
from vqsynth.play.desk import Desk, route
from vqsynth.play.work import maps, timbres


def _text(request: Request, name: str, default: str) -> str:
    return request.query_params.get(name, default)[:80]


def table(desk: Desk) -> list[Route]:
    """Its routes."""

    def listed(request: Request) -> Response:
        return answer(desk.models.list())

    def timbre(request: Request) -> Response:
        return answer(desk.models.whole_timbre(request.path_params["name"]))

    def domain(request: Request) -> Response:
        return answer(desk.models.whole_domain(request.path_params["name"]))

    async def render(request: Request) -> Response:
        asked, name = await read(request, timbres.Render), request.path_params["name"]

        def work(session: Any, tell: Any) -> dict[str, Any]:
            return timbres.render(desk.models, session, name, asked, tell)

        return await desk.job(request, "render", work, "long", asked.latest)

    async def hear(request: Request) -> Response:
        asked, name = await read(request, timbres.Hear), request.path_params["name"]

        def work(session: Any, tell: Any) -> dict[str, Any]:
            return timbres.hear(desk.models, session, name, asked, tell)

        return await desk.job(request, "hear", work, "quick", asked.latest)

    def points(request: Request) -> Response:
        timbre = desk.models.timbre(request.path_params["name"])
        values, names = maps.map_of(
            timbre,
            _text(request, "kind", "codes"),
            _text(request, "layout", "pca"),
            _text(request, "x", "centroid"),
            _text(request, "y", "f0"),
            int(number(request, "most", maps.POINTS, 1, maps.POINTS)),
        )
        return floats(values, Points=len(values), Column_Names=",".join(names))

    def histogram(request: Request) -> Response:
        timbre = desk.models.timbre(request.path_params["name"])
        bins = int(number(request, "bins", 60, 2, 1000))
        return answer(maps.histogram(timbre, _text(request, "descriptor", "centroid"), bins))

    def targets(request: Request) -> Response:
        return answer({"targets": [{"name": name} for name in library.available()]})

    return [
        route("/models", listed),
        route("/models/timbres/{name}", timbre),
        route("/models/wavae/{name}", domain),
        route("/timbres/{name}/render", render, "POST"),
        route("/timbres/{name}/hear", hear, "POST"),
        route("/timbres/{name}/map", points),
        route("/timbres/{name}/histogram", histogram),
        route("/targets", targets),
    ]
