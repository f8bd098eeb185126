"""Ranges among the codes that are left, reach, clamping, and the pitch that is held."""

import numpy as np
import pytest

from vqsynth.control.default_pitch import best_pitch
from vqsynth.control.request import Request
from vqsynth.control.resolve import meets, resolve, voiced
from vqsynth.control.targets import parse_target
from vqsynth.dsp.notes import note_to_hz
from vqsynth.errors import UsageError
from vqsynth.library.table import Table
from vqsynth.library.timbre import load

TIMES = np.linspace(0, 10, 500)


def request(name, target, range_=None):
    return Request(name, parse_target(target, descriptor=name), range_)


def resolve_all(table, *requests, **options):
    options.setdefault("hold", None)
    return {goal.name: goal for goal in resolve(requests, table, TIMES, 10.0, **options)}


@pytest.fixture
def table() -> Table:
    """Three pitches of 20 codes. Centroids: 500 to 1000 at 220 Hz, 1000 to 3000 at 440 Hz, 2000 to 2500 at 880 Hz."""
    f0 = np.repeat([220.0, 440.0, 880.0], 20)
    centroid = np.concatenate([np.geomspace(500, 1000, 20), np.geomspace(1000, 3000, 20), np.geomspace(2000, 2500, 20)])
    return Table(
        {"centroid": centroid, "f0": f0}, std={"f0": np.zeros(60)}, usage=np.ones(60, int), voicing=np.ones(60)
    )


def test_percentiles_are_those_of_the_codes_at_the_asked_pitch(table):
    alone = resolve_all(table, request("centroid", "sin"))["centroid"]
    with_pitch = resolve_all(table, request("centroid", "sin"), request("f0", "A3"))["centroid"]
    here = table.column("centroid")[:20]
    assert (with_pitch.low, with_pitch.high) == pytest.approx(np.percentile(here, [10, 90]))
    assert with_pitch.reach == pytest.approx((500, 1000))
    assert alone.high > 2000
    assert with_pitch.values.min() >= with_pitch.low - 1e-6 and with_pitch.values.max() <= with_pitch.high + 1e-6


def test_the_held_pitch_is_where_the_range_is_widest(table):
    held = resolve_all(table, request("centroid", "sin"), hold="auto")["f0"]
    assert held.held and abs(1200 * np.log2(held.values[0] / 440)) < 60
    assert np.ptp(held.values) == 0


def test_the_held_pitch_is_where_an_asked_range_is_reached(table):
    held = resolve_all(table, request("centroid", "sin", "600:900"), hold="auto")["f0"]
    assert abs(1200 * np.log2(held.values[0] / 220)) < 60


def test_the_pitch_is_left_free_when_no_pitch_reaches_the_range(table, warned):
    resolved = resolve_all(table, request("centroid", "sin", "600:2800"), hold="auto")
    assert set(resolved) == {"centroid"}
    assert "left free" in warned[0]


def test_out_of_reach_is_refused_with_the_range_and_cut_only_on_request(table, warned):
    with pytest.raises(UsageError, match="reaches 500 to 3000 Hz"):
        resolve_all(table, request("centroid", "line", "500:20000"))
    goal = resolve_all(table, request("centroid", "line", "500:20000"), clamp=True)["centroid"]
    assert goal.values.max() == pytest.approx(3000)
    assert "cut" in warned[-1]


def test_reach_is_that_of_the_codes_that_meet_the_other_request(table):
    with pytest.raises(UsageError, match="reaches 500 to 1000 Hz"):
        resolve_all(table, request("centroid", "sin", "600:2800"), request("f0", "A3"))
    assert resolve_all(table, request("centroid", "sin", "1200:2800"), request("f0", "A4"))["centroid"].low == 1200


def test_trims_extend_the_reach(table):
    with pytest.raises(UsageError):
        resolve_all(table, request("centroid", "constant", "3200:3200"))
    assert resolve_all(table, request("centroid", "constant", "3200:3200"), reach=1 / 6)["centroid"].high == 3200


def test_unknown_repeated_and_missing_descriptors(table):
    with pytest.raises(UsageError, match="unknown descriptor"):
        resolve_all(table, Request("brightness", "sin"))
    with pytest.raises(UsageError, match="twice"):
        resolve_all(table, request("f0", "A3"), request("f0", "A4"))
    with pytest.raises(UsageError, match="not in this timbre's table"):
        resolve_all(table, request("rolloff", "sin"))
    with pytest.raises(UsageError, match="takes no range"):
        resolve_all(table, request("f0", "A4", "A3:A5"))


def test_codes_heard_as_two_pitches_carry_none(table):
    table.std["f0"][3] = 100.0
    table.voicing[4] = 0.4
    assert not voiced(table)[[3, 4]].any() and voiced(table)[[2, 5]].all()


def test_a_descriptor_that_no_code_has(table):
    table.voicing[:] = 0.0
    with pytest.raises(UsageError, match="none of this timbre's codes"):
        resolve_all(table, request("f0", "A4"))
    assert set(resolve_all(table, request("centroid", "sin"), hold="auto")) == {"centroid"}


def test_a_few_odd_frames_are_cut_and_more_are_refused(table, warned):
    goal = resolve_all(table, request("centroid", "line", "500:3100"))["centroid"]
    assert goal.values.max() == goal.high == 3000
    assert "asks for 500 to 3100 Hz" in warned[0] and "2% of the frames" in warned[0]
    with pytest.raises(UsageError, match="asks for 500 to 3400 Hz"):
        resolve_all(table, request("centroid", "line", "500:3400"))


