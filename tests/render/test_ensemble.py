"""MIDI files as they sound: chords in several voices, bends, expression and MPE, by the ear of Praat and of spectra."""

import csv
import json

import numpy as np
import parselmouth
import pytest
import soundfile

from vqsynth import load
from vqsynth.dsp.notes import midi_to_hz
from vqsynth.errors import UsageError, collect_warnings

RATE = 44_100


@pytest.fixture(scope="module")
def violin():
    return load("violin")


def cents(audio, start, end, hertz):
    """Median deviation from a pitch between two seconds."""
    part = audio[int(start * RATE) : int(end * RATE)].astype(float)
    found = parselmouth.Sound(part, RATE).to_pitch_ac(time_step=0.01, pitch_floor=75, pitch_ceiling=2000)
    frequency = found.selected_array["frequency"]
    return 1200 * np.log2(np.median(frequency[frequency > 0]) / hertz)


def level(audio, start, end):
    return 10 * np.log10(np.mean(audio[int(start * RATE) : int(end * RATE)].astype(float) ** 2))


def prominence(audio, start, end, hertz):
    """dB by which the spectrum at a pitch stands above its surroundings, of an octave."""
    part = audio[int(start * RATE) : int(end * RATE)]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
    frequency = np.fft.rfftfreq(len(part), 1 / RATE)
    near = np.abs(np.log2(np.maximum(frequency, 1) / hertz))
    return 10 * np.log10(spectrum[near < 0.02].max() / np.median(spectrum[(near > 0.04) & (near < 0.5)]))


@pytest.fixture
def chords(midi, tmp_path):
    lines = [(69, 72), (64, 67)]
    track = [e for line in lines for at, pitch in enumerate(line) for e in midi.note(2 * at, 2 * at + 2, pitch, 90)]
    return midi.save(tmp_path / "chords.mid", track), lines


def test_every_note_of_a_chord_sounds_in_tune_and_stems_add_up_to_the_mix(violin, chords, tmp_path):
    path, lines = chords
    output = tmp_path / "out.wav"
    _, report = violin.render(f0=path, output=output, stems=True, sources=tmp_path / "from.csv")
    mix, *stems = (soundfile.read(tmp_path / f"out{n}.wav")[0] for n in ("", "_1", "_2"))
    assert np.abs(mix - sum(stems)).max() < 2.5 / 32768
    assert np.corrcoef(*stems)[0, 1] < 0.3  # not the same twice
    for stem, line in zip(stems, lines):
        for at, pitch in enumerate(line):
            assert abs(cents(stem, 2 * at + 0.4, 2 * at + 1.8, midi_to_hz(pitch))) < 5
            assert prominence(mix, 2 * at + 0.3, 2 * at + 1.8, midi_to_hz(pitch)) > 25
    assert prominence(mix, 0.3, 1.8, midi_to_hz(67)) < 15  # a note that is not there yet
    assert [v["notes"] for v in report["voices"]] == [2, 2] and [v["seed"] for v in report["voices"]] == [0, 1]
    assert report["voices"][0]["lowest"] == "A4" and report["voices"][1]["stem"] == "out_2.wav"
    assert report["descriptors"]["f0_2"]["mean"]["median_cents"] < 5
    assert json.loads(output.with_suffix(".json").read_text()) == json.loads(json.dumps(report))
    with open(output.with_suffix(".csv")) as handle:
        columns = next(csv.reader(handle))
    assert columns[0] == "time" and {"target_f0_1", "measured_f0_2", "gain_db_2"} <= set(columns)
    names = ["chords.mid", "from_1.csv", "from_2.csv", "out.csv", "out.json", "out.png", "out.wav"]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*names, "out_1.wav", "out_2.wav"])


def test_one_voice_is_the_highest_and_of_a_melody_there_is_but_one(violin, chords, midi, tmp_path):
    path, _ = chords
    audio, report = violin.render(f0=path, voices=1, life=0, duration=1.5)
    assert "voices" not in report and abs(cents(audio, 0.3, 1.4, 440)) < 5
    assert prominence(audio, 0.3, 1.4, midi_to_hz(64)) < 15
    melody = midi.save(tmp_path / "melody.mid", midi.note(0, 1, 69))
    alone, report = violin.render(f0=melody, life=0)
    assert "voices" not in report and np.array_equal(alone, violin.render(f0=melody, voices=1, life=0)[0])


