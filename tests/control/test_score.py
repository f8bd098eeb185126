"""Notes of a score: their edges, slurs and glides."""

import numpy as np
import pytest

from vqsynth.control.request import Request
from vqsynth.control.resolve import ResolvedTarget
from vqsynth.control.score import brightness_of, dynamics_of, glided, notes_of
from vqsynth.control.targets import parse_target
from vqsynth.errors import UsageError

RATE = 44_100 / 512


def goal_of(target, times, duration, *ends):
    values = target.values(times, duration, *ends, log=True)
    mask = target.mask(times)
    span = float(values.min()), float(values.max())
    return ResolvedTarget("f0", "Hz", True, target.name, values, mask, 1.0, *span, span, "")


def read(spec, duration, articulation="auto", ends=()):
    """Notes, the goal and its times."""
    times = np.arange(1 + int(duration * RATE)) / RATE
    target = parse_target(str(spec), descriptor="f0", unit="Hz")
    goal = goal_of(target, times, duration, *ends)
    return notes_of([goal], [Request("f0", target)], times, duration, articulation), goal, times


def test_notes_of_a_midi_file(midi, tmp_path):
    path = midi.save(tmp_path / "a.mid", midi.note(0.5, 1, 69, 90) + midi.note(1.5, 2.5, 57, 60))
    notes, _, _ = read(path, 2.2)
    assert [(n.start, n.end, n.velocity) for n in notes] == [(0.5, 1.0, 90), (1.5, 2.2, 60)]
    assert [n.pitch for n in notes] == pytest.approx([440, 220])


def test_slurs_by_articulation(midi, tmp_path):
    track = midi.note(0, 1.03, 60) + midi.note(1, 2, 62)  # overlap
    track += midi.note(2, 3, 64) + midi.note(3, 4, 64)  # touch, repeat
    track += midi.note(4.03, 5, 65) + midi.note(5.2, 6, 67)  # nearly, and after a rest
    path = midi.save(tmp_path / "slurs.mid", track)
    slurs = {how: [n.slurred for n in read(path, 6, how)[0]] for how in ("auto", "legato", "detached")}
    assert slurs["auto"] == [False, True, False, False, False, False]
    assert slurs["legato"] == [False, True, True, False, True, False]
    assert not any(slurs["detached"])
    pedal = midi.save(tmp_path / "pedal.mid", track + midi.control(1.5, 68, 127))
    assert [n.slurred for n in read(pedal, 6)[0]] == slurs["legato"]
    with pytest.raises(UsageError, match="auto, legato, detached"):
        read(path, 6, "staccato")


def test_leaps_and_gaps_of_a_curve_are_notes(tmp_path):
    notes, _, _ = read("steps:4", 4, ends=(220.0, 440.0))
    assert [n.start for n in notes] == pytest.approx([0, 1, 2, 3], abs=0.02) and notes[-1].end == 4
    assert [n.pitch for n in notes] == pytest.approx([220 * 2 ** (k / 3) for k in range(4)])
    assert not any(n.slurred for n in notes)
    legato, _, _ = read("steps:4", 4, "legato", (220.0, 440.0))
    assert [n.slurred for n in legato] == [False, True, True, True]
    assert len(read("sin", 4, ends=(220.0, 440.0))[0]) == 1


def test_gaps_of_the_mask_are_rests():
    times = np.arange(345) / RATE
    mask = (times < 1) | (times > 2)
    goal = ResolvedTarget("f0", "Hz", True, "x", np.full(345, 300.0), mask, 1.0, 300, 300, (300, 300), "")
    notes = notes_of([goal], [], times, 4.0)
    assert [(round(n.start, 1), round(n.end, 1)) for n in notes] == [(0.0, 1.0), (2.0, 4.0)]


def test_all_is_one_tone_where_no_pitch_is_asked_for():
    (note,) = notes_of([], [], np.arange(100) / RATE, 1.15)
    assert (note.start, note.end, note.slurred) == (0, 1.15, False)


def test_slurred_notes_glide_and_others_step(midi, tmp_path):
    track = midi.control(0, 1, 127) + midi.note(0, 1.02, 60) + midi.note(1, 2, 72) + midi.note(2, 3, 71)
    notes, goal, times = read(midi.save(tmp_path / "glide.mid", track), 3)
    smooth = glided(goal, notes, times)
    change = np.abs(np.diff(12 * np.log2(smooth.values)))
    near = lambda at: (times[1:] > at - 0.1) & (times[1:] < at + 0.1)
    assert change[near(1)].max() < 4 and change[near(2)].max() > 0.9
    moving = times[1:][near(1)][change[near(1)] > 0.3]
    assert 0.04 <= moving.max() - moving.min() <= 0.09 and abs(moving.mean() - 1) < 0.02
    away = (np.abs(times - 1) > 0.06) & (times < 2.9)
    assert np.array_equal(smooth.values[away], goal.values[away])  # the vibrato stays
    assert len(moving) > 3


def test_the_silence_between_slurred_notes_is_filled(midi, tmp_path):
    path = midi.save(tmp_path / "near.mid", midi.note(0, 0.95, 60) + midi.note(1, 2, 62))
    for how, silent in (("legato", False), ("auto", True)):
        notes, goal, times = read(path, 2, how)
        assert (~glided(goal, notes, times).mask[times < 1.9]).any() == silent


def test_level_and_brightness_come_from_the_notes(midi, tmp_path):
    path = midi.save(tmp_path / "soft.mid", midi.note(0, 1, 60, 50) + midi.note(2, 3, 62, 100))
    request, times = Request("f0", parse_target(path)), np.array([0.0, 1.5, 2.5])
    assert dynamics_of([request], times) == pytest.approx([-12.04, -12.04, 0], abs=0.01)
    assert brightness_of([request], times) == pytest.approx([-0.361, -0.361, 0], abs=0.001)
    sine = Request("f0", parse_target("sin"))
    assert dynamics_of([sine], times) is None and brightness_of([sine], times) is None
