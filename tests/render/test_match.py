"""The matchers: nearest is nearest, the path is the cheapest of all and smoother."""

import itertools

import numpy as np
import pytest

from vqsynth.control.resolve import ResolvedTarget
from vqsynth.errors import UsageError
from vqsynth.library.table import Table
from vqsynth.render import match as matching
from vqsynth.render.match import Costs, PathSettings, check_matcher, jump_costs, match, nearest, path


def goal(name, values, weight=1.0):
    values = np.asarray(values, float)
    ends = values.min(), values.max()
    return ResolvedTarget(name, "Hz", True, "test", values, np.ones(len(values), bool), weight, *ends, ends, "test")


def table(codes=200, seed=0):
    random = np.random.default_rng(seed)
    columns = {"centroid": random.uniform(500, 4000, codes), "f0": random.uniform(200, 800, codes)}
    return Table(columns, std={"f0": np.zeros(codes)}, usage=random.integers(1, 50, codes), voicing=np.ones(codes))


def test_nearest_takes_the_code_whose_value_is_nearest():
    codes, wanted = table(), np.linspace(600, 3900, 50)
    chosen = nearest(Costs([goal("centroid", wanted)], codes, prior=False), 50)
    log = np.log2(codes.column("centroid"))
    assert np.array_equal(chosen, np.abs(np.log2(wanted)[:, None] - log).argmin(1))


def test_path_is_the_cheapest_of_all_sequences():
    codes = table(5)
    costs = Costs([goal("centroid", [900, 2000, 3500, 1500, 1400])], codes)
    jumps = jump_costs(np.random.default_rng(1).standard_normal((5, 3)).astype(np.float32), 1.0, None, PathSettings())
    local = costs(0, 5)

    def total(sequence):
        return sum(local[t, c] for t, c in enumerate(sequence)) + sum(
            jumps[a, b] for a, b in itertools.pairwise(sequence)
        )

    found = path(costs, 5, jumps, PathSettings(candidates=5))
    assert total(found) == pytest.approx(min(total(s) for s in itertools.product(range(5), repeat=5)), rel=1e-5)


def test_path_jumps_less_than_nearest_and_stays_near_the_target():
    codes, codebook = table(400), np.random.default_rng(2).standard_normal((400, 8)).astype(np.float32)
    wanted = 1500 * 2 ** np.sin(np.linspace(0, 6, 600))
    log = np.log2(codes.column("centroid"))

    def jump(c):
        return np.linalg.norm(np.diff(codebook[c], axis=0), axis=1).mean()

    by_path = match("path", [goal("centroid", wanted)], codes, codebook, 600)
    by_nearest = match("nearest", [goal("centroid", wanted)], codes, codebook, 600)
    assert jump(by_path) < 0.6 * jump(by_nearest)
    assert np.median(np.abs(log[by_path] - np.log2(wanted))) < 0.1


def test_transitions_of_the_corpus_are_cheaper():
    codebook = np.eye(3, dtype=np.float32)
    jumps = jump_costs(codebook, 1.0, np.array([[0, 1, 30]]), PathSettings())
    assert jumps[0, 1] < jumps[0, 2] == pytest.approx(jumps[1, 0])
    assert np.all(np.diag(jumps) == 0)


def test_blocks_of_a_long_path_join_without_a_seam(monkeypatch):
    codes, codebook = table(300, 3), np.random.default_rng(3).standard_normal((300, 8)).astype(np.float32)
    costs = Costs([goal("centroid", 1500 * 2 ** np.sin(np.linspace(0, 20, 1000)))], codes)
    jumps = jump_costs(codebook, None, None, PathSettings())
    whole = path(costs, 1000, jumps)
    monkeypatch.setattr(matching, "_BLOCK", 150)
    monkeypatch.setattr(matching, "_OVERLAP", 60)
    assert np.mean(path(costs, 1000, jumps) == whole) > 0.99


def test_a_code_without_pitch_is_never_taken_for_one():
    codes = table(50, 4)
    codes.values["f0"][:10] = np.nan
    codes.voicing[10:20] = 0.2
    for matcher in ("nearest", "path"):
        chosen = match(matcher, [goal("f0", np.geomspace(210, 790, 200))], codes, np.eye(50, dtype=np.float32), 200)
        assert chosen.min() >= 20


def test_a_far_pitch_is_worse_than_a_far_brightness():
    columns = {"centroid": np.array([1000.0, 4000.0]), "f0": np.array([440.0, 550.0])}
    two = Table(columns, std={"f0": np.zeros(2)}, usage=np.ones(2, int), voicing=np.ones(2))
    resolved = [goal("centroid", [4000.0] * 9), goal("f0", [440.0] * 9)]
    assert (match("path", resolved, two, np.eye(2, dtype=np.float32), 9) == 0).all()