def test_a_curve_is_for_all_voices_or_for_one(violin, chords):
    path, _ = chords
    _, report = violin.render(
        f0=path, centroid=("line", "1700:2400"), voice_targets={2: {"centroid": ("constant", "1800:1800")}}, life=0
    )
    first, second = (report["descriptors"][f"centroid_{n}"] for n in (1, 2))
    assert (first["low"], first["high"]) == (1700, 2400) and first["pearson"] > 0.97
    assert second["low"] == second["high"] == 1800 and second["median_relative_error"] < 0.02
    assert report["voices"][1]["targets"] == {"centroid": "constant"}


def test_voices_that_are_too_loud_together_are_turned_down_together(violin, chords, tmp_path):
    path, _ = chords
    with collect_warnings() as warnings:
        _, report = violin.render(f0=path, gain=14, life=0, output=tmp_path / "loud.wav", stems=True, figure=False)
    mix, stems = (
        soundfile.read(tmp_path / "loud.wav")[0],
        [soundfile.read(tmp_path / f"loud_{n}.wav")[0] for n in (1, 2)],
    )
    assert np.abs(mix - sum(stems)).max() < 2.5 / 32768 and 0.9 < np.abs(mix).max() < 1
    assert len(warnings) == 1 and "together peak" in warnings[0] and report["level"]["scaled_db"] < -1


def test_what_cannot_be(violin, chords, midi, tmp_path):
    path, _ = chords
    for options, said in [
        ({"voices": 0}, "1 or more"),
        ({"voices": "two"}, "1 or more"),
        ({"stems": True}, "output"),
        ({"voice_targets": {3: {"centroid": "sin"}}}, "there are 2 voices"),
        ({"voice_targets": {1: {"f0": "A4"}}}, "notes decide"),
        ({"voice_targets": {2: {"centroid": ("line", "10:20")}}}, "voice 2: centroid"),
    ]:
        with pytest.raises(UsageError, match=said):
            violin.render(f0=path, duration=1, **options)
    low = midi.save(tmp_path / "low.mid", midi.note(0, 1, 69) + midi.note(0, 1, 30))
    with pytest.raises(UsageError, match="^voice 2: f0: .* this timbre reaches"):
        violin.render(f0=low, output=tmp_path / "low.wav", stems=True)
    assert not list(tmp_path.glob("*.wav"))
    with pytest.raises(UsageError, match="one voice here"):
        violin.render(f0="A4", duration=1, voice_targets={2: {"centroid": "sin"}})


def test_a_bend_is_heard(violin, midi, tmp_path):
    track = midi.note(0, 4, 69) + midi.message(2, "pitchwheel", pitch=8191)
    audio, _ = violin.render(f0=midi.save(tmp_path / "bend.mid", track))
    assert abs(cents(audio, 0.5, 1.9, 440)) < 5
    assert abs(cents(audio, 2.2, 3.8, midi_to_hz(71))) < 5


@pytest.mark.parametrize("life, tolerance", [(0, 0.5), (1, 1.5)])
def test_expression_sets_the_level_by_its_law(violin, midi, tmp_path, life, tolerance):
    track = midi.note(0, 4, 69) + midi.control(0, 11, 127) + midi.control(2, 11, 64)
    audio, _ = violin.render(f0=midi.save(tmp_path / "level.mid", track), life=life)
    change = level(audio, 2.3, 3.8) - level(audio, 0.5, 1.8)
    assert change == pytest.approx(40 * np.log10(64 / 127), abs=tolerance)


def test_every_note_of_mpe_bends_alone(violin, midi, tmp_path):
    track = midi.registered(0, 6, 15) + midi.note(0, 3, 69, channel=1) + midi.note(0, 3, 62, channel=2)
    track += midi.message(1.5, "pitchwheel", pitch=round(8191 * 3 / 48), channel=2)
    output = tmp_path / "mpe.wav"
    violin.render(f0=midi.save(tmp_path / "mpe.mid", track), output=output, stems=True, figure=False)
    high, low = (soundfile.read(tmp_path / f"mpe_{n}.wav")[0] for n in (1, 2))
    assert abs(cents(high, 0.4, 1.4, 440)) < 5 and abs(cents(high, 1.7, 2.8, 440)) < 5
    assert abs(cents(low, 0.4, 1.4, midi_to_hz(62))) < 5 and abs(cents(low, 1.7, 2.8, midi_to_hz(65))) < 5
