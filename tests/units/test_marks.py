"""Onsets, releases, rests and new notes are where they are in sounds whose notes are known."""

import numpy as np
import pytest

from vqsynth.units.marks import mark_notes
from vqsynth.units.store import NOTE, ONSET, RELEASE, SILENCE, UNVOICED

RATE = 86.13


def course(*parts):
    """Loudness from (seconds, dB at the end) after -100 dB, straight lines between."""
    seconds, levels = np.cumsum([0.0, *(s for s, _ in parts)]), [-100.0, *(level for _, level in parts)]
    return np.interp(np.arange(round(seconds[-1] * RATE)) / RATE, seconds, levels)


def frames(mark, bit):
    return np.flatnonzero(mark & bit) / RATE


def test_one_note():
    loudness = course((0.5, -100), (0.2, -20), (2.0, -20), (0.5, -100), (0.5, -100))
    f0 = np.where(loudness > -75, 440.0, 0.0)
    mark = mark_notes(f0, loudness, RATE)
    # 80 dB in 0.2 s: sound is within 40 dB of its level after 0.1 s, within 3 dB after 0.1925 s.
    assert frames(mark, NOTE) == pytest.approx([0.6], abs=0.02)
    onset = frames(mark, ONSET)
    assert onset[0] == pytest.approx(0.6, abs=0.02) and onset[-1] == pytest.approx(0.69, abs=0.02)
    # 160 dB a second: 6 dB down after 0.0375 s, silent after 0.375 s.
    release = frames(mark, RELEASE)
    assert release[0] == pytest.approx(2.74, abs=0.025) and release[-1] == pytest.approx(3.07, abs=0.025)
    silence = frames(mark, SILENCE)
    assert silence[0] == 0 and np.allclose(
        silence[silence > 1], np.arange(len(silence[silence > 1])) / RATE + 3.08, atol=0.03
    )
    assert not (mark & UNVOICED)[(loudness > -70)].any()


def test_the_same_pitch_struck_again_is_another_note():
    loudness = course((0.1, -20), (1.0, -20), (0.06, -45), (0.06, -20), (1.0, -20), (0.3, -100))
    mark = mark_notes(np.full(len(loudness), 300.0), loudness, RATE)
    assert frames(mark, NOTE) == pytest.approx([0.05, 1.16], abs=0.04)
    shallow = course((0.1, -20), (1.0, -20), (0.06, -27), (0.06, -20), (1.0, -20), (0.3, -100))
    assert len(frames(mark_notes(np.full(len(shallow), 300.0), shallow, RATE), NOTE)) == 1


@pytest.mark.parametrize("semitones, notes", [(2.0, 2), (1.0, 2), (0.3, 1)])
def test_a_slur_to_another_pitch_is_another_note_and_vibrato_is_none(semitones, notes):
    loudness = course((0.1, -20), (2.4, -20), (0.3, -100))
    time = np.arange(len(loudness)) / RATE
    f0 = 300 * 2 ** ((semitones * (time > 1.2) + 0.15 * np.sin(2 * np.pi * 6 * time)) / 12)
    mark = mark_notes(f0, loudness, RATE)
    found = frames(mark, NOTE)
    assert len(found) == notes
    if notes == 2:
        assert found[1] == pytest.approx(1.2, abs=0.15)


def test_the_marks_do_not_depend_on_the_level():
    loudness = course((0.3, -100), (0.2, -20), (1.0, -22), (0.4, -100), (0.3, -100))
    f0 = np.full(len(loudness), 300.0)
    np.testing.assert_array_equal(mark_notes(f0, loudness, RATE), mark_notes(f0, np.maximum(loudness + 12, -88), RATE))
