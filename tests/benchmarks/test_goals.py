"""A table that says "pass" must have looked at every goal."""

import dataclasses

import pytest

from benchmarks.tables import write_into
from benchmarks.tracking.cases import CONFIGURATIONS, Case, Result
from benchmarks.tracking.goals import failures, tracking_table, worst
from benchmarks.tracking.measure import Score

GOOD = Score(pearson=0.9995, relative=0.004, cents=2.0, within=0.99, valid=1.0)
TRIMS = {"bend_cents": 5.0, "tilt_db_per_octave": 0.5, "curve_db_per_octave2": 0.0}


def results(descriptor, target="sin", configuration=None, trims=TRIMS, roughness=0.5, **changes):
    """A render of every configuration, good but for ``changes`` in one of them."""
    made = []
    for name in CONFIGURATIONS:
        changed = name == configuration
        score = dataclasses.replace(GOOD, **changes) if changed else GOOD
        case = Case("violin", name, ((descriptor, target),))
        made.append(
            Result(
                case,
                {descriptor: score},
                500.0,
                2000.0,
                trims,
                roughness if changed or configuration is None else 0.5,
                1.0,
            )
        )
    return made


def short(descriptor, made):
    found = {name: worst([r for r in made if r.case.configuration == name], descriptor) for name in CONFIGURATIONS}
    return failures(found, descriptor)


@pytest.mark.parametrize(
    "descriptor, configuration, changes",
    [
        ("centroid", "path", {"pearson": 0.98}),
        ("centroid", "default", {"pearson": 0.99}),
        ("centroid", "default", {"pearson": float("nan")}),
        ("bandwidth", "path", {"relative": 0.05}),
        ("bandwidth", "default", {"relative": 0.011}),
        ("f0", "path", {"cents": 11.0}),
        ("f0", "default", {"cents": 5.5}),
        ("f0", "default", {"valid": 0.98}),
        ("centroid", "path", {"roughness": 2.5}),
        ("centroid", None, {"trims": {**TRIMS, "tilt_db_per_octave": 1.6}}),
        ("f0", None, {"trims": {**TRIMS, "bend_cents": 25.0}}),
    ],
)
def test_each_goal_can_be_missed_alone(descriptor, configuration, changes):
    assert short(descriptor, results(descriptor)) == []
    assert len(short(descriptor, results(descriptor, configuration=configuration, **changes))) == 1


def test_one_bad_target_is_not_averaged_away():
    made = results("centroid", "sin") + results("centroid", "line", "default", relative=0.2)
    table, passed, rows = tracking_table(made)
    assert (passed, rows) == (0, 1) and "short: default: 20.0 %" in table


@pytest.mark.parametrize("first", ["sin", "line"])
def test_a_curve_that_did_not_move_is_short(first):
    made = results("centroid", first, "default", pearson=float("nan")) + results("centroid", "arch")
    assert tracking_table(made)[1] == 0 and tracking_table(made[::-1])[1] == 0


def test_a_failed_render_is_short():
    made = results("centroid")
    made[2] = dataclasses.replace(made[2], scores={}, error="out of reach")
    table, passed, _ = tracking_table(made)
    assert passed == 0 and "default failed" in table


def test_tables_replace_their_own_block_only(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- begin x -->\nold\n<!-- end x -->\nb\n<!-- begin y -->\nkeep\n<!-- end y -->\n")
    write_into(page, "x", r"new \1")
    assert (
        page.read_text() == "a\n<!-- begin x -->\nnew \\1\n<!-- end x -->\nb\n<!-- begin y -->\nkeep\n<!-- end y -->\n"
    )
    with pytest.raises(SystemExit, match="no block"):
        write_into(page, "z", "")
