"""Chords become voices, each with one note at a time, that go where a player would lead them."""

import itertools

import numpy as np
import pytest

from vqsynth.control.targets.midi import read_midi, read_voices
from vqsynth.control.targets.midi_file import MidiNote
from vqsynth.control.targets.midi_voices import MOST_VOICES, voices_of


def pitches(voices):
    return [[note.pitch for note in voice.notes] for voice in voices]


def test_chords_become_lines_that_do_not_cross(midi, tmp_path):
    chords = [(72, 67, 64, 48), (71, 67, 62, 50), (72, 69, 60, 53), (77, 74, 71, 55)]
    track = [e for at, chord in enumerate(chords) for pitch in chord for e in midi.note(at, at + 1, pitch)]
    assert pitches(read_voices(midi.save(tmp_path / "chorale.mid", track))) == [list(line) for line in zip(*chords)]


def test_a_line_that_is_alone_for_a_while_stays_in_its_voice(midi, tmp_path):
    melody = [76, 77, 79, 77, 76, 74]
    track = [e for at, pitch in enumerate(melody) for e in midi.note(at, at + 1, pitch)]
    track += [e for at, pitch in ((2, 55), (3, 52), (5, 53)) for e in midi.note(at, at + 1, pitch)]
    assert pitches(read_voices(midi.save(tmp_path / "two.mid", track))) == [melody, [55, 52, 53]]


def test_tracks_keep_their_own_voices_though_they_cross(midi, tmp_path):
    up = [e for at, pitch in enumerate((60, 64, 67, 72)) for e in midi.note(at, at + 1, pitch)]
    down = [e for at, pitch in enumerate((72, 67, 64, 60)) for e in midi.note(at, at + 1, pitch, channel=1)]
    assert pitches(read_voices(midi.save(tmp_path / "cross.mid", up, down))) == [[60, 64, 67, 72], [72, 67, 64, 60]]
    assert pitches(read_voices(midi.save(tmp_path / "one.mid", up + down))) == [[60, 64, 67, 72], [72, 67, 64, 60]]


def test_a_melody_is_one_voice_however_legato(midi, tmp_path):
    track = midi.note(0, 1.05, 60) + midi.note(1, 2.05, 64) + midi.note(2, 3, 67)
    assert pitches(read_voices(midi.save(tmp_path / "legato.mid", track))) == [[60, 64, 67]]
    pedal = midi.control(0, 68, 127) + midi.note(0, 1.5, 60) + midi.note(1, 2, 64)
    found = read_voices(midi.save(tmp_path / "pedal.mid", pedal))
    assert pitches(found) == [[60, 64]] and found[0].notes[0].end == 1 and found[0].notes[1].slurred
    without = midi.note(0, 1.5, 60) + midi.note(1, 2, 64)
    assert pitches(read_voices(midi.save(tmp_path / "without.mid", without))) == [[64], [60]]


def test_fewer_voices_keep_the_outer_notes(midi, tmp_path, warned):
    track = [e for pitch in (48, 60, 64, 67, 72) for e in midi.note(0, 1, pitch)] + midi.note(1, 2, 50)
    path = midi.save(tmp_path / "chord.mid", track)
    assert pitches(read_voices(path, 2)) == [[72], [48, 50]]
    assert any("left out" in text for text in warned)
    assert sorted(p for line in pitches(read_voices(path, 8)) for p in line) == [48, 50, 60, 64, 67, 72]
    assert pitches(read_voices(path, 1)) == pitches([read_midi(path)])


@pytest.mark.parametrize("seed", range(4))
def test_no_note_is_lost_and_none_sounds_over_another_in_its_voice(seed):
    random = np.random.default_rng(seed)
    starts = np.sort(random.uniform(0, 30, 200))
    notes = [
        MidiNote(start, start + random.uniform(0.1, 1.0), int(random.integers(40, 90)), 100, (0, 0), released=0.0)
        for start in starts
    ]
    voices, left_out = voices_of(notes)
    assert left_out == 0 and len(voices) <= MOST_VOICES
    assert sorted((n.start, n.pitch) for voice in voices for n in voice) == sorted((n.start, n.pitch) for n in notes)
    for voice in voices:
        assert all(a.end <= b.start for a, b in itertools.pairwise(voice))
    fewer, left_out = voices_of(notes, 3)
    assert len(fewer) == 3 and left_out == 200 - sum(map(len, fewer)) > 0
