"""Notes that sound together, allotted to voices that have one note at a time."""

from __future__ import annotations

import bisect
import collections
import dataclasses
import heapq
import itertools
from collections.abc import Sequence

import numpy as np

from vqsynth.control.targets.midi_file import MidiNote

LEGATO = 0.08  # s; players' notes overlap by less than this where they mean one voice
REST = 0.06
"""Seconds of silence between notes that are heard as a rest; a note after less may be slurred."""
MOST_VOICES = 16
_MEMORY = 2.0  # s after which a silent voice is looked for where it usually is
_USUAL, _CROSSING = 0.25, 5.0
_TOUCH = 5e-4


def one_voice(notes: Sequence[MidiNote], priority: str = "highest") -> list[MidiNote]:
    """Cut overlapping notes to one voice; a short overlap into a later note is legato and goes to it.

    Args:
        notes: in any order.
        priority: of several notes, ``highest`` or ``last`` sounds.
    """
    notes = sorted(_parted(notes, False), key=lambda note: (note.start, note.pitch))

    def rank(at: int) -> tuple[float, int]:
        return (0.0 if priority == "highest" else notes[at].start, notes[at].pitch)

    edges = sorted({edge for note in notes for edge in (note.start, note.end)})
    voice: list[MidiNote] = []
    source: int | None = None
    held: list[int] = []
    waiting = collections.deque(range(len(notes)))
    for start, end in itertools.pairwise(edges):
        held = [at for at in held if notes[at].end > start]
        while waiting and notes[waiting[0]].start <= start:
            held.append(waiting.popleft())
        best = max(held, key=rank, default=None)
        if best is not None and best == source and voice[-1].end == start:
            voice[-1].end = end
        elif best is not None:
            # A note that is heard again after another one had its place was not begun anew.
            held_on = notes[best].start < start
            voice.append(dataclasses.replace(notes[best], start=start, end=end, legato=notes[best].legato or held_on))
        source = best
    return _slurred(voice)


def voices_of(notes: Sequence[MidiNote], most: int | None = None) -> tuple[list[list[MidiNote]], int]:
    """Allot notes to voices, highest first; every track and channel keeps its own voices while there are enough.

    A note goes to the free voice that was nearest in pitch, or is usually; voices cross only where they must.

    Args:
        notes: in any order.
        most: voices; None takes as many as notes sound at once, up to 16.

    Returns:
        Voices, and how many notes were left out because all voices were taken (of those between the highest and the
        lowest, the shortest and softest).
    """
    limit = MOST_VOICES if most is None else most
    if limit == 1:
        voice = one_voice(notes)
        return [voice], 0
    parts: dict[tuple[int, int], list[MidiNote]] = collections.defaultdict(list)
    for note in sorted(_parted(notes, True), key=lambda note: (note.start, -note.pitch)):
        parts[note.part].append(note)
    needed = {part: _together(own) for part, own in parts.items()}
    if sum(needed.values()) <= limit:
        voices = [voice for part in sorted(parts) for voice in _allot(parts[part], needed[part])]
        return [_slurred(voice) for voice in voices], 0
    pool = sorted(itertools.chain(*parts.values()), key=lambda note: (note.start, -note.pitch))
    kept = _reduced(pool, limit)
    voices = _allot(kept, _together(kept))
    return [_slurred(voice) for voice in voices], len(pool) - len(kept)


def _parted(notes: Sequence[MidiNote], by_part: bool) -> list[MidiNote]:
    """Copies that end where a later one takes over: after a short overlap, or any while the legato pedal is down."""
    groups: dict[tuple[int, int] | None, list[MidiNote]] = collections.defaultdict(list)
    for note in sorted(notes, key=lambda note: (note.start, note.pitch)):
        groups[note.part if by_part else None].append(dataclasses.replace(note))
    for own in groups.values():
        starts = [note.start for note in own]
        tied = [note.start for note in own if note.legato]
        for note in own:
            for among, earliest in ((starts, max(note.start, note.end - LEGATO)), (tied, note.start)):
                at = bisect.bisect_right(among, max(earliest, note.start + LEGATO))
                if at < len(among) and among[at] < note.end:
                    note.end = among[at]
    return [note for own in groups.values() for note in own]


def _slurred(voice: list[MidiNote]) -> list[MidiNote]:
    """Mark the notes of a voice that began while the one before was held, or under the legato pedal."""
    for before, note in itertools.pairwise(voice):
        near = note.start - before.end < REST
        note.slurred = near and note.pitch != before.pitch and (before.released > note.start + _TOUCH or note.legato)
    return voice


def _together(notes: Sequence[MidiNote]) -> int:
    """Most notes that sound at once; notes in order of their starts."""
    ends: list[float] = []
    most = 0
    for note in notes:
        while ends and ends[0] <= note.start:
            heapq.heappop(ends)
        heapq.heappush(ends, note.end)
        most = max(most, len(ends))
    return most


def _reduced(notes: Sequence[MidiNote], most: int) -> list[MidiNote]:
    """Leave out inner notes until at most ``most`` sound at once."""
    dropped: set[int] = set()
    held: list[MidiNote] = []
    for note in notes:
        held = [*(other for other in held if other.end > note.start), note]
        while len(held) > most:
            inner = sorted(held, key=lambda other: other.pitch)[1:-1] or held
            least = min(inner, key=lambda other: other.velocity * (other.end - other.start))
            dropped.add(id(least))
            held.remove(least)
    return [note for note in notes if id(note) not in dropped]


def _registers(notes: Sequence[MidiNote], count: int) -> np.ndarray:
    """Where each of ``count`` voices, highest first, usually is: medians of pitch over the fullest chords."""
    chords: list[list[int]] = []
    held: list[MidiNote] = []
    for note in notes:
        held = [*(other for other in held if other.end > note.start), note]
        if len(held) == count:
            chords.append(sorted((other.pitch for other in held), reverse=True))
    return np.median(np.array(chords, np.float64), axis=0)


def _allot(notes: Sequence[MidiNote], count: int) -> list[list[MidiNote]]:
    """Voices, highest first, of notes in order of their starts, of which at most ``count`` sound at once."""
    from scipy.optimize import linear_sum_assignment

    usual = _registers(notes, count)
    voices: list[list[MidiNote]] = [[] for _ in range(count)]
    for start, group in itertools.groupby(notes, key=lambda note: note.start):
        chord = list(group)
        free = [at for at, voice in enumerate(voices) if not voice or voice[-1].end <= start]
        taken = [at for at, voice in enumerate(voices) if voice and voice[-1].end > start]
        cost = np.empty((len(chord), len(free)))
        for column, at in enumerate(free):
            expected = usual[at]
            if voices[at]:
                last = voices[at][-1]
                expected += np.exp((last.end - start) / _MEMORY) * (last.pitch - expected)
            for row, note in enumerate(chord):
                crossed = sum((other < at) == (voices[other][-1].pitch < note.pitch) for other in taken)
                leap = abs(note.pitch - expected)
                # More for large leaps, so that two notes that both leap do not change places.
                cost[row, column] = leap + 0.02 * leap**2 + _USUAL * abs(note.pitch - usual[at]) + _CROSSING * crossed
        for row, column in zip(*linear_sum_assignment(cost)):
            voices[free[column]].append(chord[row])
    return voices
