"""Bends, controllers and MPE: what they do to the pitch, level and brightness of each note."""

import numpy as np
import pytest

from vqsynth.control.targets.midi import OCTAVES_A_DB, read_midi, read_voices, velocity_to_db
from vqsynth.dsp.notes import midi_to_hz


def semitones(melody, *times):
    return 12 * np.log2(melody.values(np.array(times), 10.0) / 440)


def ramp(midi, kind, start, end, low, high, **values):
    """A movement of a wheel, a value every 20 ms."""
    key = {"pitchwheel": "pitch", "aftertouch": "value", "control_change": "value"}[kind]
    times = np.arange(start, end + 1e-9, 0.02)
    amounts = np.round(np.interp(times, [start, end], [low, high])).astype(int)
    return [e for t, v in zip(times, amounts) for e in midi.message(t, kind, **{key: int(v)}, **values)]


def test_a_bend_is_of_two_semitones_unless_the_file_says_more(midi, tmp_path):
    track = midi.note(0, 4, 69) + ramp(midi, "pitchwheel", 1, 2, 0, 8191)
    plain = read_midi(midi.save(tmp_path / "plain.mid", track))
    assert semitones(plain, 0.5, 1.5, 3) == pytest.approx([0, 1, 2], abs=0.02)
    fine = semitones(plain, *np.arange(1.1, 1.9, 0.003))
    assert np.diff(fine).max() < 0.01  # a line, no stairs
    wide = read_midi(midi.save(tmp_path / "wide.mid", midi.registered(0, 0, 12) + track))
    assert semitones(wide, 3) == pytest.approx([12], abs=0.01)
    cents = midi.registered(0, 0, 1) + midi.control(0, 38, 50)
    assert semitones(read_midi(midi.save(tmp_path / "c.mid", cents + track)), 3) == pytest.approx([1.5], abs=0.01)
    other = midi.registered(0, 1, 12)  # fine tuning is another parameter
    assert semitones(read_midi(midi.save(tmp_path / "o.mid", other + track)), 3) == pytest.approx([2], abs=0.01)


def test_a_single_bend_is_a_step_and_a_reset_ends_it(midi, tmp_path):
    track = midi.note(0, 4, 69) + midi.message(1, "pitchwheel", pitch=-8192) + midi.control(3, 121, 0)
    melody = read_midi(midi.save(tmp_path / "step.mid", track))
    assert semitones(melody, 0.999, 1.0, 2.999, 3.0) == pytest.approx([0, -2, -2, 0], abs=1e-6)


def test_the_wheel_makes_a_late_vibrato(midi, tmp_path):
    melody = read_midi(midi.save(tmp_path / "vibrato.mid", midi.control(0, 1, 127) + midi.note(0, 4, 69)))
    times = np.arange(0, 4, 0.001)
    cents = 100 * semitones(melody, *times)
    assert np.abs(cents[:200]).max() < 1
    late = cents[1000:3000]
    assert late.max() == pytest.approx(50, abs=1) and late.min() == pytest.approx(-50, abs=1)
    assert np.argmax(np.abs(np.fft.rfft(late))) / 2 == 5.5
    half = read_midi(midi.save(tmp_path / "half.mid", midi.control(0, 1, 64) + midi.note(0, 4, 69)))
    assert 100 * semitones(half, *times).max() == pytest.approx(50 * 64 / 127, abs=1)


@pytest.mark.parametrize("number, full", [(7, 100), (11, 127)])
def test_volume_and_expression_follow_the_square_law(midi, tmp_path, number, full):
    track = (
        midi.note(0, 3, 69) + midi.control(0, number, full) + midi.control(1, number, 32) + midi.control(2, number, 0)
    )
    gain = read_midi(midi.save(tmp_path / "gain.mid", track)).gain(np.array([0.5, 1.5, 2.5]))
    assert gain == pytest.approx([0, 40 * np.log10(32 / full), -80], abs=1e-6)


def test_louder_playing_is_brighter_and_a_volume_is_not(midi, tmp_path):
    track = midi.note(0, 1, 69, 100) + midi.note(1, 2, 69, 50) + midi.note(2, 4, 69, 100)
    track += midi.control(2.5, 7, 50) + midi.message(3, "aftertouch", value=127)
    melody = read_midi(midi.save(tmp_path / "bright.mid", track))
    times = np.array([0.5, 1.5, 2.2, 2.7, 3.5])
    soft = OCTAVES_A_DB * velocity_to_db(50)
    assert melody.brightness(times) == pytest.approx([0, soft, 0, 0, 6 * OCTAVES_A_DB])
    assert melody.brightness(times, slope=0.1)[1] == pytest.approx(0.1 * velocity_to_db(50))
    assert melody.gain(times) == pytest.approx([0, -12.04, 0, -12.04, -6.04], abs=0.01)