@pytest.mark.parametrize("edge, sign", [(880, 1), (220, -1)])
def test_bending_carries_a_pitch_a_semitone_further(table, edge, sign):
    near, far = (edge * 2 ** (sign * semitones / 12) for semitones in (0.9, 1.1))
    goal = resolve_all(table, request("f0", f"{near:.3f} Hz"))["f0"]
    assert goal.values == pytest.approx(near, rel=1e-5)
    with pytest.raises(UsageError, match="reaches 220 to 880 Hz"):
        resolve_all(table, request("f0", f"{far:.3f} Hz"))


def test_a_code_meets_a_range_within_a_semitone_and_a_pitch_within_sixty_cents(table):
    goal = resolve_all(table, request("centroid", "sin", "1000:2000"))["centroid"]
    table.values["centroid"][:6] = [1000 / 1.07, 1000 / 1.05, 1500, 2000 * 1.05, 2000 * 1.07, np.nan]
    log = np.abs(np.log2(table.column("centroid")[:6] / np.clip(table.column("centroid")[:6], 1000, 2000)))
    assert meets(goal, table)[:6].tolist() == (log <= 1 / 12).tolist()
    assert meets(goal, table, 2.0)[:6].tolist() == (log <= 2 / 12).tolist()
    pitch = resolve_all(table, request("f0", "A4"))["f0"]
    table.values["f0"][:4] = 440 * 2 ** (np.array([-61, -59, 59, 61]) / 1200)
    assert meets(pitch, table)[:4].tolist() == [False, True, True, False]


def test_the_held_pitch_is_a_note_of_the_piano(table):
    table.values["f0"] *= 2 ** (15 / 1200)
    span = [("centroid", lambda among: (1100.0, 2900.0))]
    assert best_pitch(table, voiced(table), span) == pytest.approx(440, rel=1e-9)
    # The lowest and the highest are among the choices.
    assert best_pitch(table, voiced(table), [("centroid", lambda among: (510.0, 990.0))]) == pytest.approx(220)
    table.values["centroid"][40:] = np.geomspace(4000, 8000, 20)
    assert best_pitch(table, voiced(table), [("centroid", lambda among: (4000.0, 8000.0))]) == pytest.approx(880)


def test_the_held_pitch_has_codes_all_along_the_range(table):
    table.values["centroid"][:20] = np.geomspace(1000, 3000, 20)
    table.values["centroid"][20:40] = np.repeat([1000.0, 3000.0], 10)
    span = [("centroid", lambda among: (1000.0, 3000.0))]
    assert best_pitch(table, voiced(table), span) == pytest.approx(220)
    # Codes whose brightness is not known do not help.
    table.values["centroid"][:18] = np.nan
    assert best_pitch(table, voiced(table), span) == pytest.approx(440)


def test_of_equal_pitches_the_one_with_more_codes_is_held(table):
    sings = np.ones(60, bool)
    for kept, pitch in ((20, 440), (0, 220), (40, 880)):
        sings[:] = False
        sings[[0, 1, 2, 3, 4, 5, 6, 20, 21, 22, 23, 24, 25, 26, 40, 41, 42, 43, 44, 45, 46]] = True
        sings[kept : kept + 12] = True
        assert best_pitch(table, sings, []) == pytest.approx(pitch)
    sings[:] = False
    sings[:5] = True
    assert best_pitch(table, sings, []) is None
    sings[5] = True
    assert best_pitch(table, sings, []) == pytest.approx(220)


def test_a_code_without_voice_meets_a_brightness_and_no_pitch(table):
    table.voicing[20:30] = 0.2
    requests = request("centroid", "sin", "1000:3000"), request("f0", "A4")
    brightness, pitch = (resolve_all(table, r)[r.descriptor] for r in requests)
    assert meets(brightness, table)[20:40].all()
    assert meets(pitch, table)[20:40].tolist() == [False] * 10 + [True] * 10


HELD = {
    "cello": ["A3", "A3", "E4", "D#3", "A#2"],
    "flute": ["F5", "A6", "A4", "A#6", "A5"],
    "horn": ["A2", "A2", "D3", "A2", "D3"],
    "saxophone": ["E4", "E4", "E4", "E4", "E4"],
    "singing": ["B2", "B2", "A3", "F3", "B2"],
    "singing_female": ["F4", "C5", "F#4", "F#4", "C#5"],
    "trumpet": ["F4", "G#3", "G#5", "F#4", "G#3"],
    "violin": ["B3", "G5", "A3", "G#5", "B3"],
}
ASKED = [
    ("centroid", "p10:p90"),
    ("bandwidth", "p10:p90"),
    ("centroid", "1000:2000"),
    ("rolloff", "p20:p80"),
    ("flatness", "p30:p70"),
]


@pytest.mark.parametrize("name", HELD)
def test_the_pitches_held_by_the_shipped_timbres_stay(name):
    """The default render of a timbre is its face: the pitch that it holds must not move by accident."""
    codes = load(name).table
    times = np.arange(400) / 86.13
    for (descriptor, range_), note in zip(ASKED, HELD[name]):
        asked = [Request(descriptor, "sin", range_)]
        held = {goal.name: goal for goal in resolve(asked, codes, times, 4.6, clamp=True, reach=1 / 6)}["f0"]
        assert held.held
        assert held.values == pytest.approx(np.full(400, note_to_hz(note))), (descriptor, range_)