def test_unknown_matcher():
    with pytest.raises(UsageError, match="choose one of auto, played, path, nearest"):
        check_matcher("best")


def octaves_off(octaves, weight=1.0, mask=True, name="centroid"):
    """Costs of codes that miss 1000 Hz by ``octaves``, in a table whose logarithms have a deviation of 1."""
    wide = np.tile([-1.0, 1.0], 5000)  # so many that the few do not change the deviation
    log = np.log2(1000) + np.concatenate([octaves, wide])
    many = len(log)
    codes = Table({name: 2**log}, std={"f0": np.zeros(many)}, usage=np.ones(many, int), voicing=np.ones(many))
    codes.values.setdefault("f0", np.full(many, 440.0))
    asked = goal(name, [1000.0], weight)
    asked.mask[:] = mask
    return Costs([asked], codes, prior=False)(0, 1)[0, : len(octaves)]


def test_the_cost_of_a_spectral_error_is_its_square_and_then_grows_evenly():
    unit = 0.085
    got = octaves_off(unit * np.array([0.0, 0.5, -1.0, 2.0, 3.0, -4.0]))
    assert got == pytest.approx([0, 0.25, 1, 4, 8, 12], rel=2e-3, abs=1e-4)


def test_the_cost_of_a_pitch_error_is_steep_where_bending_ends():
    cents = np.array([0.0, 28.0, -56.0, 64.0, 72.0, -80.0])
    got = octaves_off(cents / 1200, name="f0")
    assert got == pytest.approx([0, 1, 4, 5.2245, 6.6122 + 1, 8.1633 + 4], rel=2e-3, abs=1e-4)


def test_weights_count_and_rests_a_hundredth():
    off = np.array([0.0, 0.085])
    assert octaves_off(off, weight=3.0)[1] == pytest.approx(3, rel=2e-3)
    assert octaves_off(off, weight=3.0, mask=False)[1] == pytest.approx(0.03, rel=2e-3)


def test_of_equals_the_one_that_the_recordings_use_more():
    usage = np.array([0, 1, 9])
    codes = Table({"f0": np.full(3, 440.0)}, std={"f0": np.zeros(3)}, usage=usage, voicing=np.ones(3))
    asked = [goal("f0", [440.0] * 5)]
    assert Costs(asked, codes)(0, 1)[0] == pytest.approx([0.02, 0.01, 0.002])
    assert (match("path", asked, codes, np.zeros((3, 2), np.float32), 5) == 2).all()


def test_a_code_without_a_value_is_as_far_as_no_other():
    codes = table(3)
    codes.values["centroid"][1] = np.nan
    costs = Costs([goal("centroid", [20_000.0])], codes, prior=False)(0, 1)[0]
    assert np.isfinite(costs).all() and costs[1] > 100 * max(costs[0], costs[2])


def test_the_cost_of_a_jump_is_its_length_in_that_of_real_playing():
    codebook = np.array([[0, 0], [3, 4], [0, 8]], np.float32)
    lengths = np.array([[0, 5, 8], [5, 0, 5], [8, 5, 0]])
    assert jump_costs(codebook, 2.0, None, PathSettings(jump=0.5)) == pytest.approx(lengths * 0.25, rel=1e-5)
    # Without a scale: half the mean distance, codes to themselves included.
    assert jump_costs(codebook, None, None, PathSettings(jump=1.0)) == pytest.approx(lengths / 2, rel=1e-5)
    rows = np.array([[0, 1, 2], [2, 1, 18]])
    forgiven = jump_costs(codebook, 5.0, rows, PathSettings(jump=1.0, corpus=0.4))
    assert forgiven == pytest.approx(np.array([[0, 1 - 0.2, 1.6], [1, 0, 1], [1.6, 1 - 0.36, 0]]), rel=1e-5)
    assert not jump_costs(np.zeros((3, 2), np.float32), None, None, PathSettings()).any()


def test_a_long_path_is_the_cheapest():
    random = np.random.default_rng(5)
    local = random.uniform(0, 3, (700, 12)).astype(np.float32)
    jumps = random.uniform(0, 2, (12, 12)).astype(np.float32)  # not the same there and back
    total = local[0]
    for step in local[1:]:
        total = (total[:, None] + jumps).min(0) + step
    found = path(lambda start, stop: local[start:stop], 700, jumps, PathSettings(candidates=12))
    cost = local[np.arange(700), found].sum() + jumps[found[:-1], found[1:]].sum()
    assert cost == pytest.approx(total.min(), rel=1e-4)


def test_the_best_candidates_are_kept(monkeypatch):
    local = np.random.default_rng(6).permuted(np.tile(np.arange(20, dtype=np.float32), (300, 1)), axis=1)
    ids, costs = matching._candidates(lambda start, stop: local[start:stop], 10, 300, 4)
    assert ids.shape == (290, 4)
    assert (np.sort(costs, 1) == np.arange(4)).all()
    assert (local[np.arange(10, 300)[:, None], ids] == costs).all()


