"""Units of recordings: which are taken, under which name and licence; added, and never twice."""

import shutil

import numpy as np
import pytest
import soundfile

import vqsynth
from vqsynth.errors import UsageError, VqsynthError
from vqsynth.library.timbre import UNITS
from vqsynth.units import build, maker

RATE = 44_100


@pytest.fixture
def timbre(tiny_timbre, tmp_path):
    """A copy that may be changed."""
    shutil.copytree(tiny_timbre.path, tmp_path / "timbre")
    return vqsynth.load(tmp_path / "timbre")


@pytest.fixture(scope="module")
def more(make_tone, tmp_path_factory):
    """Two new recordings, one of them at another rate, and what cannot be used."""
    folder = tmp_path_factory.mktemp("more")
    (folder / "first").mkdir()
    soundfile.write(folder / "first" / "low.wav", make_tone(240.0, 1.5), RATE)
    soundfile.write(folder / "first" / "high.flac", make_tone(480.0, 1.0, rate=48_000), 48_000)
    soundfile.write(folder / "first" / "silent.wav", np.zeros(RATE), RATE)
    (folder / "first" / "broken.wav").write_bytes(b"RIFF")
    (folder / "first" / "source.toml").write_text(
        '[[source]]\npackage = "npm test"\nversion = "1.0"\nlicence = "CC0-1.0"\nreal = true\ncredit = "nobody"\n'
    )
    (folder / "second").mkdir()
    soundfile.write(folder / "second" / "low.wav", make_tone(250.0, 1.2), RATE)
    return folder


def rows(units, number):
    return slice(int(units.start[number]), int(units.start[number + 1]))


