"""What is asked for: a descriptor, a target, a range and a weight; and how the options of a command pair up."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

from vqsynth.control.curve import split_range
from vqsynth.control.targets import Range, Target
from vqsynth.descriptors import get
from vqsynth.dsp.notes import note_to_hz
from vqsynth.errors import UsageError

VOICE_TARGET = re.compile(r"(\d{1,4}):([a-z_]\w*)=(.+)")


@dataclasses.dataclass(frozen=True)
class Request:
    """A descriptor, its target (or how it is spelled), a range and a weight."""

    descriptor: str
    target: str | Target
    range: str | Range | None = None
    weight: float = 1.0


def pair(
    descriptors: Sequence[str], targets: Sequence[str], ranges: Sequence[str] = (), weights: Sequence[str] = ()
) -> list[Request]:
    """Requests from options that were given once or several times.

    The n-th target belongs to the n-th descriptor. A single target without one is for f0 if it is a note or a
    MIDI file, else for the centroid. Ranges and weights are written ``f0=A3:A4``, or without a name in the
    order of the descriptors; ``-`` leaves one out.

    Raises:
        UsageError: the numbers do not fit, or a name or number is none.
    """
    if len(targets) == 1 and not descriptors:
        pitch = note_to_hz(targets[0]) is not None or Path(targets[0]).suffix.lower() in (".mid", ".midi")
        descriptors = ["f0" if pitch else "centroid"]
    if len(descriptors) != len(targets):
        raise UsageError(
            f"found {len(descriptors)} descriptor(s) and {len(targets)} target(s); "
            "give one target for each descriptor, in the same order"
        )
    range_of, weight_of = _named(ranges, descriptors, "range"), _named(weights, descriptors, "weight")
    requests = []
    for name, target in zip(descriptors, targets):
        try:
            weight = float(weight_of.get(name, "1"))
        except ValueError:
            raise UsageError("give a number above 0", field="weight", value=f"{weight_of[name]} of {name}") from None
        requests.append(Request(name, target, range_of.get(name), weight))
    return requests


def parse_voice_target(text: str) -> tuple[int, Request]:
    """Read ``2:centroid=arch`` or ``2:centroid=arch@800:2500``: a voice from 1, a descriptor, a target and its range.

    Raises:
        UsageError: it is written otherwise, or the descriptor is unknown.
    """
    match = VOICE_TARGET.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            "write a voice, a descriptor and its target, such as 2:centroid=arch or 2:centroid=arch@800:2500",
            field="voice_targets",
            value=text,
        )
    voice, name, written = match.groups()
    get(name)
    target, range_ = split_range(written)
    return int(voice), Request(name, target, range_ or None)


def _named(values: Sequence[str], descriptors: Sequence[str], field: str) -> dict[str, str]:
    """Values by descriptor."""
    found: dict[str, str] = {}
    unnamed = 0
    for text in values:
        name, _, value = text.rpartition("=")
        if not name:
            if unnamed >= len(descriptors):
                raise UsageError(
                    "there are more of them than descriptors; leave it out, or name what it is for",
                    field=field,
                    value=text,
                )
            name, unnamed = descriptors[unnamed], unnamed + 1
        if name not in descriptors:
            raise UsageError(
                f"'{name}' is not asked for; give it a `descriptor` and a `target`", field=field, value=text
            )
        if value != "-":
            found[name] = value
    return found