def test_a_block_starts_from_where_the_last_one_ended(monkeypatch):
    monkeypatch.setattr(matching, "_BLOCK", 4)
    monkeypatch.setattr(matching, "_OVERLAP", 0)
    # Code 1 is a little better in the second block, but the way there costs more.
    local = np.zeros((8, 2), np.float32)
    local[:4, 1], local[4:, 0] = 1.0, 0.1
    jumps = np.array([[0, 5], [5, 0]], np.float32)
    assert not path(lambda start, stop: local[start:stop], 8, jumps).any()
    # Without a price of jumps each frame goes its own way.
    assert path(lambda start, stop: local[start:stop], 8, 0 * jumps).tolist() == [0] * 4 + [1] * 4


@pytest.mark.parametrize("names", [("centroid",), ("f0",), ("centroid", "f0"), ("bandwidth", "centroid", "f0")])
def test_the_index_finds_what_ranking_all_codes_finds(names):
    codes = table(900, 8)
    random = np.random.default_rng(9)
    codes.values["bandwidth"] = random.uniform(800, 5000, 900)
    codes.std["bandwidth"] = np.zeros(900)
    codes.values["centroid"][::7] = np.nan
    codes.voicing[::5] = 0.1
    goals = [goal(name, random.uniform(150, 6000, 400), weight) for name, weight in zip(names, (1.0, 0.5, 2.0))]
    goals[-1].mask[100:200] = False
    goals[0].mask[150:300] = False
    costs = Costs(goals, codes)
    ids, values = matching._candidates(costs, 0, 400, 48)
    all_ids, all_values = matching._candidates(lambda start, stop: costs(start, stop), 0, 400, 48)
    assert (np.sort(ids, 1) == np.sort(all_ids, 1)).all()
    assert (np.sort(values, 1) == np.sort(all_values, 1)).all()


def test_the_index_is_what_finds_them(monkeypatch):
    ranked = []
    rank = Costs._of
    monkeypatch.setattr(
        Costs, "_of", lambda self, frames, codes: ranked.append(np.size(codes)) or rank(self, frames, codes)
    )
    costs = Costs([goal("f0", np.geomspace(220, 780, 300))], table(2000, 10))
    matching._candidates(costs, 0, 300, 48)
    assert sum(ranked) == 300 * 4 * 48  # of 2,000 codes, 192 a frame


class Ranked(Costs):
    """Costs that count for how many frames all codes were ranked."""

    whole = 0

    def _of(self, frames, codes):
        self.whole += len(frames) * isinstance(codes, slice)
        return super()._of(frames, codes)


@pytest.mark.parametrize("codes", [1024, 60_000])
def test_the_index_finds_the_candidates_that_ranking_all_codes_finds(codes):
    known, frames = table(codes), 400
    wanted = [
        goal("f0", 400 * 2 ** (0.6 * np.sin(np.linspace(0, 9, frames)))),
        goal("centroid", np.geomspace(600, 3900, frames), 0.5),
    ]
    wanted[1].mask[100:150] = False
    costs = Ranked(wanted, known, prior=False)
    ids, values = costs.best(0, frames, 16)
    ranked = costs.whole
    everything = costs(0, frames)
    assert ids.shape == (frames, 16) and all(len(set(row)) == 16 for row in ids)
    np.testing.assert_array_equal(np.take_along_axis(everything, ids, 1), values)
    np.testing.assert_array_equal(values.min(1), everything.min(1))
    if codes == 1024:
        np.testing.assert_allclose(np.sort(values, 1), np.sort(everything, 1)[:, :16], rtol=1e-6)
    assert ranked < 0.5 * frames, "the index found hardly anything"


@pytest.mark.parametrize("asked", [("f0",), ("centroid",), ("bandwidth", "centroid"), ("centroid", "f0")])
def test_sequences_are_those_of_ranking_all_codes(asked):
    import vqsynth

    timbre, frames = vqsynth.load("violin"), 500
    wanted = []
    for number, name in enumerate(asked):
        low, high = timbre.table.percentile(name, [5, 95])
        course = 0.5 - 0.5 * np.cos(np.linspace(0, 5 + 3 * number, frames))
        wanted.append(goal(name, low * (high / low) ** course))
    wanted[0].mask[200:230] = False
    jumps = jump_costs(timbre.model.codebook.numpy(), 1.0, timbre.transitions, PathSettings())
    costs = Costs(wanted, timbre.table)
    found = path(costs, frames, jumps, PathSettings())
    np.testing.assert_array_equal(found, path(lambda a, b: costs(a, b), frames, jumps, PathSettings()))
    plain = Costs(wanted, timbre.table, prior=False)
    np.testing.assert_array_equal(nearest(plain, frames), plain(0, frames).argmin(1))
