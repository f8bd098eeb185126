"""The synthesised singer: scores that add up, levels that are even, and a voice that sings the range."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from vqsynth.corpus.score import random_song
from vqsynth.corpus.singer import even_level, sing


def notes(song):
    root = ElementTree.fromstring(song.encode())
    steps = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11)))
    for note in root.iter("note"):
        pitch = note.find("pitch")
        midi = None
        if pitch is not None:
            midi = (
                steps[pitch.findtext("step")]
                + int(pitch.findtext("alter", "0"))
                + 12 * (int(pitch.findtext("octave")) + 1)
            )
        yield midi, int(note.findtext("duration")), note.findtext("lyric/text")


@pytest.mark.parametrize("seed", range(4))
def test_bars_are_full_and_the_range_is_sung(seed):
    song = random_song(seed, 12, 61, 77)
    root = ElementTree.fromstring(song.encode())
    for measure in root.iter("measure"):
        assert sum(int(d.text) for d in measure.iter("duration")) == 16
    sung = [(midi, text) for midi, _, text in notes(song) if midi is not None]
    assert all(61 <= midi <= 77 and len(text) == 1 for midi, text in sung)
    assert len({midi for midi, _ in sung}) >= 12
    assert list(notes(song))[-1][0] is None, "the last note is a rest"


def test_a_seed_is_a_song():
    assert random_song(3, 8, 61, 77) == random_song(3, 8, 61, 77) != random_song(4, 8, 61, 77)


def test_even_level_tames_the_loud_note_and_leaves_the_rest():
    rate = 48000
    t = np.arange(3 * rate) / rate
    gain = np.where((t > 1) & (t < 1.5), 8.0, 1.0)
    audio = even_level(gain * np.sin(2 * np.pi * 300 * t), rate)
    rms = [np.sqrt(np.mean(audio[int(a * rate) : int(b * rate)] ** 2)) for a, b in ((0.2, 0.8), (1.1, 1.4), (2.0, 2.8))]
    assert np.abs(audio).max() == pytest.approx(0.7, abs=1e-3)
    assert 20 * np.log10(rms[1] / rms[0]) == pytest.approx(4.0, abs=0.5)
    assert rms[0] == pytest.approx(rms[2], rel=1e-3)
    assert not even_level(np.zeros(1000), rate).any()


def test_the_voice_sings_between_e4_and_d5():
    pytest.importorskip("pysinsy", reason="the optional singer is not installed")
    from vqsynth.descriptors import f0

    songs, rate = sing(seed=1, seconds=20.0)
    again, _ = sing(seed=1, seconds=20.0)
    np.testing.assert_array_equal(songs[0], again[0])
    pitch, _, voiced = f0.track(songs[0], rate)
    assert voiced.mean() > 0.7
    low, high = np.percentile(pitch[voiced], [5, 95])
    assert 290 < low < 370 and 500 < high < 640
