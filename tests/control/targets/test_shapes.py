import numpy as np
import pytest

from vqsynth.control.targets import SHAPES, parse_target
from vqsynth.errors import UsageError

TIMES = np.arange(1001) * 0.01  # 10 s


def shape(spec, times=TIMES, duration=10.0, **options):
    return parse_target(spec, **options).values(times, duration, 0.0, 1.0)


def at(spec, *fractions, **options):
    return shape(spec, np.array(fractions) * 10.0, **options)


def test_formulas():
    assert at("sin", 0, 0.25, 0.5, 0.75, 1) == pytest.approx([0.5, 1, 0.5, 0, 0.5])
    assert at("line", 0, 0.3, 1) == pytest.approx([0, 0.3, 1])
    assert at("log", 0, 0.5, 1) == pytest.approx([0, np.log10(5.5), 1])
    assert at("exp", 0, 0.5, 1) == pytest.approx([0, (np.sqrt(10) - 1) / 9, 1])
    assert at("arch", 0, 0.25, 0.5, 0.75, 1) == pytest.approx([0, np.log10(5.5), 1, (np.sqrt(10) - 1) / 9, 0])
    assert at("constant", 0, 0.7, 1) == pytest.approx([0.5, 0.5, 0.5])
    assert at("steps", 0, 0.19, 0.21, 0.5, 0.99, 1) == pytest.approx([0, 0, 0.25, 0.5, 1, 1])


def test_log_and_exp_are_inverse():
    assert shape("log", shape("exp") * 10.0) == pytest.approx(TIMES / 10.0)


@pytest.mark.parametrize("spec", SHAPES)
def test_every_shape_stays_in_its_range_and_spans_it(spec):
    curve = shape(spec)
    assert curve.dtype == np.float64 and curve.shape == TIMES.shape
    assert curve.min() >= 0 and curve.max() <= 1
    if spec != "constant":
        assert curve.min() < 0.01 and curve.max() > 0.99


@pytest.mark.parametrize("spec", SHAPES)
def test_a_chunk_equals_its_part_of_the_whole(spec):
    target = parse_target(spec, seed=3)
    whole = target.values(TIMES, 10.0, 200.0, 800.0)
    parts = [target.values(chunk, 10.0, 200.0, 800.0) for chunk in np.array_split(TIMES, 7)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_a_minus_is_the_same_as_a_range_the_other_way_round():
    for spec in SHAPES:
        swapped = parse_target(spec).values(TIMES, 10.0, 800.0, 200.0, log=True)
        np.testing.assert_allclose(parse_target("-" + spec).values(TIMES, 10.0, 200.0, 800.0, log=True), swapped)


def test_the_scale_of_the_range():
    line = parse_target("line")
    middle = np.array([5.0])
    assert line.values(middle, 10.0, 200.0, 800.0) == pytest.approx([500.0])
    assert line.values(middle, 10.0, 200.0, 800.0, log=True) == pytest.approx([400.0])
    with pytest.raises(UsageError, match="above 0"):
        line.values(middle, 10.0, 0.0, 800.0, log=True)
    with pytest.raises(UsageError, match="finite"):
        line.values(middle, 10.0, np.nan, 800.0)


def test_periods_repeat_and_the_end_is_the_end():
    assert at("line", 0, 0.25, 0.5, 0.75, 1, periods=2) == pytest.approx([0, 0.5, 0, 0.5, 1])
    np.testing.assert_allclose(shape("sin:4"), 0.5 + 0.5 * np.sin(2 * np.pi * 4 * TIMES / 10.0), atol=1e-12)
    np.testing.assert_array_equal(shape("sin:4"), shape("sin", periods=4))
    np.testing.assert_array_equal(shape("sin:4", periods=7), shape("sin:4"))


def test_steps_counts_its_levels():
    assert len(np.unique(shape("steps:8"))) == 8
    assert np.unique(shape("steps:1")) == pytest.approx([0.5])
    levels = parse_target("steps:13").values(TIMES, 10.0, 220.0, 440.0, log=True)
    assert np.unique(levels)[1] / 220.0 == pytest.approx(2 ** (1 / 12))  # a semitone


def test_a_walk_is_given_by_its_seed_and_is_smooth():
    first = shape("walk", seed=1)
    np.testing.assert_array_equal(first, shape("walk", seed=1))
    assert np.abs(first - shape("walk", seed=2)).max() > 0.2
    assert np.abs(np.diff(first)).max() < 0.05  # no jumps at 100 values a second
    turns = lambda curve: int((np.diff(np.sign(np.diff(curve))) != 0).sum())
    assert turns(shape("walk:8", seed=1)) > turns(first)


def test_times_beyond_the_end_hold_the_end():
    assert parse_target("line").values(np.array([-1.0, 11.0]), 10.0, 0.0, 1.0) == pytest.approx([0, 1])


def test_a_shape_needs_a_range():
    target = parse_target("sin")
    assert target.needs_range and target.takes_range and str(target.default_range) == "p10:p90"
    with pytest.raises(UsageError, match="target sin: give it a range"):
        target.values(TIMES, 10.0)
    with pytest.raises(UsageError, match="duration"):
        target.values(TIMES, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("spec", ["sin:0", "sin:-2", "sin:x", "sin:nan", "sin:", "steps:0", "constant:440"])
def test_bad_numbers_after_the_colon(spec):
    with pytest.raises(UsageError, match=f"target {spec}: "):
        parse_target(spec)


@pytest.mark.parametrize("periods", [0, -1, float("nan"), float("inf"), 1e9])
def test_bad_periods(periods):
    with pytest.raises(UsageError, match="periods"):
        parse_target("sin", periods=periods)
