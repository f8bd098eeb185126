import subprocess
import sys

import numpy as np
import pytest
import soundfile

from vqsynth.control.targets import parse_target
from vqsynth.errors import UsageError, VqsynthError

RATE = 22050


@pytest.fixture(scope="module")
def voice(tmp_path_factory):
    """Two harmonic notes, 220 and 330 Hz, the second 12 dB softer, with silence between."""
    tone = lambda hz: sum(np.sin(2 * np.pi * hz * k * np.arange(RATE) / RATE) / k for k in range(1, 8))
    audio = 0.2 * np.concatenate([tone(220.0), np.zeros(RATE), 0.25 * tone(330.0)])
    path = tmp_path_factory.mktemp("audio") / "voice.wav"
    soundfile.write(path, audio, RATE)
    return str(path)


def test_its_pitch_is_followed_where_there_is_one(voice):
    target = parse_target(voice, descriptor="f0", unit="Hz", with_gain=True)
    assert target.natural_duration == pytest.approx(3.0, abs=0.01) and target.takes_range
    times = np.array([0.5, 1.5, 2.5, 3.5])
    values = target.values(times, 3.0)
    assert np.isfinite(values).all()
    assert values[[0, 2]] == pytest.approx([220, 330], rel=0.01)
    assert target.mask(times).tolist() == [True, False, True, False]
    assert not target.has_gain or target.gain(times)[1] < -40
    assert target.gain(times)[0] - target.gain(times)[2] == pytest.approx(12, abs=2.5)


def test_a_range_stretches_its_curve(voice):
    target = parse_target(voice, descriptor="f0")
    values = target.values(np.array([0.5, 2.5]), 3.0, 440.0, 880.0, log=True)
    assert values == pytest.approx([440, 880], rel=0.01)
    assert not target.has_gain and target.gain(np.zeros(1)) is None


def test_as_gain_it_gives_its_level(voice):
    target = parse_target(voice, descriptor="gain")
    loud, rest, soft = target.values(np.array([0.5, 1.5, 2.5]), 3.0)
    assert target.unit == "dB" and rest < -40
    assert loud - soft == pytest.approx(12, abs=2.5)


def test_audio_that_cannot_be_used(tmp_path, voice):
    with pytest.raises(UsageError, match="which descriptor"):
        parse_target(voice)
    noise = np.random.default_rng(0).normal(0, 0.1, RATE)
    soundfile.write(tmp_path / "noise.wav", noise, RATE)
    with pytest.raises(UsageError, match="noise.wav: its f0 could not be measured"):
        parse_target(str(tmp_path / "noise.wav"), descriptor="f0")
    (tmp_path / "fake.wav").write_text("no sound here")
    with pytest.raises(VqsynthError, match="fake.wav"):
        parse_target(str(tmp_path / "fake.wav"), descriptor="centroid")


@pytest.mark.parametrize("descriptor", ["centroid", "f0", "gain"])
def test_a_long_recording_is_measured_in_pieces_with_the_numbers_of_the_whole(note, tmp_path, monkeypatch, descriptor):
    from vqsynth.control.targets import recording

    soundfile.write(tmp_path / "long.wav", np.concatenate([note * level for level in (1, 0.2, 0.6, 0.4, 0.9)]), 44_100)
    whole = recording.read_recording(tmp_path / "long.wav", descriptor, with_gain=True)
    monkeypatch.setattr(recording, "BLOCK", recording.MARGIN // 3)
    pieces = recording.read_recording(tmp_path / "long.wav", descriptor, with_gain=True)
    assert len(pieces.values_at) == 862 and pieces.natural_duration == whole.natural_duration
    np.testing.assert_array_equal(pieces.valid, whole.valid)
    np.testing.assert_allclose(pieces.values_at[whole.valid], whole.values_at[whole.valid], rtol=1e-5)
    if whole.levels is not None:
        np.testing.assert_allclose(pieces.levels, whole.levels, rtol=1e-5)


def test_memory_does_not_grow_with_the_recording(tmp_path):
    """Spectra of ninety seconds more would take some 90 MB; measured in pieces they take little."""
    for seconds in (30, 120):
        with soundfile.SoundFile(tmp_path / f"{seconds}.wav", "w", 44_100, 1) as sound:
            for second in range(seconds):
                sound.write(0.1 * np.random.default_rng(second).standard_normal(44_100))
    program = (
        "import resource, sys; from vqsynth.control.targets import recording\n"
        "recording.BLOCK = 2 * recording.MARGIN\n"
        "def peak(s): recording.read_recording(f'{sys.argv[1]}/{s}.wav', 'centroid', with_gain=True); "
        "return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "peak(30); print(peak(30), peak(120))"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    short, long = map(float, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    assert long - short < 25
