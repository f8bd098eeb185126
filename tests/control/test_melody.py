"""A melody moves by octaves; its gaps are bridged."""

from __future__ import annotations

import numpy as np
import pytest

from vqsynth.control.melody import _notes, best_octave, bridge, fit_octaves


def line(*pitches: float, frames: int = 20) -> np.ndarray:
    return np.repeat(np.array(pitches, np.float32), frames)


@pytest.mark.parametrize("shift", [-3, -1, 0, 2])
def test_the_whole_melody_moves_together(shift):
    melody = line(300, 400, 0, 450, 350)
    fitted, octaves = fit_octaves(melody * 2.0**shift, 250, 600)
    assert octaves == -shift
    np.testing.assert_allclose(fitted, melody, rtol=1e-6)


def test_notes_outside_a_wide_line_move_alone_and_as_one():
    melody = line(300, 330, 350, 1200)
    fitted, octaves = fit_octaves(melody, 250, 640)
    assert octaves == 0
    np.testing.assert_allclose(fitted[:60], melody[:60])
    np.testing.assert_allclose(fitted[60:], 600, rtol=1e-6)


def test_a_glide_is_never_torn():
    glide = np.geomspace(200, 900, 200).astype(np.float32)
    fitted, _ = fit_octaves(glide, 250, 640)
    assert np.abs(np.diff(12 * np.log2(fitted))).max() < 0.5


@pytest.mark.parametrize("outside, octaves", [(1, 0), (9, 0), (11, 1), (40, 1)])
def test_a_melody_moves_only_if_a_tenth_of_it_gains(outside, octaves):
    melody = np.repeat(np.array([300, 200], np.float32), [100 - outside, outside])
    assert best_octave(melody, 250, 640) == octaves
    # Two octaves must be worth two tenths.
    assert best_octave(melody / 2, 250, 640) == 1 + (outside > 10)


def test_silence_and_narrow_ranges_do_no_harm():
    fitted, octaves = fit_octaves(np.zeros(10, np.float32), 250, 600)
    assert octaves == 0 and not fitted.any()
    assert best_octave(line(100.0), 430, 450) == 2


def test_given_octaves_are_taken_as_they_are():
    fitted, octaves = fit_octaves(line(100, 3000), 250, 600, octaves=-1)
    assert octaves == -1
    np.testing.assert_allclose(fitted, line(50, 1500))


def test_short_gaps_are_bridged_and_long_ones_stay():
    melody = np.concatenate([line(200), np.zeros(5), line(400), np.zeros(30), line(400)])
    filled = bridge(melody, 8)
    gap = filled[20:25]
    assert np.all(np.diff(filled[19:26]) > 0) and gap.min() > 200 and gap.max() < 400
    assert not filled[45:75].any()
    np.testing.assert_allclose(filled[melody > 0], melody[melody > 0], rtol=1e-6)


@pytest.mark.parametrize("cents, octaves", [(90, 0), (110, -1)])
def test_a_semitone_beyond_the_range_is_within(cents, octaves):
    beyond = 2 ** (cents / 1200)
    assert best_octave(line(600 * beyond), 250, 600) == octaves
    assert best_octave(line(250 / beyond), 250, 600) == -octaves


@pytest.mark.parametrize("semitones, octaves", [(0.8, 0), (1.2, 1), (12.8, 1), (13.5, 2)])
def test_a_note_moves_once_it_is_a_semitone_outside(semitones, octaves):
    off = 2 ** (semitones / 12)
    for pitch, sign in ((640 * off, -1), (250 / off, 1)):
        fitted, whole = fit_octaves(line(300, 400, 300, 400, pitch), 250, 640)
        assert whole == 0
        np.testing.assert_allclose(fitted[80:], pitch * 2.0 ** (sign * octaves), rtol=1e-6)
        np.testing.assert_allclose(fitted[:80], line(300, 400, 300, 400))


def test_notes_end_at_leaps_and_at_rests():
    assert _notes(line(300, 367, 500, 0, 500, frames=5)) == [(0, 10), (10, 15), (20, 25)]
    assert _notes(line(0, 300, 240, 0, frames=2)) == [(2, 6)]
    assert _notes(line(0, 0)) == []


def test_a_bridge_is_straight_in_octaves_and_no_longer_than_asked():
    melody = np.concatenate([line(200, frames=1), np.zeros(5), line(400, frames=2)])
    np.testing.assert_allclose(bridge(melody, 5), [*(200 * 2 ** (np.arange(7) / 6)), 400], rtol=1e-6)
    np.testing.assert_array_equal(bridge(melody, 4), melody)
