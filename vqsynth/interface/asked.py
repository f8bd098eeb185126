"""What can be asked for, as arguments, and the requests that it stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from vqsynth import descriptors
from vqsynth.control.ranges import Range
from vqsynth.control.request import Request
from vqsynth.control.targets.base import Target
from vqsynth.errors import UsageError

if TYPE_CHECKING:
    from vqsynth.render.ensemble import Voices

Curve = str | float | Target
"""A target as it is written (``sin:3``, ``A4``, ``curve.csv``), a number, or a :class:`Target`."""
Asked = Curve | tuple[Curve, str | Range]
"""A target, or a target and the range that a shape is laid on: ``("sin", "800:2500")``."""
Bits = Literal["16", "24", "32f"]
Matcher = Literal["auto", "played", "path", "nearest"]
Articulation = Literal["auto", "legato", "detached"]
Progress = Callable[[str, float], None]
"""Told what is being done and the share done, 0 to 1."""


def requests_of(
    named: Mapping[str, Asked | None], targets: Mapping[str, Asked] | Sequence[Request], weights: Mapping[str, float]
) -> list[Request]:
    """All that is asked for, as requests; what is None is not.

    Raises:
        UsageError: an unknown descriptor, or a weight of one that is not asked for.
    """
    given = {name: asked for name, asked in named.items() if asked is not None}
    if isinstance(targets, Mapping):
        given |= targets
    for name in given:
        descriptors.get(name)
    requests = [_request(name, asked, float(weights.get(name, 1.0))) for name, asked in given.items()]
    if not isinstance(targets, Mapping):
        requests += targets
    for name in weights:
        if name not in {request.descriptor for request in requests}:
            raise UsageError("this descriptor is not asked for; give it a target", field="weights", value=name)
    return requests


def _request(name: str, asked: Asked, weight: float) -> Request:
    target, range_ = asked if isinstance(asked, tuple) else (asked, None)
    return Request(name, target if isinstance(target, Target) else str(target), range_, weight)


def voices_of(
    voices: int | Literal["auto"], stems: bool, targets: Mapping[int, Mapping[str, Asked] | Sequence[Request]]
) -> Voices:
    """How chords are played.

    Args:
        voices: ``auto``, or how many at most.
        stems: whether single voices are written too.
        targets: of single voices: descriptors with their targets, or requests.

    Raises:
        UsageError: ``voices`` is no whole number, or a descriptor is unknown.
    """
    from vqsynth.render.ensemble import Voices

    if voices != "auto" and (isinstance(voices, bool) or not isinstance(voices, int)):
        raise UsageError("give auto, or 1 or more", field="voices", value=voices)
    own = {number: requests_of({}, asked, {}) for number, asked in targets.items()}
    return Voices(None if voices == "auto" else voices, stems, own)
