"""Between four sounds: weights, ways, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from vqsynth.errors import UsageError
from vqsynth.figures.mel import blank
from vqsynth.wavae.paths.plane import CORNERS, along, corner_weights, draw_plane, parse_point, read_trajectory


def test_weights_sum_to_one_and_are_never_negative():
    x, y = np.random.default_rng(0).uniform(0, 1, (2, 500))
    weights = corner_weights(x, y)
    np.testing.assert_allclose(weights.sum(1), 1)
    assert weights.min() >= 0
    # Where one is on the plane can be read back from the weights.
    np.testing.assert_allclose(weights @ np.array(CORNERS), np.stack([x, y], -1))


def test_corners_are_the_pure_sounds_and_the_middle_is_all_of_them():
    x, y = np.array(CORNERS, float).T
    np.testing.assert_array_equal(corner_weights(x, y), np.eye(4))
    np.testing.assert_array_equal(corner_weights(np.array([0.5]), np.array([0.5])), [[0.25] * 4])


@pytest.mark.parametrize(("text", "point"), [("0,1", (0, 1)), ("0.5, .25", (0.5, 0.25)), ("1e-1,1.0", (0.1, 1))])
def test_a_point(text, point):
    assert parse_point(text) == point


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.5", "two numbers"),
        ("a,b", "two numbers"),
        ("1,2,3", "two numbers"),
        ("1.1,0", "outside"),
        ("0,-0.1", "outside"),
        ("nan,0", "outside"),
    ],
)
def test_what_is_no_point_of_the_plane(text, message):
    with pytest.raises(UsageError, match=f"point {text}: .*{message}"):
        parse_point(text)


def test_a_way_is_held_at_its_ends_and_runs_on_lines(tmp_path):
    (tmp_path / "plane.csv").write_text("# a way\ntime,x,y\n1,0,0\n3,1,0.5\n")
    points = read_trajectory(tmp_path / "plane.csv")
    x, y = along(points, np.array([0, 1, 2, 3, 9.0]))
    np.testing.assert_allclose(x, [0, 0, 0.5, 1, 1])
    np.testing.assert_allclose(y, [0, 0, 0.25, 0.5, 0.5])
    # Without a header, as a spreadsheet with decimal commas writes it.
    (tmp_path / "plane.csv").write_text("1;0;0\n3;1;0,5\n")
    np.testing.assert_array_equal(read_trajectory(tmp_path / "plane.csv"), points)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0 point"),
        ("time,x,y\n0,0,0\n", "1 point"),
        ("0,0\n1,1\n", "line 1: found 2 column"),
        ("0,0,0,0\n1,1,1,1\n", "line 1: found 4 column"),
        ("0,0,0\n1,nan,0\n", "line 2: x 'nan' is not a finite number"),
        ("0,0,0\n1,0,up\n", "line 2: y 'up' is not a finite number"),
        ("0,0,0\n1,0,1.5\n", r"line 2: \(0, 1.5\) lies outside"),
        ("0,0,0\n2,0,1\n1,0,0\n", "line 3: time runs backwards"),
    ],
)
def test_what_is_no_way(tmp_path, text, message):
    (tmp_path / "plane.csv").write_text(text)
    with pytest.raises(UsageError, match=f"plane.csv.*{message}"):
        read_trajectory(tmp_path / "plane.csv")


def test_a_missing_or_binary_file(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        read_trajectory(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not a text file"):
        read_trajectory(tmp_path / "binary.csv")


def test_the_plane_shows_the_way_and_the_names_of_its_corners():
    time = np.linspace(0, 2, 50)
    axes = blank(4, 4).subplots()
    draw_plane(axes, time / 2, 1 - time / 2, time, ["cello", "cat", "flute", "horn"])
    np.testing.assert_allclose(axes.collections[0].get_offsets(), np.stack([time / 2, 1 - time / 2], -1))
    names = {text.get_text(): text.xy for text in axes.texts}
    assert names == {"A: cello": (0, 0), "B: cat": (1, 0), "C: flute": (0, 1), "D: horn": (1, 1)}
    # A point that stands still is one mark, without a scale of time.
    still = blank(4, 4).subplots()
    draw_plane(still, np.full(5, 0.25), np.full(5, 0.5), time[:5], "abcd")
    assert len(still.collections) == 0 and len(still.lines) == 1 and len(still.figure.axes) == 1
