"""From resolved targets to codes: the nearest code frame by frame, or the smoothest good path.

``nearest`` is the method of Bitton, Esling & Harada (2020). ``path`` is the unit selection of concatenative
synthesis (Hunt & Black, 1996): a target cost and a join cost, minimised over the whole sequence by the Viterbi
algorithm. The join cost is the jump in latent space, less where the recordings make that transition.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from vqsynth.control.resolve import ResolvedTarget, voiced
from vqsynth.errors import UsageError

if TYPE_CHECKING:
    from vqsynth.library.table import Table

MATCHERS = ("auto", "played", "path", "nearest")
TOLERANCE_F0 = 28 / 1200
"""Octaves of f0 error that cost 1."""
TOLERANCE = 0.085
"""Error in another descriptor that costs 1, in standard deviations of the table."""
_FAR, _STEEP = 80 / 35, 10 / 35
_KNEE = 2.0
_RARE = 0.02
_BLOCK = 4096
_OVERLAP = 256
_CHUNK = 256


@dataclasses.dataclass(frozen=True)
class PathSettings:
    """Weights of the path search.

    Attributes:
        candidates: codes considered a frame.
        jump: cost of a latent jump of the size that neighbouring frames of a recording make on average.
        corpus: share of that cost forgiven to transitions of the corpus.
    """

    candidates: int = 48
    jump: float = 0.5
    corpus: float = 0.3


class Costs:
    """Cost of every code in every frame, asked for block by block.

    A frame that a target's mask leaves out keeps a hundredth of its weight, so that a rest neither
    decides the path nor tears it.
    """

    def __init__(self, resolved: Sequence[ResolvedTarget], table: Table, prior: bool = True) -> None:
        self.names = [goal.name for goal in resolved]
        self.columns: list[np.ndarray] = []
        self.targets: list[tuple[np.ndarray, np.ndarray]] = []
        # Of equals, the codes that the recordings use more.
        self.prior = (_RARE * prior / (1.0 + np.asarray(table.usage))).astype(np.float32)
        for goal in resolved:
            column = goal.scaled(table.column(goal.name))
            tolerance = TOLERANCE_F0 if goal.name == "f0" else TOLERANCE * max(float(np.nanstd(column)), 1e-9)
            # A code without a value is as far as no other.
            missing = ~np.isfinite(column) if goal.name != "f0" else ~voiced(table)
            column = np.where(missing, 1e4, column / tolerance)
            self.columns.append(column.astype(np.float32))
            weights = goal.weight * np.where(goal.mask, 1.0, 0.01)
            self.targets.append(((goal.scaled(goal.values) / tolerance).astype(np.float32), weights.astype(np.float32)))

    def __call__(self, start: int, stop: int) -> np.ndarray:
        """Costs of frames ``start`` to ``stop``: float32 [frames, codes]."""
        total = np.repeat(self.prior[None], stop - start, 0)
        for name, column, (values, weights) in zip(self.names, self.columns, self.targets):
            difference = np.abs(values[start:stop, None] - column)
            square = difference * difference
            if name == "f0":
                # Bending carries a pitch only so far: beyond, the cost is steep.
                difference = square + (np.maximum(difference - _FAR, 0) / _STEEP) ** 2
            else:
                # A tilt carries a spectrum further: beyond, the cost grows linearly (Huber).
                difference = np.where(difference > _KNEE, 2 * _KNEE * difference - _KNEE**2, square)
            difference *= weights[start:stop, None]
            total += difference
        return total


class FrameCosts(Protocol):
    """Costs of every code in frames ``start`` to ``stop``: float32 [frames, codes]."""

    def __call__(self, start: int, stop: int) -> np.ndarray: ...


def nearest(costs: FrameCosts, frames: int) -> np.ndarray:
    """The code of least cost in every frame: int64 [frames]."""
    return np.concatenate([costs(s, min(s + _CHUNK, frames)).argmin(1) for s in range(0, frames, _CHUNK)])


def jump_costs(
    codebook: np.ndarray, scale: float | None, transitions: np.ndarray | None, settings: PathSettings
) -> np.ndarray:
    """Cost of going from one code to another: float32 [codes, codes].

    Args:
        codebook: [codes, dim].
        scale: mean latent jump a frame in recordings; None takes half the mean distance between two codes.
        transitions: int [n, 3], from, to and count in the corpus, or None.
        settings: weights of the path search.
    """
    squares = (codebook.astype(np.float32) ** 2).sum(1)
    distance = np.sqrt(np.maximum(squares[:, None] + squares - 2 * codebook @ codebook.T, 0)).astype(np.float32)
    np.fill_diagonal(distance, 0.0)
    distance *= settings.jump / (scale or max(float(distance.mean()) / 2, 1e-9))
    if transitions is not None and len(transitions):
        source, target, count = transitions.T
        distance[source, target] *= 1 - settings.corpus * count / (count + 2.0)
    return distance


def path(costs: FrameCosts, frames: int, jumps: np.ndarray, settings: PathSettings = PathSettings()) -> np.ndarray:
    """The sequence of least total cost (Viterbi) among each frame's best candidates: int64 [frames].

    Long sequences are searched in blocks of 4,096 frames that look 256 frames ahead and start where the last
    one was left, so memory is bounded.
    """
    codes = np.empty(frames, np.int64)
    previous: int | None = None
    for start in range(0, frames, _BLOCK):
        stop = min(start + _BLOCK, frames)
        end = min(stop + _OVERLAP, frames)
        candidates, local = _candidates(costs, start, end, settings.candidates)
        if previous is not None:
            local[0] += jumps[previous, candidates[0]]
        codes[start:stop] = _viterbi(candidates, local, jumps)[: stop - start]
        previous = int(codes[stop - 1])
    return codes


def _candidates(costs: FrameCosts, start: int, end: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Best codes of every frame and their costs: int64 and float32 [frames, candidates]."""
    ids, values = [], []
    for at in range(start, end, _CHUNK):
        block = costs(at, min(at + _CHUNK, end))
        k = min(count, block.shape[1])
        chosen = (
            np.argpartition(block, k - 1, axis=1)[:, :k]
            if k < block.shape[1]
            else np.tile(np.arange(k), (len(block), 1))
        )
        ids.append(chosen)
        values.append(np.take_along_axis(block, chosen, 1))
    return np.concatenate(ids), np.concatenate(values)


