"""A melody moves by octaves; its gaps are bridged."""

from __future__ import annotations

import numpy as np
import pytest

from vqsynth.control.melody import best_octave, bridge, fit_octaves


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
