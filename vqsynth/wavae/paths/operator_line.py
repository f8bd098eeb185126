"""Operators as a command line has them: names and texts in their order.

An operator acts on the dimensions of the latest ``dim`` before it; those before the first ``dim`` take that one's, and
without any ``dim`` all are meant. ``2=0.3`` names its own dimension (``0,2=0.3`` several, ``all=0.3`` all).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from vqsynth.errors import UsageError, nearest_names, warn
from vqsynth.wavae.paths import operators as bend
from vqsynth.wavae.paths.latent_path import LatentPath

AMOUNTS: dict[str, Callable[..., LatentPath]] = {
    "scale": bend.scale,
    "bias": bend.bias,
    "randomize": bend.randomize,
    "smooth": bend.smooth,
}
CONTROLS: dict[str, Callable[..., LatentPath]] = {
    "loudness": bend.with_loudness,
    "loudness-scale": bend.scale_loudness,
    "loudness-offset": bend.offset_loudness,
    "pitch": bend.with_pitch,
    "transpose": bend.transpose,
    "pitch-scale": bend.scale_pitch,
    "voicing": bend.with_voicing,
    "centroid": bend.with_centroid,
}
DRAWN = ("loudness", "pitch", "voicing", "centroid")
"""Controls that take a curve; the others take a number."""
_UNHEARD = 0.05
NAMES = ("dim", *AMOUNTS, "reverse", "curve", *CONTROLS)


def apply(path: LatentPath, steps: Sequence[tuple[str, str]], raw: bool = False, seed: int = 0) -> LatentPath:
    """Apply operators one after the other.

    Args:
        path: the path that they bend.
        steps: (name, text) such as ``("scale", "1.5")``, ``("bias", "2=0.3")`` or ``("dim", "0,2")``.
        raw: dimensions are the model's own latents.
        seed: of the first ``randomize``; every further one of the path's history counts up by one, so that two commands
            in a row do what one with both does.

    Raises:
        UsageError: unknown operator or dimension, or a text that cannot be read; its field is the operator.
    """
    chosen = [_checked("dim", text, functools.partial(_dims, path, text)) for name, text in steps if name == "dim"]
    dims = chosen[0] if chosen else None
    for name, text in steps:
        if name == "dim":
            dims = chosen.pop(0)
        else:
            path = _checked(name, text, functools.partial(_step, path, name, text, dims, raw, seed))
    moved = next((name for name, _ in steps if name in ("pitch", "transpose", "pitch-scale")), None)
    if moved is not None and path.voicing.max() < _UNHEARD:
        warn(
            f"{moved} changes nothing that is heard: no frame of the path has one pitch (its voicing is 0); "
            "the latents hold what it has, or give it a voicing of 1"
        )
    return path


def _step(path: LatentPath, name: str, text: str, dims: list[int] | None, raw: bool, seed: int) -> LatentPath:
    if name == "reverse":
        return bend.reverse(path, dims, raw)
    if name in CONTROLS:
        return CONTROLS[name](path, text if name in DRAWN else _number(text))
    own, mark, value = text.partition("=")
    if mark:
        dims = _dims(path, own)
    else:
        value = text
    if name == "curve":
        if not mark:
            raise UsageError(f"say which dimension the curve replaces, such as 0={text}")
        return bend.curve(path, value.strip(), dims, raw)
    if name not in AMOUNTS:
        raise UsageError(f"unknown operator; {nearest_names(name, NAMES)}")
    options: dict[str, Any] = {}
    if name == "randomize":
        options["seed"] = seed + sum(
            operation.removeprefix("raw ").startswith("randomize ") for operation in path.operations
        )
    return AMOUNTS[name](path, _number(value), dims, raw, **options)


def _checked(name: str, text: str, step: Callable[[], Any]) -> Any:
    """Run a step; what is wrong with it carries the operator's name and text."""
    try:
        return step()
    except UsageError as error:
        field = name.replace("-", "_")
        if error.field == field:
            raise
        raise UsageError(str(error), field=field, value=text) from error


def _dims(path: LatentPath, text: str) -> list[int] | None:
    """``0``, ``0,2`` or ``all`` (None)."""
    if text.strip() == "all":
        return None
    try:
        dims = [int(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"{text!r} is no dimension; give a number from 0, several as 0,2, or all") from None
    return bend.choose(path, dims)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a number; write one such as 1.5, or 2=1.5 for dimension 2") from None
