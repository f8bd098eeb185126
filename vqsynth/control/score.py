"""What is asked for as notes: where they begin and end, which are slurred, how loud and bright they are meant.

Notes come from a MIDI file; else from the pitch that is asked for, whose gaps and leaps are the edges of notes; else
all is one tone. A note may be slurred, played on without a new onset, if it follows with less than 60 ms of silence:

- ``legato``: every such note of another pitch (a repeated pitch begins anew, or nobody would hear it).
- ``detached``: none.
- ``auto``: those that a MIDI file overlaps with the note before, or that begin under the legato pedal (CC 68), if their
  pitch is another. Gaps and leaps of a curve are new notes.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from vqsynth.control.request import Request
from vqsynth.control.resolve import ResolvedTarget
from vqsynth.control.targets.base import Target
from vqsynth.control.targets.midi import FULL_VELOCITY, OCTAVES_A_DB, Melody
from vqsynth.control.targets.midi_voices import REST
from vqsynth.errors import UsageError

ARTICULATIONS = ("auto", "legato", "detached")
LEAP = 0.7 / 12
"""Octaves between two frames that are two notes."""
GLIDE = (0.040, 0.080)
"""Seconds of a glide between slurred notes: over a semitone, and over an octave or more."""
_SAME = 0.5 / 12


@dataclasses.dataclass(frozen=True)
class Note:
    """A note to be played.

    Attributes:
        start: s.
        end: s.
        pitch: Hz, the median of what is asked for; NaN where nothing is.
        velocity: 1 to 127; 100 is 0 dB.
        slurred: goes on from the note before without a new onset.
    """

    start: float
    end: float
    pitch: float
    velocity: float = FULL_VELOCITY
    slurred: bool = False


def notes_of(
    resolved: Sequence[ResolvedTarget],
    requests: Sequence[Request],
    times: np.ndarray,
    duration: float,
    articulation: str = "auto",
) -> list[Note]:
    """Notes in order of time; they do not overlap. None where a MIDI file begins later than the render ends.

    Args:
        resolved: what is asked for on the frames of ``times``.
        requests: the same, with targets that are read.
        times: [frames] seconds.
        duration: of the whole, s.
        articulation: ``auto``, ``legato`` or ``detached``.

    Raises:
        UsageError: another articulation.
    """
    if articulation not in ARTICULATIONS:
        raise UsageError(f"choose one of {', '.join(ARTICULATIONS)}", field="articulation", value=articulation)
    goal = next((goal for goal in resolved if goal.name == "f0"), None)
    melody = _melody(requests)
    if melody is not None:
        notes = [
            Note(note.start, min(note.end, duration), 0.0, float(note.velocity), note.slurred)
            for note in melody.notes
            if note.start < duration
        ]
    elif goal is None:
        return [Note(0.0, duration, float("nan"))]
    else:
        notes = [Note(start, end, 0.0) for start, end in _edges(goal, times, duration)] or [Note(0.0, duration, 0.0)]
    notes = [dataclasses.replace(note, pitch=_median(goal, note, times)) for note in notes]
    if articulation == "detached":
        return [dataclasses.replace(note, slurred=False) for note in notes]
    if articulation == "legato":
        slurs = [_joins(a, b) for a, b in itertools.pairwise(notes)]
        return [dataclasses.replace(note, slurred=slurred) for note, slurred in zip(notes, [False, *slurs])]
    return notes


def glided(goal: ResolvedTarget, notes: Sequence[Note], times: np.ndarray) -> ResolvedTarget:
    """A pitch whose steps between slurred notes are glides: half a cosine in octaves about the start of the later one.

    A glide takes 40 ms over a semitone and 80 ms over an octave, but no more than half of either note; what the
    pitch does beside the step stays. The silence between slurred notes is filled.

    Args:
        goal: of f0.
        notes: from :func:`notes_of`.
        times: [frames] seconds.
    """
    octaves, mask, turned = np.log2(np.maximum(goal.values, 1e-9)), goal.mask.copy(), np.zeros(len(times))
    for before, note in itertools.pairwise(notes):
        if not note.slurred:
            continue
        first = int(np.searchsorted(times, note.start))
        mask[np.searchsorted(times, before.end) : first] = True
        if not 0 < first < len(times):
            continue
        step = octaves[first] - octaves[first - 1]
        share = min(1.0, max(0.0, (abs(step) - 1 / 12) / (11 / 12)))
        length = GLIDE[0] + share * (GLIDE[1] - GLIDE[0])
        half = min(length, (note.end - note.start) / 2, (before.end - before.start) / 2) / 2
        if half <= 0:
            continue
        # The step is between two frames, so the glide is about the middle of them.
        middle = (times[first] + times[first - 1]) / 2
        low, high = np.searchsorted(times, [middle - half, middle + half])
        turn = np.clip((times[low:high] - middle) / half, -1.0, 1.0)
        turned[low:high] += step * (0.5 + 0.5 * np.sin(0.5 * np.pi * turn) - (times[low:high] > middle))
    return dataclasses.replace(goal, values=goal.values * np.exp2(turned), mask=mask)


def brightness_of(requests: Sequence[Request], times: np.ndarray, slope: float = OCTAVES_A_DB) -> np.ndarray | None:
    """Octaves by which the centroid is to be moved, of the first target that says so (a MIDI file); else None.

    Args:
        requests: with targets that are read.
        times: [frames] seconds.
        slope: octaves for each dB that is played louder.

    Returns:
        float64 [frames], or None.
    """
    targets = [request.target for request in requests if isinstance(request.target, Target)]
    return next((curve for target in targets if (curve := target.brightness(times, slope)) is not None), None)


def dynamics_of(requests: Sequence[Request], times: np.ndarray) -> np.ndarray | None:
    """The gain in dB that notes of a MIDI file bring, held through rests and without attacks and releases; else None.

    Shape: [frames]
    """
    melody = _melody(requests)
    return None if melody is None else melody.dynamics(times)


def _melody(requests: Sequence[Request]) -> Melody | None:
    """The notes of a MIDI file that are asked for as pitch."""
    targets = (request.target for request in requests if request.descriptor == "f0")
    return next((target for target in targets if isinstance(target, Melody)), None)


def _edges(goal: ResolvedTarget, times: np.ndarray, duration: float) -> list[tuple[float, float]]:
    """Seconds at which notes in a pitch begin and end."""
    octaves = np.log2(np.maximum(goal.values, 1e-9))
    leaps = np.flatnonzero(np.abs(np.diff(octaves)) > LEAP) + 1
    turns = np.flatnonzero(np.diff(goal.mask)) + 1
    cuts = np.unique(np.concatenate([[0], leaps, turns, [len(times)]]))
    ends = [*times.tolist(), duration]
    return [(ends[a], min(ends[b], duration)) for a, b in itertools.pairwise(cuts.tolist()) if goal.mask[a]]


def _median(goal: ResolvedTarget | None, note: Note, times: np.ndarray) -> float:
    """What is asked for of a note, Hz."""
    if goal is None:
        return float("nan")
    first = min(int(np.searchsorted(times, note.start)), len(times) - 1)
    last = max(first + 1, int(np.searchsorted(times, note.end)))
    return float(np.median(goal.values[first:last]))


def _joins(before: Note, note: Note) -> bool:
    """Whether two notes are near in time and apart in pitch."""
    return note.start - before.end < REST and abs(np.log2(note.pitch / before.pitch)) > _SAME
