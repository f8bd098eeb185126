"""Sounds: uploads, examples, pictures, files, recipes."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Mapping
from typing import Any

import numpy as np
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vqsynth.play import sounds
from vqsynth.play.answers import Refused, answer, body_of, floats, label, number
from vqsynth.play.desk import Desk, route
from vqsynth.play.sessions import Sound
from vqsynth.play.work import timbres

TYPES = {".wav": "audio/wav", ".flac": "audio/flac"}
EXAMPLES: Mapping[str, tuple[str, str, dict[str, Any]]] = {
    "violin-arch": ("violin", "A violin that brightens and darkens again", {"centroid": {"shape": "arch"}}),
    "trumpet-glide": (
        "trumpet",
        "A trumpet that climbs",
        {"f0": {"points": [[0, 261.6], [1, 261.6], [3, 392.0], [4, 392.0]]}},
    ),
    "cello-note": ("cello", "A cello on a low A", {"f0": {"note": "A2"}}),
    "flute-steps": ("flute", "A flute on four notes", {"f0": {"shape": "steps", "periods": 4, "range": "A4:A5"}}),
    "voice": ("singing_female", "A voice that holds a note", {"f0": {"note": "A4"}}),
}
"""Sounds to begin with: a timbre, what is heard, targets; made when they are first asked for."""


def table(desk: Desk) -> list[Route]:
    """Its routes."""

    def sound(request: Request) -> Sound:
        return desk.sessions.of(request).sound(request.path_params["id"])

    async def upload(request: Request) -> Response:
        session = desk.sessions.of(request)
        folder = session.new_folder()
        file, name = folder / "upload.bin", label(request.query_params.get("name"), "sound")
        try:
            await sounds.receive(request, file)
            made = await run_sync(sounds.take, session, folder, file, name, "upload")
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        file.unlink(missing_ok=True)
        return answer({"sound": made.answer}, 201)

    def listed(request: Request) -> Response:
        return answer({"sounds": [item.answer for item in desk.sessions.of(request).sounds()]})

    def remove(request: Request) -> Response:
        desk.sessions.of(request).remove(request.path_params["id"])
        return Response(status_code=204)

    def audio(request: Request) -> Response:
        suffix = f".{request.path_params['kind']}"
        if suffix not in (".wav", ".flac"):
            raise Refused(404, "choose audio.wav or audio.flac")
        content = sounds.as_file(sound(request), suffix, request.query_params.get("bits"))
        return Response(content, media_type=TYPES[suffix])

    def samples(request: Request) -> Response:
        return floats(sound(request).audio, Sample_Rate=sound(request).rate)

    def peaks(request: Request) -> Response:
        part = _part(sound(request), request)
        return floats(sounds.peaks(part, int(number(request, "columns", 1000, 1, sounds.COLUMNS))))

    def mel(request: Request) -> Response:
        top = number(request, "top", 0, -300, 300) if "top" in request.query_params else None
        start, end = number(request, "start", 0, 0, 1e6), number(request, "end", 1e6, 0, 1e6)
        steps, facts = sounds.mel(sound(request), start, end, top)
        if request.url.path.endswith(".png"):
            return Response(sounds.png(steps), headers=facts, media_type="image/png")
        return Response(steps.tobytes(), headers=facts, media_type="application/octet-stream")

    def curves(request: Request) -> Response:
        found = sound(request).curves
        if found is None:
            raise Refused(404, "this sound has no curves")
        if request.url.path.endswith(".csv"):
            return Response(sounds.curves_csv(found), media_type="text/csv")
        return answer(found)

    def measured(request: Request) -> Response:
        name = request.query_params.get("descriptor", "f0")[:20]
        return answer(sounds.measured(sound(request), name, int(number(request, "points", 201, 2, 2000))))

    def recipe(request: Request) -> Response:
        return answer(sounds.recipe(sound(request)))

    def bundle(request: Request) -> Response:
        return Response(sounds.bundle(sound(request)), media_type="application/zip")

    def examples(request: Request) -> Response:
        known = desk.models.list()["timbres"]
        licences = {timbre["name"]: ", ".join(timbre["licences"]) for timbre in known}
        rows = [
            {"id": id, "name": timbre, "description": text, "seconds": 4.0, "licence": licences[timbre]}
            for id, (timbre, text, _) in EXAMPLES.items()
            if timbre in licences
        ]
        return answer({"examples": rows})

    async def example(request: Request) -> Response:
        await body_of(request)
        found = EXAMPLES.get(request.path_params["id"])
        if found is None:
            raise Refused(404, "there is no such example")
        timbre, text, targets = found
        asked = timbres.Render.model_validate({"targets": targets, "duration": 4.0, "name": text})
        work = functools.partial(_render, desk, timbre, asked)
        return await desk.job(request, "example", work, "long")

    return [
        route("/sounds", upload, "POST"),
        route("/sounds", listed),
        route("/sounds/{id}", remove, "DELETE"),
        route("/sounds/{id}/audio.{kind}", audio),
        route("/sounds/{id}/samples", samples),
        route("/sounds/{id}/peaks", peaks),
        route("/sounds/{id}/mel", mel),
        route("/sounds/{id}/mel.png", mel),
        route("/sounds/{id}/curves", curves),
        route("/sounds/{id}/curves.csv", curves),
        route("/sounds/{id}/measured", measured),
        route("/sounds/{id}/recipe", recipe),
        route("/sounds/{id}/bundle.zip", bundle),
        route("/examples", examples),
        route("/examples/{id}", example, "POST"),
    ]


def _part(sound: Sound, request: Request) -> np.ndarray:
    return sounds.part(sound, number(request, "start", 0, 0, 1e6), number(request, "end", 1e6, 0, 1e6))


def _render(desk: Desk, name: str, asked: timbres.Render, session: Any, tell: Any) -> dict[str, Any]:
    return timbres.render(desk.models, session, name, asked, tell)