def test_training_makes_units_of_every_recording_held_out_ones_too(tiny_timbre, recordings):
    units = tiny_timbre.units
    assert [r.name for r in units.recordings] == sorted(path.name for path in recordings.iterdir())
    assert set(tiny_timbre.card["training"]["held_out"]) < {r.name for r in units.recordings}
    assert np.diff(units.start).tolist() == [1 + 2 * RATE // 512] * 8
    assert all(len(r.fingerprint) == 64 for r in units.recordings)
    tiny_timbre.verify()


def test_the_same_recordings_built_again_give_the_same_units(timbre, recordings):
    before = timbre.units
    with pytest.raises(UsageError, match="has units already") as error:
        timbre.build_units(recordings)
    assert error.value.field == "overwrite"
    after = timbre.build_units(recordings, overwrite=True)
    assert [(r.name, r.fingerprint) for r in after.recordings] == [(r.name, r.fingerprint) for r in before.recordings]
    assert np.mean(after.code != before.code) < 0.01
    np.testing.assert_allclose(after.loudness.astype(float), before.loudness.astype(float), atol=0.2)
    assert after.sources[0]["package"] == "own recordings" and after.sources[0]["licence"] == "not stated"


def test_recordings_are_added_behind_those_that_are_there(timbre, more, warned):
    before = {name: np.array(column) for name, column in timbre.units.columns.items()}
    count, frames = len(timbre.units.recordings), len(timbre.units)
    table = (timbre.path / "descriptors.csv").read_bytes()
    units = timbre.add_units(more / "first", more / "second")
    assert [r.name for r in units.recordings[count:]] == ["high.flac", "low.wav", "second/low.wav"]
    for name, column in before.items():
        np.testing.assert_array_equal(units.columns[name][:frames], column)
    high = units.f0(rows(units, count))
    assert np.median(high[high > 0]) == pytest.approx(480, rel=0.005)
    assert units.sources[units.recordings[count].source]["licence"] == "CC0-1.0"
    assert units.sources[units.recordings[-1].source]["licence"] == "not stated"
    assert any("silent.wav" in text for text in warned) and any("broken.wav" in text for text in warned)
    # Levels as in training: the loudest moment at -18 LUFS.
    for number in range(count, len(units.recordings)):
        assert float(units.loudness[rows(units, number)].max()) == pytest.approx(-18, abs=0.3)
    fresh = vqsynth.load(timbre.path)
    fresh.verify()
    assert len(fresh.units) == len(units) and (timbre.path / "descriptors.csv").read_bytes() == table
    audio, _ = fresh.render(f0="B4", duration=0.5, hold="none", clamp=True, figure=False)
    assert np.abs(audio).max() > 0.01


def test_a_recording_is_not_added_twice_whatever_its_name(timbre, recordings, tmp_path, make_tone, warned):
    (tmp_path / "again").mkdir()
    shutil.copy(recordings / "glide3.wav", tmp_path / "again" / "other.wav")
    with pytest.raises(UsageError, match="all of these recordings are units of tiny already"):
        timbre.add_units(tmp_path / "again")
    assert any("glide3.wav is the same sound" in text for text in warned)
    soundfile.write(tmp_path / "again" / "new.wav", make_tone(300.0, 1.0), RATE)
    units = timbre.add_units(tmp_path / "again")
    assert [r.name for r in units.recordings[8:]] == ["new.wav"]


def test_nothing_usable_changes_nothing(timbre, tmp_path):
    (tmp_path / "bad").mkdir()
    soundfile.write(tmp_path / "bad" / "silent.wav", np.zeros(RATE), RATE)
    before = {path: path.read_bytes() for path in timbre.path.iterdir() if path.is_file()}
    with pytest.raises(VqsynthError, match="corpus check"):
        timbre.add_units(tmp_path / "bad")
    with pytest.raises(VqsynthError, match="no such file or folder"):
        timbre.add_units(tmp_path / "nowhere")
    assert {path: path.read_bytes() for path in timbre.path.iterdir() if path.is_file()} == before


def test_an_interrupt_keeps_whole_recordings_and_the_same_call_goes_on(timbre, more, monkeypatch, warned):
    plain = maker.encode_stream

    def interrupted(model, blocks):
        pieces = plain(model, blocks)
        yield next(pieces)
        if encoded:
            raise KeyboardInterrupt
        encoded.append(True)

    encoded = []
    count, frames = len(timbre.units.recordings), len(timbre.units)
    monkeypatch.setattr(maker, "encode_stream", interrupted)
    with pytest.raises(KeyboardInterrupt):
        timbre.add_units(more / "first")
    monkeypatch.undo()
    kept = vqsynth.load(timbre.path)
    kept.verify()
    assert [r.name for r in kept.units.recordings[count:]] == ["high.flac"]
    assert len(kept.units) == frames + 1 + round(1.0 * RATE) // 512
    assert "goes on from there" in warned[-1]
    units = kept.add_units(more / "first")
    assert [r.name for r in units.recordings[count:]] == ["high.flac", "low.wav"]


def test_units_of_other_weights_are_refused(timbre, tiny_timbre, tmp_path):
    other = timbre.units
    object.__setattr__(other, "model", "0" * 64)
    other.save(timbre.path / UNITS)
    from vqsynth.library.timbre import record_files

    record_files(timbre, [UNITS])
    with pytest.raises(VqsynthError, match="made with other weights"):
        vqsynth.load(timbre.path).units


def test_a_folder_that_cannot_be_written_to_is_refused_before_any_work(timbre, more, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    monkeypatch.setattr(build, "_scan", lambda *_: pytest.fail("work was done"))
    with pytest.raises(VqsynthError, match="Permission denied"):
        timbre.add_units(more / "first")


def test_what_is_there_and_where_a_code_was_played(tiny_timbre, recordings):
    rows = tiny_timbre.played()
    assert [row.name for row in rows] == sorted(path.name for path in recordings.iterdir())
    assert all(row.seconds == pytest.approx(2.0, abs=0.02) and row.notes >= 1 for row in rows)
    # Glides of 220 to 520 Hz, each a little higher.
    assert rows[0].pitch[0] == pytest.approx(222, rel=0.03) and rows[7].pitch[1] == pytest.approx(652, rel=0.03)
    units, rate = tiny_timbre.units, tiny_timbre.config.frame_rate
    code = int(np.bincount(units.code).argmax())
    frames = 0
    for place in tiny_timbre.places(code):
        number = next(n for n, r in enumerate(units.recordings) if r.name == place.recording)
        first, last = (int(units.start[number]) + round(at * rate) for at in (place.start, place.end))
        assert (units.code[first:last] == code).all()
        frames += last - first
    assert frames == np.sum(units.code == code)
    with pytest.raises(UsageError, match="0 to 63"):
        tiny_timbre.places(64)
