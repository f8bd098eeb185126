"""A window's work as one JSON file, and back: data alone, checked before anything is taken over."""

from __future__ import annotations

import base64
import binascii
import json
import shutil
from typing import Any, Literal

import numpy as np
from pydantic import Field

from vqsynth.dsp import loudness
from vqsynth.errors import VqsynthError
from vqsynth.play.answers import Body, Refused, clean, label
from vqsynth.play.models import Models
from vqsynth.play.sessions import PATHS, SOUNDS, Session
from vqsynth.play.sounds import RATE, UPLOAD_BYTES, as_file, decoded, store
from vqsynth.play.work.latent import described
from vqsynth.wavae.paths.latent_path import LatentPath

VIEW_BYTES, FILE_BYTES = 256 << 10, 64 << 20
MOST_VALUES = 16_000_000


class SavedSound(Body):
    """A sound: its name, and what it holds as FLAC in base 64."""

    id: str = Field(max_length=40)
    name: str = Field(max_length=80)
    licence: str | None = Field(default=None, max_length=200)
    flac: str


class SavedPath(Body):
    """A path: single precision numbers in base 64, little end first."""

    id: str = Field(max_length=40)
    model: str = Field(max_length=80)
    frames: int = Field(ge=1, le=1_000_000)
    samples: int = Field(ge=1, le=100_000_000)
    z: str
    controls: str
    operations: list[str] = Field(default=[], max_length=1000)


class Saved(Body):
    """The file."""

    vqsynth_session: Literal[1]
    sounds: list[SavedSound] = Field(default=[], max_length=SOUNDS)
    paths: list[SavedPath] = Field(default=[], max_length=PATHS)
    renders: list[dict[str, Any]] = Field(default=[], max_length=1000)
    view: Any = None


def save(session: Session, audio: bool) -> bytes:
    """The file of a window; with ``audio`` the uploads are in it.

    Where the view has ``keep``, a table of the ``paths`` and ``sounds`` that it names, nothing else is.
    """
    keep = session.view.get("keep") if isinstance(session.view, dict) else None

    def wanted(kind: str, id: str) -> bool:
        return not isinstance(keep, dict) or id in (keep.get(kind) or ())

    sounds = [sound for sound in session.sounds() if wanted("sounds", sound.id)]
    uploads = [sound for sound in sounds if not sound.commands] if audio else []
    paths = [
        {
            "id": id,
            "model": path.domain,
            "frames": len(path),
            "samples": path.samples,
            "z": _text(path.z),
            "controls": _text(path.controls),
            "operations": list(path.operations),
        }
        for id, path in session.paths().items()
        if wanted("paths", id)
    ]
    whole = {
        "vqsynth_session": 1,
        "sounds": [
            {
                "id": sound.id,
                "name": sound.name,
                "licence": sound.licence,
                "flac": base64.b64encode(as_file(sound, ".flac", "24")).decode(),
            }
            for sound in uploads
        ],
        "paths": paths,
        "renders": [{**clean(sound.request), "id": sound.id} for sound in sounds if sound.origin == "render"],
        "view": session.view,
    }
    return json.dumps(whole).encode()


def restore(models: Models, session: Session, saved: Saved) -> dict[str, Any]:
    """Take a file's work into a window; nothing is taken where anything is wrong.

    Returns:
        The sounds and paths, each with the id that it had as ``was``, the renders, and the view.

    Raises:
        Refused: something in it is not what it must be.
    """
    if len(json.dumps(saved.view)) > VIEW_BYTES:
        raise Refused(413, f"the view may have {VIEW_BYTES >> 10} kB", "view")
    paths = [(item.id, _path(models, item)) for item in saved.paths]
    sounds, total = [], 0
    for item in saved.sounds:
        content = _bytes(item.flac, "sounds")
        total += len(content)
        if total > UPLOAD_BYTES:
            raise Refused(413, "the sounds in the file are too large", "sounds")
        folder = session.new_folder()
        file = folder / "upload.bin"
        file.write_bytes(content)
        try:
            sounds.append((item, folder, decoded(file)))
        except Refused:
            for unwanted in (folder, *(kept for _, kept, _ in sounds)):
                shutil.rmtree(unwanted, ignore_errors=True)
            raise
        file.unlink()
    kept = [
        {
            **store(session, folder, audio, RATE, label(item.name, "sound"), "upload", licence=item.licence).answer,
            "was": item.id,
        }
        for item, folder, audio in sounds
    ]
    session.view = saved.view
    walked = [{**described(session.add_path(path), path), "was": old} for old, path in paths]
    return {"sounds": kept, "paths": walked, "renders": saved.renders, "view": saved.view}


def _path(models: Models, item: SavedPath) -> LatentPath:
    domain = models.domain(item.model)
    config = domain.config
    z, controls = (
        _array(text, (item.frames, width), name)
        for text, width, name in (
            (item.z, config.latent_dim, "z"),
            (item.controls, len(config.controls), "controls"),
        )
    )
    if item.samples > max(1, domain.model.samples_of(item.frames)) + config.latent_hop * 2:
        raise Refused(400, "a path is shorter than the sound that it stands for", "paths.samples", item.samples)
    operations = tuple(operation[:200] for operation in item.operations)
    try:
        return LatentPath(
            z, controls, config.controls, config.rate, config.sample_rate, item.samples, item.model, domain.pca,
            loudness.VERSION, operations,
        )  # fmt: skip
    except VqsynthError as error:
        raise Refused(400, error.message, "paths") from None


def _text(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode()


def _bytes(text: str, field: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii", "strict"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise Refused(400, "this is no base 64; the file is damaged", field) from None


def _array(text: str, shape: tuple[int, int], field: str) -> np.ndarray:
    content = _bytes(text, f"paths.{field}")
    if len(content) != 4 * shape[0] * shape[1] or shape[0] * shape[1] > MOST_VALUES:
        raise Refused(400, "a path's numbers do not fit its model; encode the sound again", f"paths.{field}")
    return np.frombuffer(content, "<f4").reshape(shape).astype(np.float32)
