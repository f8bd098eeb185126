"""How descriptors, targets, ranges and weights pair up."""

import pytest

from vqsynth.control.request import pair
from vqsynth.errors import UsageError


def test_single_target_is_for_brightness_and_a_note_for_pitch():
    assert pair([], ["sin"])[0].descriptor == "centroid"
    assert pair([], ["A4"])[0].descriptor == "f0"
    assert pair([], ["tune.mid"])[0].descriptor == "f0"


def test_pairs_in_order_with_named_and_unnamed_ranges():
    requests = pair(["centroid", "f0"], ["sin", "line"], ["-", "A3:A4"], ["f0=2.5"])
    assert [(r.descriptor, r.target, r.range, r.weight) for r in requests] == [
        ("centroid", "sin", None, 1.0),
        ("f0", "line", "A3:A4", 2.5),
    ]
    assert pair(["centroid", "f0"], ["sin", "line"], ["f0=A3:A4"])[1].range == "A3:A4"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((["centroid", "f0"], ["sin"]), "2 descriptor.s. and 1 target.s."),
        ((["centroid"], ["sin"], ["1:2", "3:4"]), "more of them than descriptors"),
        ((["centroid"], ["sin"], ["f0=1:2"]), "'f0' is not asked for"),
        ((["centroid"], ["sin"], [], ["heavy"]), "give a number"),
    ],
)
def test_what_does_not_fit_is_said(arguments, said):
    with pytest.raises(UsageError, match=said):
        pair(*arguments)
