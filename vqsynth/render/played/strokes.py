"""From notes to strokes: what is played in one bow or one breath."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from vqsynth.render.played.material import Material

_CHANGE_SECONDS = 0.2
_TONGUE_SECONDS = 0.07
_DETACHED_SECONDS = 0.12
_BREATH_SECONDS = 4.0
"""A bow or a breath lasts at least this long, however short the recorded notes are."""


@dataclasses.dataclass(frozen=True)
class Stroke:
    """Frames of one stroke.

    Attributes:
        start: first frame of the onset.
        release: first frame of the release.
        end: after the last frame that may sound.
    """

    start: int
    release: int
    end: int


@dataclasses.dataclass(frozen=True)
class Span:
    """A note in frames; ``slurred`` when it follows the one before without a new onset."""

    start: int
    end: int
    slurred: bool = False


def strokes_of(
    spans: Sequence[Span], frames: int, material: Material, frame_rate: float, articulation: str, take: int
) -> list[Stroke]:
    """Group slurred notes, divide what is longer than the recordings ever sound, and leave room for releases.

    Args:
        spans: notes in order of time.
        frames: of the render.
        material: whose notes say how long a stroke lasts.
        frame_rate: frames a second.
        articulation: ``auto``, ``legato`` (nothing is divided) or ``detached`` (shorter notes).
        take: another take divides elsewhere.
    """
    groups: list[list[int]] = []
    for span in spans:
        if groups and span.slurred:
            groups[-1][1] = span.end
        else:
            groups.append([span.start, span.end])
    random = np.random.default_rng([take, 11])
    pieces: list[tuple[int, int, bool]] = []
    for start, end in groups:
        cuts = [start, end] if articulation == "legato" else _divided(start, end, material, frame_rate, random)
        pieces += [(a, b, b == end) for a, b in itertools.pairwise(cuts)]
    strokes = []
    for at, (start, end, final) in enumerate(pieces):
        following = pieces[at + 1][0] if at + 1 < len(pieces) else frames
        length = end - start
        if not final:
            room = _CHANGE_SECONDS
        elif articulation == "detached":
            room = _DETACHED_SECONDS
        else:
            # A note that another follows at once is stopped a little before; one before a rest rings into it.
            room = _TONGUE_SECONDS if following - end < _TONGUE_SECONDS * frame_rate and end < frames else 0.0
        release = end - min(round(room * frame_rate), length // 3)
        strokes.append(Stroke(start, release, following))
    return strokes


def _divided(start: int, end: int, material: Material, frame_rate: float, random: np.random.Generator) -> list[int]:
    """Cut a tone that is longer than any recorded one into strokes about as long as the longer recorded ones."""
    lengths = material.notes.release - material.notes.begin
    shortest = _BREATH_SECONDS * frame_rate
    if not len(lengths) or end - start <= max(1.05 * lengths.max(), 1.5 * shortest):
        return [start, end]
    usual = max(float(np.percentile(lengths, 80)), shortest)
    count = max(2, round((end - start) / usual))
    shares = 1.0 + 0.3 * (random.random(count) - 0.5)
    cuts = start + np.round((end - start) * np.cumsum(shares) / shares.sum()).astype(int)
    return [start, *cuts[:-1].tolist(), end]
