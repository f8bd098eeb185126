"""What goes out and what comes in: errors in one sentence, bodies that are bounded and checked."""

from __future__ import annotations

import json
import math
import re
import tempfile
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from vqsynth.errors import UsageError, VqsynthError

JSON_BYTES = 4 << 20
"""Of a request's body, but for uploads and session files."""
CURVE_POINTS = 20_000
_FOLDERS = re.compile(r"(?<![\w.:/])/(?:[^\s/:;,'\"()]+/)+")
Model = TypeVar("Model", bound="Body")


class Refused(Exception):
    """A request that is answered with an error.

    Args:
        status: of the answer.
        message: one sentence that says what to do.
        field: the key that is wrong.
        value: what was given for it.
    """

    def __init__(self, status: int, message: str, field: str | None = None, value: object = None) -> None:
        super().__init__(message)
        self.status = status
        self.answer = {"error": plain(message)}
        if field is not None:
            self.answer["field"] = field
        if value is not None:
            self.answer["value"] = plain(str(value))[:200]


class Body(BaseModel):
    """Base of all bodies: exact types, nothing unknown, no NaN."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


def plain(text: str) -> str:
    """A text without the folders of this machine: of every path its name is left."""
    for folder in {tempfile.gettempdir(), str(Path.home()), str(Path.cwd())}:
        if len(folder) > 1:
            text = re.sub(re.escape(folder) + r"/(?:[^\s:;,'\"()]+/)*", "", text)
    return _FOLDERS.sub("", text)


def clean(value: Any) -> Any:
    """A value as JSON takes it: no NaN, no paths of this machine in its texts."""
    if isinstance(value, dict):
        return {str(key): clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(item) for item in value]
    if isinstance(value, (str, Path)):
        return plain(str(value))
    if hasattr(value, "tolist"):
        return clean(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def answer(value: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(json.dumps(clean(value), allow_nan=False), status, media_type="application/json")


def described(error: Exception) -> tuple[int, dict[str, str]]:
    """Status and JSON of an exception: what went wrong, never where in this machine."""
    if isinstance(error, Refused):
        return error.status, error.answer
    if isinstance(error, VqsynthError):
        refused = Refused(400 if isinstance(error, UsageError) else 422, error.message, error.field, error.value)
        return refused.status, refused.answer
    if isinstance(error, MemoryError):
        return 503, {"error": "out of memory; ask for less at a time"}
    return 500, {"error": f"unexpected {type(error).__name__}; the terminal that vqsynth play runs in says more"}


def floats(values: np.ndarray, **headers: object) -> Response:
    """An answer of numbers in single precision, little end first; with ``X-`` headers."""
    own = {f"X-{name.replace('_', '-')}": str(value) for name, value in headers.items()}
    return Response(np.ascontiguousarray(values, "<f4").tobytes(), headers=own, media_type="application/octet-stream")


async def body_of(request: Request, most: int = JSON_BYTES) -> bytes:
    """The whole body.

    Raises:
        Refused: it is larger than ``most`` bytes, in truth or by its header.
    """
    too_large = Refused(413, f"a request may have {most // 1024:,} kB; send fewer points at a time")
    if length_of(request) > most:
        raise too_large
    parts, total = [], 0
    async for part in request.stream():
        total += len(part)
        if total > most:
            raise too_large
        parts.append(part)
    return b"".join(parts)


async def read(request: Request, kind: type[Model], most: int = JSON_BYTES) -> Model:
    """The body, checked; an empty one stands for ``{}``.

    Raises:
        Refused: too large, no JSON, or not as it must be; names the first wrong key.
    """
    return parse(await body_of(request, most) or b"{}", kind)


def parse(text: bytes, kind: type[Model]) -> Model:
    """JSON, checked.

    Raises:
        Refused: no JSON, or not as it must be; names the first wrong key.
    """
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        given = first.get("input")
        value = given if isinstance(given, (str, int, float)) else None
        raise Refused(
            400, f"{first['msg'].removesuffix('.')}; check {where or 'the request'}", where or None, value
        ) from None


def number(request: Request, name: str, default: float, low: float, high: float) -> float:
    """A number of the query.

    Raises:
        Refused: it is none, or out of its bounds.
    """
    text = request.query_params.get(name)
    try:
        value = default if text is None else float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise Refused(400, f"give a number from {low:g} to {high:g}", name, text)
    return value


def label(text: str | None, default: str) -> str:
    """A name as it may be shown: one short line without folders."""
    name = re.split(r"[/\\]", text or "")[-1]
    name = "".join(letter for letter in name if letter.isprintable()).strip()[:80]
    return name or default


def length_of(request: Request) -> int:
    """Bytes of the body by its header, 0 where it does not say."""
    try:
        return int(request.headers.get("content-length", "0"))
    except ValueError:
        return 0
