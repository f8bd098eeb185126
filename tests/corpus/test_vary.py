import numpy as np
import pytest

from vqsynth.corpus.vary import find_note, largest_gap, phrases
from vqsynth.descriptors import f0 as tracker
from vqsynth.dsp.loudness import loudness

RATE = 44_100


@pytest.fixture(scope="module")
def notes(make_tone):
    found = []
    for f0 in (220.0, 330.0, 440.0):
        audio = make_tone(f0, 2.0)
        track, _, voiced = tracker.track(audio, RATE, 2048, 512)
        found.append(find_note(audio, RATE, np.where(voiced, track, 0), loudness(audio, RATE), 512))
    return found


def test_a_steady_tone_is_a_note_at_its_pitch(notes):
    assert [note.pitch for note in notes] == pytest.approx([57, 64.02, 69], abs=0.05)


def test_a_glide_is_not_a_note(make_tone):
    audio = make_tone(np.geomspace(220, 440, 2 * RATE), 2.0)
    track, _, voiced = tracker.track(audio, RATE, 2048, 512)
    assert find_note(audio, RATE, np.where(voiced, track, 0), loudness(audio, RATE), 512) is None


def test_phrases_fill_the_gaps_between_the_notes(notes):
    audio = np.concatenate(list(phrases(notes, RATE, 48, seed=0)))
    track, _, voiced = tracker.track(audio, RATE, 2048, 512)
    pitch = np.round(69 + 12 * np.log2(track[voiced] / 440))
    assert set(range(57, 70)) <= set(pitch.astype(int))
    assert largest_gap(np.array([n.pitch for n in notes])) == pytest.approx(7.02, abs=0.1)
    assert np.isfinite(audio).all() and np.abs(audio).max() < 1


def test_phrases_follow_the_seed(notes):
    first, again, other = (next(phrases(notes, RATE, 12, seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
