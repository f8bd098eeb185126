"""The dry run: each file's decision and reason, the totals, and the advice."""

import csv

import numpy as np
import pytest
import soundfile

from vqsynth.corpus.check import LEFT_OUT, USED, VARIED, check, screen
from vqsynth.corpus.summary import summarise, write_csv
from vqsynth.dsp.notes import note_name
from vqsynth.errors import VqsynthError

RATE = 44100


def note(frequency, seconds=1.5, level=0.3):
    t = np.arange(round(seconds * RATE)) / RATE
    audio = sum(np.sin(2 * np.pi * k * frequency * t) / k for k in range(1, 8))
    return (level * audio / 2 * np.minimum(1, np.minimum(t, t[::-1]) * 30)).astype(np.float32)


def glide(low, high, seconds=3.0):
    frequency = np.geomspace(low, high, round(seconds * RATE))
    phase = 2 * np.pi * np.cumsum(frequency) / RATE
    return (0.2 * sum(np.sin(k * phase) / k for k in range(1, 6))).astype(np.float32)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A folder with every kind of file that a user may have."""
    folder = tmp_path_factory.mktemp("mixed")
    tone = note(330)
    noise = np.random.default_rng(0).standard_normal(2 * RATE) * 0.1
    soundfile.write(folder / "note.wav", tone, RATE)
    soundfile.write(folder / "low.flac", note(196, level=0.01), RATE)
    soundfile.write(folder / "high.wav", note(440), RATE)
    pcm = (0.5 * note(262) * 32767).astype(np.int16)
    soundfile.write(folder / "original.wav", pcm, RATE)
    soundfile.write(folder / "zcopy.flac", pcm, RATE)
    soundfile.write(folder / "glide.ogg", glide(200, 400), RATE)
    soundfile.write(folder / "noise.wav", noise, RATE)
    soundfile.write(folder / "half.wav", np.r_[tone, np.zeros(len(tone))], RATE)
    soundfile.write(folder / "clipped.wav", np.clip(8 * note(220), -0.8, 0.8), RATE)
    soundfile.write(folder / "silent.wav", np.zeros(RATE), RATE)
    soundfile.write(folder / "nan.wav", tone * np.nan, RATE, subtype="FLOAT")
    soundfile.write(folder / "one.wav", tone[5000:5001], RATE)
    soundfile.write(folder / "short.wav", tone[9000:11250], RATE)
    soundfile.write(folder / "blip.wav", tone[9000:10000], RATE)
    soundfile.write(folder / "wide.wav", np.stack([note(300)[::2]] * 8, axis=1), 384_000)
    soundfile.write(folder / "dull.wav", noise[:16000], 16000)
    (folder / "empty.wav").write_bytes(b"")
    (folder / "text.wav").write_text("hello")
    (folder / "cut.wav").write_bytes((folder / "note.wav").read_bytes()[:50_000])
    return folder


@pytest.fixture(scope="module")
def reports(mixed):
    return {report.path.name: report for report in check(mixed)}


@pytest.mark.parametrize(
    ("name", "decision", "reason"),
    [
        ("note.wav", VARIED, "one note"),
        ("low.flac", VARIED, "one note"),
        ("high.wav", VARIED, "one note"),
        ("half.wav", VARIED, "one note"),
        ("original.wav", VARIED, "one note"),
        ("zcopy.flac", LEFT_OUT, "the same sound as original.wav"),
        ("glide.ogg", USED, ""),
        ("noise.wav", USED, ""),
        ("dull.wav", USED, ""),
        ("short.wav", USED, "padded"),
        ("blip.wav", LEFT_OUT, "50 ms"),
        ("clipped.wav", LEFT_OUT, "flat tops"),
        ("silent.wav", LEFT_OUT, "silent"),
        ("nan.wav", LEFT_OUT, "NaN"),
        ("one.wav", LEFT_OUT, "1 sample"),
        ("empty.wav", LEFT_OUT, "empty"),
        ("text.wav", LEFT_OUT, "not readable"),
        ("cut.wav", LEFT_OUT, "truncated"),
    ],
)
def test_each_file_is_decided_with_a_reason(reports, name, decision, reason):
    assert reports[name].decision == decision, reports[name]
    assert reason in reports[name].reason
    assert (decision == LEFT_OUT) <= (reports[name].reason != "")


def test_what_is_measured_is_true(reports):
    assert reports["note.wav"].note == pytest.approx(330, rel=0.003)
    assert reports["note.wav"].seconds == pytest.approx(1.5)
    assert reports["note.wav"].clipped == 0
    assert reports["half.wav"].silence == pytest.approx(0.5, abs=0.03)
    assert reports["note.wav"].silence < 0.03
    # The same waveform at a thirtieth of the amplitude lies 29.5 dB lower; pitch alters K-weighting little.
    assert reports["note.wav"].level - reports["low.flac"].level == pytest.approx(29.5, abs=1.5)
    assert reports["glide.ogg"].note is None
    assert reports["glide.ogg"].pitch_low == pytest.approx(200 * 2**0.05, rel=0.03)
    assert reports["glide.ogg"].pitch_high == pytest.approx(200 * 2**0.95, rel=0.03)
    assert reports["noise.wav"].voiced < 0.2
    assert reports["clipped.wav"].clipped > 0.3
    assert (reports["wide.wav"].channels, reports["wide.wav"].sample_rate) == (8, 384_000)
    assert reports["wide.wav"].decision != LEFT_OUT


def test_loud_low_tones_are_not_taken_for_clipped(tmp_path):
    t = np.arange(2 * RATE) / RATE
    for subtype in ("PCM_16", "PCM_24", "PCM_U8"):
        soundfile.write(tmp_path / f"{subtype}.wav", 0.95 * np.sin(2 * np.pi * 55 * t), RATE, subtype=subtype)
    for report in check(tmp_path):
        assert report.clipped < 0.02, report
        assert report.decision != LEFT_OUT


def test_processes_give_the_same_reports(mixed, reports):
    seen = []
    again = check(mixed, jobs=2, progress=lambda done, total: seen.append((done, total)))
    assert [r.path for r in again] == sorted(r.path for r in reports.values())
    assert {r.path.name: r for r in again} == reports
    assert seen == [(n + 1, len(again)) for n in range(len(again))]


def test_training_screens_samples_by_the_same_rules(mixed, reports):
    seen, refused = {}, {}
    for path in sorted(mixed.iterdir()):
        try:
            refused[path.name] = screen(path, seen)
        except VqsynthError as error:
            refused[path.name] = str(error).removeprefix(f"{path}: ")
    for name, report in reports.items():
        if report.decision != LEFT_OUT:
            assert refused[name] == ""
        elif refused[name]:
            assert refused[name] == report.reason
    assert {n for n, r in reports.items() if r.decision == LEFT_OUT and not refused[n]} == {"silent.wav", "blip.wav"}


def test_a_few_notes_among_phrases_are_used_as_they_are(tmp_path):
    for number in range(3):
        soundfile.write(tmp_path / f"phrase{number}.wav", glide(200 + 40 * number, 500), RATE)
    soundfile.write(tmp_path / "note.wav", note(300), RATE)
    assert [r.decision for r in check(tmp_path)] == [USED] * 4


def test_summary_counts_sums_and_advises(reports):
    summary = summarise(list(reports.values()))
    kept = [r for r in reports.values() if r.decision != LEFT_OUT]
    assert sum(summary.counts.values()) == len(reports)
    assert summary.seconds_kept == pytest.approx(sum(r.seconds for r in kept))
    assert summary.seconds_sounding < summary.seconds_kept - 1.4
    assert summary.pitch_range[0] == pytest.approx(196, rel=0.02)
    text = " ".join(summary.advice)
    assert "Only" in text and "8.0 kHz" in text and "flat tops" in text


def test_gaps_between_notes_are_named(tmp_path):
    for midi in (60, 63, 70, 71):
        soundfile.write(tmp_path / f"{midi}.wav", note(440 * 2 ** ((midi - 69) / 12)), RATE)
    summary = summarise(check(tmp_path))
    assert [round(size) for _, _, size in summary.gaps] == [7]
    assert any("D#4" in line and "A#4" in line for line in summary.advice)


def test_table_has_a_row_per_file(tmp_path, reports):
    write_csv(tmp_path / "out.csv", list(reports.values()))
    with open(tmp_path / "out.csv", newline="") as handle:
        rows = {row["path"].rsplit("/")[-1]: row for row in csv.DictReader(handle)}
    assert rows.keys() == reports.keys()
    assert float(rows["note.wav"]["note"]) == pytest.approx(330, rel=0.003)
    assert rows["noise.wav"]["note"] == ""
    with pytest.raises(VqsynthError, match="cannot be made"):
        write_csv(tmp_path / "out.csv" / "out.csv", [])


def test_nothing_usable_is_said(tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    summary = summarise(check(tmp_path))
    assert summary.seconds_kept == 0
    assert "nothing to train on" in summary.advice[0]


def test_note_names():
    assert note_name(440.0) == "A4"
    assert note_name(261.6256) == "C4"
    assert note_name(440 * 2 ** (0.41 / 12)) == "A4+41c"
