import mido
import numpy as np
import pytest

from vqsynth.control.targets import parse_target
from vqsynth.control.targets.midi import velocity_to_db
from vqsynth.dsp.notes import note_to_hz
from vqsynth.errors import UsageError


def write(path, notes, *, tempo=500_000, channel=0):
    """Write (start, end, pitch, velocity) in seconds; 1000 ticks are one beat of half a second."""
    events = []
    for start, end, pitch, velocity in notes:
        events.append((start, 1, mido.Message("note_on", note=pitch, velocity=velocity, channel=channel)))
        events.append((end, 0, mido.Message("note_off", note=pitch, channel=channel)))
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=tempo)])
    now = 0
    for seconds, _, message in sorted(events, key=lambda event: event[:2]):
        ticks = round(seconds * 2000)
        track.append(message.copy(time=ticks - now))
        now = ticks
    mido.MidiFile(ticks_per_beat=1000, tracks=[track]).save(path)
    return str(path)


def at(target, *times):
    return target.values(np.array(times), 10.0)


@pytest.fixture
def melody(tmp_path):
    return write(tmp_path / "melody.mid", [(0.5, 1.0, 69, 100), (1.0, 2.0, 72, 50), (3.0, 4.0, 57, 127)])


def test_notes_become_f0_and_rests_are_masked(melody):
    target = parse_target(melody, descriptor="f0", unit="Hz")
    assert target.unit == "Hz" and target.natural_duration == pytest.approx(4.0)
    assert not target.needs_range and not target.takes_range
    wanted = [note_to_hz(name) for name in ("A4", "A4", "C5", "C5", "A3", "A3")]
    assert at(target, 0.0, 0.7, 1.5, 2.5, 3.5, 9.0) == pytest.approx(wanted)
    assert target.mask(np.array([0.2, 0.7, 1.5, 2.5, 3.5, 9.0])).tolist() == [False, True, True, False, True, False]


def test_velocity_becomes_gain_and_rests_are_silent(melody):
    target = parse_target(melody)
    assert target.has_gain
    gain = target.gain(np.array([0.2, 0.7, 1.5, 2.5, 3.5, 9.0]))
    assert gain == pytest.approx([-80, 0, velocity_to_db(50), -80, velocity_to_db(127), -80], abs=1e-6)
    assert velocity_to_db(50) == pytest.approx(-12.04, abs=0.01)
    fine = 10 ** (target.gain(np.arange(0, 5, 0.001)) / 20)
    assert np.abs(np.diff(fine)).max() < 0.2  # ramps, no clicks
    legato = target.gain(np.arange(0.95, 1.05, 0.001))
    assert legato.min() > velocity_to_db(50) - 1e-6  # no hole between tied notes


def test_the_gain_can_be_a_target_itself(melody):
    target = parse_target(melody, descriptor="gain")
    assert target.unit == "dB" and not target.has_gain and target.gain(np.zeros(1)) is None
    assert at(target, 0.2, 0.7) == pytest.approx([-80, 0], abs=1e-6)
    assert target.mask(np.array([0.2])).all()


def test_a_repeated_note_is_heard_again(tmp_path):
    target = parse_target(write(tmp_path / "twice.mid", [(0, 1, 60, 100), (1, 2, 60, 100)]))
    gain = target.gain(np.array([0.5, 1.0, 1.5]))
    assert gain[0] == gain[2] == pytest.approx(0) and -15 < gain[1] < -6


def test_one_voice_of_a_chord(tmp_path):
    path = write(tmp_path / "chord.mid", [(0, 4, 60, 80), (1, 2, 64, 90), (1, 3, 48, 100)])
    notes = lambda target: [round(69 + 12 * np.log2(hz / 440)) for hz in at(target, 0.5, 1.5, 2.5, 3.5)]
    assert notes(parse_target(path)) == [60, 64, 60, 60]
    assert notes(parse_target(path, priority="last")) == [60, 64, 48, 60]
    with pytest.raises(UsageError, match="highest or last"):
        parse_target(path, priority="loudest")


def test_a_short_overlap_is_legato_to_the_later_note(tmp_path):
    target = parse_target(write(tmp_path / "legato.mid", [(0, 1.05, 72, 100), (1, 2, 67, 100)]))
    assert at(target, 0.99, 1.02) == pytest.approx([note_to_hz("C5"), note_to_hz("G4")])


def test_tempo_changes_are_followed(tmp_path):
    target = parse_target(write(tmp_path / "slow.mid", [(0, 1, 60, 100)], tempo=1_000_000))
    assert target.natural_duration == pytest.approx(2.0)


def test_a_velocity_of_zero_ends_a_note_and_a_lost_end_is_the_file_s(tmp_path):
    track = mido.MidiTrack(
        [
            mido.Message("note_on", note=60, velocity=90, time=0),
            mido.Message("note_on", note=60, velocity=0, time=480),
            mido.Message("note_on", note=62, velocity=90, time=480),
            mido.MetaMessage("end_of_track", time=960),
        ]
    )
    mido.MidiFile(tracks=[track]).save(tmp_path / "hung.mid")
    target = parse_target(str(tmp_path / "hung.mid"))
    assert target.mask(np.array([0.25, 0.75, 1.5, 2.5])).tolist() == [True, False, True, False]


def test_bad_midi(tmp_path):
    write(tmp_path / "good.mid", [(0, 1, 60, 100), (1, 2, 62, 100)])
    whole = (tmp_path / "good.mid").read_bytes()
    cases = {
        "text": b"this is no midi file",
        "empty": b"",
        "cut": whole[:40],
        "header": whole[:14],
        "tickless": whole[:12] + b"\0\0" + whole[14:],
    }
    for name, data in cases.items():
        path = tmp_path / f"{name}.mid"
        path.write_bytes(data)
        with pytest.raises(UsageError, match="cannot be read as MIDI|no notes") as caught:
            parse_target(str(path))
        assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)
    with pytest.raises(UsageError, match="no notes"):
        parse_target(write(tmp_path / "drums.mid", [(0, 1, 36, 100)], channel=9))
    with pytest.raises(UsageError, match="no such file"):
        parse_target(str(tmp_path / "absent.mid"))
