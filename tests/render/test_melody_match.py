"""Codes are chosen at a melody's pitch."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import vqsynth
from vqsynth.control.melody import fit_octaves
from vqsynth.render.melody_match import PitchedCosts, codes_at_pitch, reachable_f0

CODEBOOKS = Path(__file__).resolve().parents[2] / "codebooks"


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
    latents = codebook[random.integers(0, 64, 300)] + codebook.std() * random.standard_normal((300, 8)).astype(
        np.float32
    )
    f0 = np.geomspace(350, 520, 300)
    codes = codes_at_pitch(latents, f0, tiny_timbre)
    frame_by_frame = PitchedCosts(latents, codebook, tiny_timbre.table.column("f0"), f0)(0, 300).argmin(1)
    smooth, torn = (np.linalg.norm(np.diff(codebook[c], axis=0), axis=1).mean() for c in (codes, frame_by_frame))
    assert smooth < 0.9 * torn
    off = np.abs(12 * np.log2(tiny_timbre.table.column("f0")[codes] / f0))
    assert np.median(off) < 1.0


def test_a_pitch_costs_by_tolerances_and_a_latent_by_the_nearest():
    codebook = np.array([[0.0], [10.0]], np.float32)
    code_f0 = np.array([440.0, np.nan])
    f0 = np.array([440 * 2 ** (0.5 / 12), 0.0])
    # The nearest code is 9 away on average, twelve units.
    costs = PitchedCosts(np.full((2, 1), 3.0, np.float32), codebook, code_f0, f0)(0, 2)
    np.testing.assert_allclose(costs, [[4, 1e4 + 40 / 0.75], [0, 40 / 0.75]], rtol=1e-3)
    # Frames that are codes: a tenth of the codebook's variance instead.
    costs = PitchedCosts(np.zeros((2, 1), np.float32), codebook, code_f0, 0 * f0)(0, 2)
    np.testing.assert_allclose(costs, [[0, 300 / 0.625]] * 2, rtol=1e-3)


def test_the_reach_of_a_timbre_is_what_its_recordings_play():
    def reach(f0, usage):
        table = SimpleNamespace(names=("f0",), column=lambda _: np.array(f0), usage=np.array(usage))
        return reachable_f0(SimpleNamespace(table=table))

    scale = [200 * 2 ** (n / 24) for n in range(40)]
    assert reach(scale, [1000] * 39 + [1]) == pytest.approx((scale[0], scale[-1]))
    # A stray octave that ten of forty thousand frames use is no note; one that a thousand use is.
    assert reach([np.nan, scale[0] / 2, *scale], [9999, 10, *[1000] * 40])[0] == pytest.approx(scale[0])
    assert reach([2 * scale[-1], *scale], [10, *[1000] * 40])[1] == pytest.approx(scale[-1])
    assert reach([scale[0] / 2, *scale], [1000] * 41)[0] == pytest.approx(scale[0] / 2)
    assert reach(scale, [0] * 40) == pytest.approx((scale[0], scale[-1]))
    assert reachable_f0(SimpleNamespace(table=SimpleNamespace(names=()))) is None


OWN = {  # Hz: the lowest and the highest note recorded, and another
    "violin": (195.8, 2134, 442),
    "trumpet": (170, 1053, 466.3),
    "horn": (55, 699, 130.8),
    "cello": (65, 528, 220),
    "flute": (261, 2102, 659),
    "saxophone": (139, 882, 311),
    "singing_female": (315, 600, 484),
}


@pytest.mark.parametrize("name", OWN)
def test_no_note_of_its_own_moves_and_foreign_ones_come_into_range(name):
    low, high = reach = reachable_f0(vqsynth.load(CODEBOOKS / name))
    for note in OWN[name]:
        # As tracked: a second that begins late with a slip.
        melody = np.full(86, note, np.float32)
        melody[:2] /= 2
        assert fit_octaves(melody, *reach)[1] == 0
    for note in (60.0, 110.0, 220.0, 1760.0):
        fitted, moved = fit_octaves(np.full(86, note, np.float32), *reach)
        assert low * 0.94 <= fitted[0] <= high * 1.06
        assert moved == 0 or not low <= note <= high
