"""Names of notes, against librosa's."""

import librosa
import pytest

from vqsynth.dsp.notes import midi_to_hz, note_name, note_to_hz


def test_midi_numbers():
    assert midi_to_hz(69) == 440
    assert midi_to_hz(60) == pytest.approx(261.6256, rel=1e-6)
    assert midi_to_hz(0) == pytest.approx(8.1758, rel=1e-4)


@pytest.mark.parametrize("octave", [-1, 0, 3, 4, 10])
@pytest.mark.parametrize("letter", list("CDEFGAB"))
@pytest.mark.parametrize("shift", ["", "#", "##", "b", "bb"])
def test_names_are_those_of_librosa(letter, shift, octave):
    assert note_to_hz(f"{letter}{shift}{octave}") == pytest.approx(
        librosa.note_to_hz(f"{letter}{shift}{octave}"), rel=1e-9
    )


@pytest.mark.parametrize(
    "name, same",
    [
        ("a4", "A4"),
        ("Cs4", "C#4"),
        ("C♯4", "C#4"),
        ("B♭3", "Bb3"),
        (" F#5 ", "F#5"),
        ("A4+0", "A4"),
        ("A4-100c", "Ab4"),
    ],
)
def test_spellings(name, same):
    assert note_to_hz(name) == pytest.approx(note_to_hz(same))


def test_cents():
    assert note_to_hz("A4+20") == pytest.approx(440 * 2 ** (20 / 1200))
    assert note_to_hz("A4-12.5cents") == pytest.approx(440 * 2 ** (-12.5 / 1200))


@pytest.mark.parametrize("name", ["", "A", "H4", "A11", "A-2", "A4 +20", "A4+", "440", "A###4", "AA4"])
def test_other_words_are_no_notes(name):
    assert note_to_hz(name) is None


def test_the_nearest_note_is_named():
    assert [note_name(f) for f in (440, 261.63, 466.16, 27.5, 8.1758)] == ["A4", "C4", "A#4", "A0", "C-1"]
    assert note_name(440 * 2 ** (12 / 1200)) == "A4+12c"
    assert note_name(440 * 2 ** (-30 / 1200)) == "A4-30c"
    assert note_name(440 * 2 ** (60 / 1200)) == "A#4-40c"
    for midi in range(12, 120):
        assert note_to_hz(note_name(midi_to_hz(midi + 0.23))) == pytest.approx(midi_to_hz(midi + 0.23))