def test_cc_74_is_brightness_alone(midi, tmp_path):
    track = midi.note(0, 3, 69) + midi.control(1, 74, 0) + midi.control(2, 74, 96)
    melody = read_midi(midi.save(tmp_path / "bright.mid", track))
    assert melody.brightness(np.array([0.5, 1.5, 2.5])) == pytest.approx([0, -1, 0.5])
    assert not melody.gain(np.array([0.5, 1.5, 2.5])).any()


def test_dynamics_have_no_edges_of_notes(midi, tmp_path):
    track = midi.note(0.5, 1, 69, 100) + midi.note(2, 3, 72, 50) + midi.note(2.95, 4, 74, 100)
    melody = read_midi(midi.save(tmp_path / "edges.mid", track))
    found = melody.dynamics(np.array([0.0, 0.5, 0.999, 1.5, 2.0, 2.9, 2.95, 3.5]))
    soft = velocity_to_db(50)
    assert found == pytest.approx([0, 0, 0, 0, soft, soft, soft / 2, 0], abs=1e-6)


def test_every_note_of_mpe_has_its_own_bend_pressure_and_brightness(midi, tmp_path):
    track = midi.registered(0, 6, 15)
    track += midi.message(1, "pitchwheel", pitch=683, channel=1) + midi.note(1, 3, 60, channel=1)
    track += midi.message(1, "pitchwheel", pitch=-683, channel=2) + midi.note(1, 3, 72, channel=2)
    track += midi.control(1, 74, 0, channel=1) + midi.message(1, "aftertouch", value=127, channel=2)
    track += midi.message(2, "pitchwheel", pitch=8191, channel=0)  # of the whole zone, two semitones
    # The channel is used again, with another bend.
    track += midi.message(3, "pitchwheel", pitch=0, channel=1) + midi.note(3, 4, 60, channel=1)
    high, low = read_voices(midi.save(tmp_path / "mpe.mid", track))
    bend = 48 * 683 / 8192
    assert semitones(high, 1.5, 2.5, 3.5) == pytest.approx([3 - bend, 5 - bend, 5 - bend], abs=0.01)
    assert semitones(low, 1.5, 2.5, 2.999, 3.0) == pytest.approx([-9 + bend, -7 + bend, -7 + bend, -7], abs=0.01)
    at = np.array([1.5])
    assert low.brightness(at) == pytest.approx([-1]) and high.brightness(at) == pytest.approx([6 * OCTAVES_A_DB])
    assert high.gain(at) == pytest.approx([6]) and low.gain(at) == pytest.approx([0])


def test_mpe_is_known_without_being_told_and_not_where_there_is_none(midi, tmp_path):
    def chord(*channels):
        return [
            event
            for channel in channels
            for event in midi.message(0, "pitchwheel", pitch=1000, channel=channel)
            + midi.note(0, 1, 60 + channel, channel=channel)
        ]

    def bends(name, *tracks):
        found = read_voices(midi.save(tmp_path / name, *tracks))
        return [semitones(melody, 0.5)[0] + 69 - melody.notes[0].pitch for melody in found]

    mpe, plain = 48 * 1000 / 8191, 2 * 1000 / 8191
    assert bends("mpe.mid", chord(1, 2, 9)) == pytest.approx([mpe] * 3)  # channel 10 is no percussion then
    assert bends("one.mid", chord(0, 1)) == pytest.approx([plain] * 2)
    assert bends("tracks.mid", chord(1), chord(2)) == pytest.approx([plain] * 2)
    program = midi.message(0, "program_change", program=40, channel=1)
    assert bends("program.mid", program + chord(1, 2)) == pytest.approx([plain] * 2)
    assert bends("chord.mid", midi.note(0, 1, 40, channel=1) + chord(1, 2)) == pytest.approx([plain] * 3)


def test_controllers_count_for_their_own_track_and_a_conductor_s_for_all(midi, tmp_path):
    conductor = midi.control(0, 11, 64)
    first = midi.note(0, 1, 60) + midi.control(0.5, 7, 50)
    second = midi.note(0, 1, 72)
    voices = read_voices(midi.save(tmp_path / "tracks.mid", conductor, first, second))
    expression = 40 * np.log10(64 / 127)
    low, high = sorted(voices, key=lambda voice: voice.notes[0].pitch)
    assert low.gain(np.array([0.3, 0.7])) == pytest.approx([expression, expression - 12.04], abs=0.01)
    assert high.gain(np.array([0.3, 0.7])) == pytest.approx([expression] * 2)


def test_polyphonic_aftertouch_is_of_its_note(midi, tmp_path):
    track = midi.note(0, 1, 60) + midi.note(0, 1, 67) + midi.message(0.5, "polytouch", note=67, value=127)
    high, low = read_voices(midi.save(tmp_path / "poly.mid", track))
    assert high.gain(np.array([0.4, 0.7])) == pytest.approx([0, 6]) and not low.gain(np.array([0.4, 0.7])).any()
    assert high.notes[0].pitch == 67 and midi_to_hz(67) == pytest.approx(high.values(np.array([0.7]), 1)[0])
