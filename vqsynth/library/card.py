"""The card of a model folder: read without trust, checked before anything in it is used.

It carries a checksum of its own content (``card_sha256``), so that a flipped bit in a sample rate is an error and not
another sound. Comments and layout do not count; a card without the line is taken as it is: older folders have none.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from vqsynth.errors import VqsynthError
from vqsynth.storage.atomic import write_text
from vqsynth.storage.reading import read_toml

CHECKSUM = "card_sha256"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Characters that a terminal obeys; tabulators and new lines are none of them."""

Level = Annotated[float, Field(ge=-200, le=100, allow_inf_nan=False)]
Hertz = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="allow")


class _Header(_Section):
    """What every card begins with; its section has the name of the card's kind."""

    name: str = Field(min_length=1, max_length=200)
    description: str = Field("", max_length=10_000)
    loudness_version: int | None = None


class _Training(_Section):
    audio_seconds: FiniteFloat = 0.0
    held_out: list[str] = []
    level_lufs: Level | None = None
    pitch_hz: Annotated[list[Hertz], Field(min_length=2, max_length=2)] | None = None


class _Quality(_Section):
    roughness_real: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    log_mel_distance_db: FiniteFloat | None = None


class _Card(_Section):
    model: dict[str, Any] = {}
    training: _Training = _Training()
    quality: _Quality = _Quality()
    source: list[dict[str, Any]] = []
    files: dict[str, Annotated[str, Field(pattern="^[0-9a-f]{64}$")]] = {}


def checksum(card: Mapping[str, Any]) -> str:
    """SHA-256 of a card's content, without its own checksum, whatever the order of its keys."""
    content = {key: value for key, value in card.items() if key != CHECKSUM}
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def read_card(path: Path, header: str, version: int, kind: str) -> dict[str, Any]:
    """Read and check a card.

    Args:
        path: of the card.
        header: name of its first section.
        version: the format version that this code reads.
        kind: what the folder holds, for messages.

    Returns:
        The sections, without the checksum.

    Raises:
        VqsynthError: not TOML, of a foreign version, changed, or with sections that are not what they should be.
    """
    card = read_toml(path, "a card")
    first = card.get(header)
    found = first.get("format_version") if isinstance(first, dict) else None
    if found != version or isinstance(found, bool):
        shown = repr(found[:20]) if isinstance(found, str) else str(found)[:20]
        raise VqsynthError(
            f"{path}: format version {shown}, but this vqsynth reads version {version}; "
            f"use the vqsynth that made it, or train the {kind} again"
        )
    if card.get(CHECKSUM, checksum(card)) != checksum(card):
        raise VqsynthError(
            f"{path}: damaged or changed, its content is not that of its {CHECKSUM}; "
            f"restore it, or take that line out if you changed it yourself"
        )
    card.pop(CHECKSUM, None)
    try:
        _Header.model_validate(first)
        _Card.model_validate(card)
    except ValidationError as error:
        raise VqsynthError(f"{path}: {sentence(error)}; restore the file") from error
    odd = [key for key, value in card.items() if not isinstance(value, (dict, list))]
    if odd:
        raise VqsynthError(f"{path}: its entry {odd[0][:40]!r} is no section; restore the file")
    if any(_CONTROL.search(text) for text in _texts(card)):
        raise VqsynthError(f"{path}: holds control characters; restore the file")
    for name in card.get("files", {}):
        if not _plain(name):
            raise VqsynthError(f"{path}: {name!r} in [files] is no file of this folder; restore the file")
    return card


def write_card(path: Path, card: Mapping[str, Any]) -> None:
    """Write a card with its checksum, whole or not at all."""
    import tomli_w

    content = {key: value for key, value in card.items() if key != CHECKSUM}
    write_text(path, tomli_w.dumps({CHECKSUM: checksum(content), **content}))


def sentence(error: ValidationError) -> str:
    """What pydantic found first, in one line."""
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"])) or "its content"
    return f"{where}: {first['msg']}".replace("\n", " ")


def _plain(name: str) -> bool:
    """Whether a name stays within its folder on every system."""
    parts = PurePosixPath(name).parts
    return bool(parts) and "\\" not in name and ":" not in name and not {"..", "/"} & {*parts, name[:1]}


def _texts(value: Any) -> Iterator[str]:
    """All keys and texts in a card."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield key
            yield from _texts(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry)
    elif isinstance(value, str):
        yield value
