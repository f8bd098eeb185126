"""The best run of units along a stroke: Viterbi over candidates and continuations, with a beam.

Unit selection (Hunt & Black, 1996) in which the unit is a frame as it was played: to go on in the same recording costs
nothing, to jump costs a fixed price and the distance in latent space, so a path is made of runs of real playing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

GRID = 4
"""Frames between moments at which a path may jump."""


@dataclasses.dataclass(frozen=True)
class PlayedSettings:
    """Weights of the search.

    Attributes:
        candidates: units that are considered at every moment, beside those that go on.
        beam: paths that are kept.
        price: of a jump; a target missed by its tolerance costs 1 a frame.
        foreign: cost of a jump into another recording, beside.
        latent: cost of a jump by as much as neighbouring frames of a recording differ on average.
        noise: cost of a jump to a sound whose spectral flatness is an octave higher or lower.
        pitch: octaves by which a unit's own pitch may be moved at a cost of 1 a frame.
        level: dB by which it may be louder or softer than asked at a cost of 1 a frame.
        colour: octaves of centroid by which it may differ from the usual colour at a cost of 1 a frame.
        variety: largest cost a frame that a take draws for each second of the recordings.
    """

    candidates: int = 40
    beam: int = 64
    price: float = 30.0
    foreign: float = 30.0
    latent: float = 0.5
    noise: float = 8.0
    pitch: float = 2.0 / 12
    level: float = 10.0
    colour: float = 0.4
    variety: float = 0.15


@dataclasses.dataclass(frozen=True)
class Script:
    """A way to begin: units that are played first, and the cost of choosing it.

    Attributes:
        units: int64 [n], the onset.
        then: the unit that follows.
        cost: of choosing it.
    """

    units: np.ndarray
    then: int
    cost: float


FrameCost = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Cost of units [...] in frames [...], broadcast against each other."""
JumpCost = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Cost of going from units [n] to units [m]: [n, m]."""


def best_run(
    frames: range,
    stop: np.ndarray,
    scripts: Sequence[Script],
    candidates: Callable[[int], np.ndarray],
    frame_cost: FrameCost,
    jump_cost: JumpCost,
    beam: int,
) -> np.ndarray:
    """The run of least cost.

    Args:
        frames: of the stroke.
        stop: [units], the unit before which a run that holds this one ends.
        scripts: ways to begin; without any the run begins with a candidate.
        candidates: units [k] that suit a frame.
        frame_cost: of units in frames.
        jump_cost: between units.
        beam: paths that are kept.

    Returns:
        [len(frames)] int64 units.
    """
    size = len(stop)
    script_units, script_next, starts, costs = _lay_out(scripts, size)
    if not scripts:
        starts = candidates(frames.start)
        costs = np.zeros(len(starts))
    states, totals = starts, costs
    history: list[tuple[np.ndarray, np.ndarray]] = []
    parents = np.arange(len(states))
    blocks: list[np.ndarray] = []
    for at in range(frames.start, frames.stop, GRID):
        moments = np.arange(at, min(at + GRID, frames.stop))
        if blocks:
            last = blocks[-1][:, -1]
            carry_on = _next(last, stop, script_next, size)
            going = np.flatnonzero(carry_on >= 0)
            fresh = candidates(at)
            states, new_totals, parents = carry_on[going], totals[going], going
            free = np.flatnonzero(last < size)
            # A note that has run out must go somewhere, an onset goes on to its end.
            if len(free) and len(fresh):
                steps = totals[free, None] + jump_cost(last[free], fresh)
                best = steps.argmin(0)
                states = np.concatenate([states, fresh])
                new_totals = np.concatenate([new_totals, steps[best, np.arange(len(fresh))]])
                parents = np.concatenate([parents, free[best]])
            totals = new_totals
        block, lost = _unroll(states, len(moments), stop, script_next, size)
        real = np.where(block < size, block, script_units[np.maximum(block - size, 0)])
        totals = totals + frame_cost(real, moments[None, :]).sum(1) + lost
        if len(totals) > beam:
            keep = np.argpartition(totals, beam)[:beam]
            states, totals, parents, block = states[keep], totals[keep], parents[keep], block[keep]
        # Two ways to the same unit: only the better one can be part of the best path.
        order = np.lexsort((totals, block[:, -1]))
        first = np.ones(len(order), bool)
        first[1:] = block[order[1:], -1] != block[order[:-1], -1]
        keep = order[first]
        totals, parents, block = totals[keep], parents[keep], block[keep]
        blocks.append(block)
        history.append((parents, block))
    index = int(totals.argmin())
    pieces = []
    for parents, block in reversed(history):
        pieces.append(block[index])
        index = int(parents[index])
    path = np.concatenate(pieces[::-1])
    return np.where(path < size, path, script_units[np.maximum(path - size, 0)])


_DEAD = 1e6


def _lay_out(scripts: Sequence[Script], size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Number the units of all scripts from ``size`` on: their units, what follows each, where each begins, its cost."""
    units, following, starts = [np.zeros(1, np.int64)], [np.full(1, -1, np.int64)], []
    at = size + 1
    for script in scripts:
        count = len(script.units)
        starts.append(at if count else script.then)
        units.append(script.units)
        following.append(np.append(np.arange(at + 1, at + count), script.then)[:count])
        at += count
    costs = np.array([script.cost for script in scripts])
    return np.concatenate(units), np.concatenate(following), np.array(starts, np.int64), costs


def _next(states: np.ndarray, stop: np.ndarray, script_next: np.ndarray, size: int) -> np.ndarray:
    """What follows each state when nothing is jumped, -1 where nothing does."""
    real = np.minimum(states, size - 1)
    carried = np.where(real + 1 < stop[real], real + 1, -1)
    return np.where(states < size, carried, script_next[np.maximum(states - size, 0)])


def _unroll(
    states: np.ndarray, count: int, stop: np.ndarray, script_next: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """The next ``count`` units of each state, and a high cost for those whose recording ends before."""
    block = np.empty((len(states), count), np.int64)
    lost = np.zeros(len(states))
    for column in range(count):
        block[:, column] = states
        following = _next(states, stop, script_next, size)
        ended = following < 0
        if column + 1 < count:
            lost += ended * _DEAD
        states = np.where(ended, states, following)
    return block, lost
