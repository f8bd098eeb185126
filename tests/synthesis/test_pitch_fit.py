"""A melody moves by octaves; codes are chosen at its pitch."""

from __future__ import annotations

import numpy as np
import pytest

from vqsynth.synthesis.pitch_fit import PitchedCosts, best_octave, bridge, codes_at_pitch, fit_octaves


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


def test_costs_prefer_the_pitch_where_there_is_one_and_the_sound_elsewhere():
    random = np.random.default_rng(1)
    codebook = random.standard_normal((200, 8)).astype(np.float32)
    code_f0 = np.geomspace(200, 800, 200)
    code_f0[::10] = np.nan
    latents = random.standard_normal((60, 8)).astype(np.float32)
    wanted = np.where(np.arange(60) < 40, np.geomspace(210, 780, 60), 0.0)
    costs = PitchedCosts(latents, codebook, code_f0, wanted)
    codes = costs(0, 60).argmin(1)
    off = np.abs(12 * np.log2(code_f0[codes[:40]] / wanted[:40]))
    assert np.isfinite(off).all() and off.max() < 1.5
    nearest = ((latents[40:, None] - codebook) ** 2).sum(-1).argmin(1)
    np.testing.assert_array_equal(codes[40:], nearest)
    np.testing.assert_allclose(costs(10, 20), costs(0, 60)[10:20], rtol=1e-5, atol=1e-5)
    # A pitch beyond all codes gives one at the end of the range.
    far = PitchedCosts(latents, codebook, code_f0, np.full(60, 3200.0))(0, 60).argmin(1)
    assert (code_f0[far] > 760).all()


def test_codes_at_pitch_move_smoothly(tiny_timbre):
    codebook = tiny_timbre.model.codebook.numpy()
    random = np.random.default_rng(2)
    latents = codebook[random.integers(0, 64, 300)] + codebook.std() * random.standard_normal((300, 8)).astype(np.float32)
    f0 = np.geomspace(350, 520, 300)
    codes = codes_at_pitch(latents, f0, tiny_timbre)
    frame_by_frame = PitchedCosts(latents, codebook, tiny_timbre.table.column("f0"), f0)(0, 300).argmin(1)
    smooth, torn = (np.linalg.norm(np.diff(codebook[c], axis=0), axis=1).mean() for c in (codes, frame_by_frame))
    assert smooth < 0.6 * torn
    off = np.abs(12 * np.log2(tiny_timbre.table.column("f0")[codes] / f0))
    assert np.median(off) < 1.0
