"""From resolved targets to codes: the nearest code frame by frame, or the smoothest good path.

``nearest`` is the method of Bitton, Esling & Harada (2020). ``path`` is the unit selection of concatenative
synthesis (Hunt & Black, 1996): a target cost and a join cost, minimised over the whole sequence by the Viterbi
algorithm. The join cost is the jump in latent space, less where the recordings make that transition.

FAISS finds the codes that a frame's path may take: four times as many as are kept, nearest by squared differences, then
ranked by their true cost. Where it is not certain that none of the others is cheaper, all codes are ranked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from vqsynth.control.resolve import ResolvedTarget, voiced
from vqsynth.errors import UsageError
from vqsynth.units.candidates import Candidates, Finder, grouped
from vqsynth.units.index import EXACT_LIMIT

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
_WIDER = 4
_FAR_AWAY = 1e4
_ROUNDING = 1e-5


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
            column = np.where(missing, _FAR_AWAY, column / tolerance)
            self.columns.append(column.astype(np.float32))
            weights = goal.weight * np.where(goal.mask, 1.0, 0.01)
            self.targets.append(((goal.scaled(goal.values) / tolerance).astype(np.float32), weights.astype(np.float32)))
        matrix = np.stack(self.columns, 1).astype(np.float64) if self.columns else np.zeros((0, 0))
        matrix[matrix == _FAR_AWAY] = np.nan
        self.known = int(np.isfinite(matrix).all(1).sum())
        self.finder = Finder(matrix) if self.known else None

    def __call__(self, start: int, stop: int) -> np.ndarray:
        """Costs of frames ``start`` to ``stop``: float32 [frames, codes]."""
        return self._of(np.arange(start, stop), slice(None))

    def _of(self, frames: np.ndarray, codes: np.ndarray | slice) -> np.ndarray:
        """Costs of codes in frames. Shape: [n], [n, k] or all -> [n, k] float32."""
        prior = self.prior[codes]
        total = np.repeat(prior[None], len(frames), 0) if prior.ndim == 1 else prior.copy()
        for name, column, (values, weights) in zip(self.names, self.columns, self.targets):
            difference = np.abs(values[frames, None] - column[codes])
            square = difference * difference
            if name == "f0":
                # Bending carries a pitch only so far: beyond, the cost is steep.
                difference = square + (np.maximum(difference - _FAR, 0) / _STEEP) ** 2
            else:
                # A tilt carries a spectrum further: beyond, the cost grows linearly (Huber).
                difference = np.where(difference > _KNEE, 2 * _KNEE * difference - _KNEE**2, square)
            difference *= weights[frames, None]
            total += difference
        return total

    def best(self, start: int, stop: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The ``count`` cheapest codes of frames ``start`` to ``stop``: ids and costs, each [frames, count]."""
        if self.finder is None or _WIDER * count >= self.known:
            return _cheapest(self(start, stop), count)
        ids = np.empty((stop - start, count), np.int64)
        costs = np.empty((stop - start, count), np.float32)
        targets = np.stack([values[start:stop] for values, _ in self.targets], 1)
        for weights, at in grouped(np.stack([weights[start:stop] for _, weights in self.targets], 1)):
            frames = start + at
            found = self.finder.search(targets[at], weights, _WIDER * count)
            # In order of their numbers, as all codes are: equals are told apart in the same way.
            nearby = np.sort(found.ids, 1)
            chosen, values = _cheapest(self._of(frames, nearby), count)
            ids[at], costs[at] = np.take_along_axis(nearby, chosen, 1), values
            sure = values.max(1) < self._beyond(targets[at], weights, found)
            rest = frames[~sure | (nearby[:, 0] < 0)]
            for block in np.split(rest, range(_CHUNK, len(rest), _CHUNK)) if len(rest) else ():
                ids[block - start], costs[block - start] = _cheapest(self._of(block, slice(None)), count)
        return ids, costs

    def _beyond(self, targets: np.ndarray, weights: np.ndarray, found: Candidates) -> np.ndarray:
        """A cost that no code which was not found is below. Shape: [n, targets], [targets] -> [n]"""
        if len(self.prior) > EXACT_LIMIT:
            # A codebook so large is searched in part; what is found there is taken.
            return np.full(len(targets), np.inf)
        least = found.least
        flat = weights[[name != "f0" for name in self.names]]
        if len(flat):
            # Beyond its knee a cost grows slower than the square: it is least if all of the distance is in one target.
            lightest = float(flat.min())
            linear = 2 * _KNEE * np.sqrt(lightest * least) - _KNEE**2 * lightest
            least = np.where(least > _KNEE**2 * lightest, np.minimum(least, linear), least)
        if not found.complete:
            apart = weights * (2 * _KNEE * (_FAR_AWAY - np.abs(targets)) - _KNEE**2)
            least = np.minimum(least, apart.min(1))
        return (1 - _ROUNDING) * least


class FrameCosts(Protocol):
    """Costs of every code in frames ``start`` to ``stop``: float32 [frames, codes]."""

    def __call__(self, start: int, stop: int) -> np.ndarray: ...


def nearest(costs: FrameCosts, frames: int) -> np.ndarray:
    """The code of least cost in every frame: int64 [frames]."""
    return _candidates(costs, 0, frames, 1)[0][:, 0]


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
    find = costs.best if isinstance(costs, Costs) else lambda at, stop, k: _cheapest(costs(at, stop), k)
    found = [find(at, min(at + _CHUNK, end), count) for at in range(start, end, _CHUNK)]
    return np.concatenate([ids for ids, _ in found]), np.concatenate([values for _, values in found])


def _cheapest(costs: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns of the least costs of each row, and these costs. Shape: [n, codes] -> [n, count] each."""
    codes = costs.shape[1]
    if count >= codes:
        chosen = np.tile(np.arange(codes), (len(costs), 1))
    elif count == 1:
        chosen = costs.argmin(1)[:, None]
    else:
        chosen = np.argpartition(costs, count - 1, axis=1)[:, :count]
    return chosen, np.take_along_axis(costs, chosen, 1)


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