def _viterbi(candidates: np.ndarray, local: np.ndarray, jumps: np.ndarray) -> np.ndarray:
    """Shape: candidates [frames, k], local [frames, k], jumps [codes, codes] -> [frames]."""
    frames, k = candidates.shape
    back = np.zeros((frames, k), np.int16)
    total, columns = local[0], np.arange(k)
    for at in range(1, frames, _CHUNK):
        stop = min(at + _CHUNK, frames)
        # [chunk, to, from]: the least over the last axis is contiguous.
        steps = jumps[candidates[at - 1 : stop - 1, None, :], candidates[at:stop, :, None]]
        for step, t in zip(steps, range(at, stop)):
            step += total
            best = step.argmin(1)
            total = step[columns, best] + local[t]
            back[t] = best
    chosen = np.empty(frames, np.int64)
    index = int(total.argmin())
    for t in range(frames - 1, -1, -1):
        chosen[t] = candidates[t, index]
        index = int(back[t, index])
    return chosen


def check_matcher(name: str) -> None:
    """Raise UsageError unless there is a matcher of this name."""
    if name not in MATCHERS:
        raise UsageError(f"unknown; choose one of {', '.join(MATCHERS)}", field="matcher", value=name)


def match(
    matcher: str,
    resolved: Sequence[ResolvedTarget],
    table: Table,
    codebook: np.ndarray,
    frames: int,
    scale: float | None = None,
    transitions: np.ndarray | None = None,
    settings: PathSettings = PathSettings(),
) -> np.ndarray:
    """Codes for the resolved targets: int64 [frames].

    Args:
        matcher: ``nearest`` or ``path``.
        resolved: what is asked for, frame by frame.
        table: what the codes sound like.
        codebook: [codes, dim].
        frames: how many codes.
        scale: mean latent jump a frame in recordings, see :func:`jump_costs`.
        transitions: of the corpus, see :func:`jump_costs`.
        settings: weights of the path search.
    """
    costs = Costs(resolved, table, prior=matcher == "path")
    if matcher == "nearest":
        return nearest(costs, frames)
    return path(costs, frames, jump_costs(codebook, scale, transitions, settings), settings)
