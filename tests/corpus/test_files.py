"""Reading audio: every format gives the same sound, damage is named, memory holds blocks only."""

import os
import tracemalloc

import numpy as np
import pytest
import soundfile

from vqsynth.corpus.files import find_audio, probe, read_mono, stream_channels, stream_mono
from vqsynth.errors import VqsynthError

RATE = 44100


def tone(frequency=440.0, seconds=1.0, rate=RATE, level=0.4):
    t = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * frequency * t)).astype(np.float32)


def dominant(audio, rate=RATE):
    middle = audio[len(audio) // 4 : 3 * len(audio) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    return spectrum.argmax() * rate / len(middle)


@pytest.mark.parametrize("suffix", "wav flac ogg mp3 aiff w64 rf64 caf au".split())
def test_a_tone_is_the_same_tone_in_every_format(tmp_path, suffix):
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, tone(seconds=2.0), RATE)
    info = probe(path)
    assert (info.sample_rate, info.channels) == (RATE, 1)
    assert info.seconds == pytest.approx(2.0, abs=0.06)
    audio = read_mono(path, 22050)
    assert audio.dtype == np.float32
    assert len(audio) == pytest.approx(2 * 22050, abs=1500)
    assert dominant(audio, 22050) == pytest.approx(440, abs=2)
    assert np.abs(audio[5000:-5000]).max() == pytest.approx(0.4, abs=0.02)


def test_opus_is_read(tmp_path):
    path = tmp_path / "tone.opus"
    soundfile.write(path, tone(rate=48000), 48000, format="OGG", subtype="OPUS")
    assert find_audio(tmp_path) == [path]
    assert dominant(read_mono(path, RATE)) == pytest.approx(440, abs=2)


def test_blocks_of_any_length_join_to_the_whole(tmp_path):
    path = tmp_path / "sweep.wav"
    rng = np.random.default_rng(0)
    soundfile.write(path, 0.1 * rng.standard_normal((48000, 2)), 48000, subtype="FLOAT")
    whole = read_mono(path, RATE)
    assert len(whole) == RATE
    for seconds in (0.0101, 0.3, 5.0):
        blocks = list(stream_mono(path, RATE, block_seconds=seconds))
        np.testing.assert_allclose(np.concatenate(blocks), whole, atol=1e-6)
        assert max(map(len, blocks)) <= RATE * max(seconds, 0.05) * 2


def test_a_part_is_what_the_whole_holds_there(tmp_path):
    path = tmp_path / "noise.wav"
    soundfile.write(path, 0.1 * np.random.default_rng(1).standard_normal(3 * RATE), RATE, subtype="FLOAT")
    whole = read_mono(path, RATE)
    np.testing.assert_array_equal(read_mono(path, RATE, start=1.0, seconds=0.5), whole[RATE : RATE * 3 // 2])
    assert len(read_mono(path, RATE, start=2.5, seconds=9.0)) == RATE // 2
    assert len(read_mono(path, RATE, start=99.0)) == 0


def test_eight_channels_at_384_khz(tmp_path):
    path = tmp_path / "wide.wav"
    audio = np.stack([tone(1000, 0.5, 384_000)] * 8, axis=1)
    soundfile.write(path, audio, 384_000, subtype="PCM_24")
    assert probe(path).channels == 8
    mono = read_mono(path, RATE)
    assert len(mono) == RATE // 2
    assert dominant(mono) == pytest.approx(1000, abs=5)
    assert next(stream_channels(path)).shape == (192_000, 8)


def test_resampling_keeps_out_what_would_fold(tmp_path):
    path = tmp_path / "high.wav"
    soundfile.write(path, tone(30_000, 0.5, 96_000), 96_000, subtype="FLOAT")
    assert np.abs(read_mono(path, RATE)[2000:-2000]).max() < 1e-3


@pytest.mark.parametrize("gains", [(1.0, -1.0), (0.0, 0.0, 0.0, 1.0), (1.0, 0.0)])
def test_channels_that_cancel_do_not_silence_the_sound(tmp_path, gains):
    path = tmp_path / "many.wav"
    soundfile.write(path, np.stack([g * tone() for g in gains], axis=1), RATE)
    assert np.abs(read_mono(path, RATE)).max() > 0.15


def test_find_is_recursive_sorted_and_passes_over_hidden_files(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / ".trash").mkdir()
    for name in ("z.WAV", "b/a.flac", ".trash/old.wav", "b/._a.flac", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    assert [p.relative_to(tmp_path).as_posix() for p in find_audio(tmp_path)] == ["b/a.flac", "z.WAV"]
    assert find_audio(tmp_path / "z.WAV") == [tmp_path / "z.WAV"]


def test_a_folder_without_audio_says_what_it_holds(tmp_path):
    for name in ("a.txt", "b.txt", "c.pdf", "README"):
        (tmp_path / name).write_text("x")
    with pytest.raises(VqsynthError, match=r"4 files.*2 \.txt.*1 \.pdf"):
        find_audio(tmp_path)
    (tmp_path / "inner").mkdir()
    with pytest.raises(VqsynthError, match="empty"):
        find_audio(tmp_path / "inner")
    with pytest.raises(VqsynthError, match="no such file or folder"):
        find_audio(tmp_path / "missing")


def damaged(folder, kind):
    path = folder / f"{kind}.wav"
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("this is not sound")
    elif kind == "header only":
        soundfile.write(path, np.zeros(0), RATE)
    elif kind == "one sample":
        soundfile.write(path, np.ones(1) * 0.1, RATE)
    elif kind in ("nan", "infinite"):
        audio = tone()
        audio[30_000] = np.nan if kind == "nan" else np.inf
        soundfile.write(path, audio, RATE, subtype="FLOAT")
    elif kind == "truncated":
        soundfile.write(path, tone(), RATE)
        path.write_bytes(path.read_bytes()[:40_000])
    return path


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("empty", "empty"),
        ("text", "not readable as audio"),
        ("header only", "no samples"),
        ("one sample", "1 sample"),
        ("nan", "NaN"),
        ("infinite", "infinite"),
        ("truncated", "truncated"),
        ("missing", "no such file"),
    ],
)
def test_damage_is_one_sentence_that_names_the_file(tmp_path, kind, words):
    path = damaged(tmp_path, kind)
    with pytest.raises(VqsynthError, match=words) as error:
        read_mono(path, RATE)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("suffix", ["flac", "mp3"])
def test_truncated_compressed_files_are_found_out(tmp_path, suffix):
    path = tmp_path / f"cut.{suffix}"
    soundfile.write(path, tone(seconds=8.0), RATE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(VqsynthError, match="truncated"):
        read_mono(path, RATE)


def test_a_wav_streamed_into_a_pipe_has_no_length_and_is_read(tmp_path):
    path = tmp_path / "piped.wav"
    soundfile.write(path, tone(), RATE)
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[4:8] = data[at : at + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert len(read_mono(path, RATE)) == RATE


def test_memory_does_not_grow_with_length(tmp_path):
    path = tmp_path / "long.flac"
    with soundfile.SoundFile(path, "w", 8000, 1) as sound:
        for _ in range(60):
            sound.write(tone(seconds=10.0, rate=8000))
    tracemalloc.start()
    length = sum(len(block) for block in stream_mono(path, RATE))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert length == 600 * RATE
    assert peak < 12e6, "the whole would take 106 MB"


def test_a_flac_broken_in_the_middle_is_named_wherever_it_fails(tmp_path):
    path = tmp_path / "broken.flac"
    noise = 0.3 * np.random.default_rng(0).standard_normal(8 * RATE)
    soundfile.write(path, np.stack([noise, -noise], 1), RATE)
    whole = path.read_bytes()
    failed = 0
    for position in np.linspace(0.1, 0.9, 9):
        at = int(position * len(whole))
        path.write_bytes(whole[:at] + bytes(3000) + whole[at + 3000 :])
        try:
            assert np.isfinite(read_mono(path, RATE)).all()
        except VqsynthError as error:
            failed += 1
            assert str(error).startswith(f"{path}: ")
    assert failed


def test_samples_that_no_sum_can_hold_are_refused_and_whole_numbers_are_not(tmp_path):
    path = tmp_path / "loud.wav"
    soundfile.write(path, np.full((RATE, 2), 3e38, np.float32), RATE, subtype="FLOAT")
    with pytest.raises(VqsynthError, match=r"loud\.wav: holds samples beyond"):
        read_mono(path, RATE)
    soundfile.write(path, tone() * 2.0**31, RATE, subtype="FLOAT")
    assert np.isfinite(np.square(read_mono(path, RATE)).sum())


def test_a_rate_of_one_hertz_does_not_become_hours(tmp_path):
    path = tmp_path / "slow.wav"
    soundfile.write(path, tone(), 1)
    for use in (probe, lambda file: read_mono(file, RATE)):
        with pytest.raises(VqsynthError, match="1 samples a second are no rate of sound"):
            use(path)


def test_links_in_circles_pipes_and_odd_names_do_not_stop_a_folder(tmp_path):
    odd = tmp_path / os.fsdecode(b"caf\xe9\x1b.wav")
    soundfile.write(os.fsencode(odd), tone(), RATE)
    (tmp_path / "loop.wav").symlink_to("loop.wav")
    (tmp_path / "round").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.wav")
    assert find_audio(tmp_path) == [odd]
    assert len(read_mono(odd, RATE)) == RATE
    for bad, words in (("loop.wav", "cannot be read"), ("pipe.wav", "pipe or a device")):
        for use in (find_audio, probe):
            with pytest.raises(VqsynthError, match=words):
                use(tmp_path / bad)
    with pytest.raises(VqsynthError, match="no such file or folder"):
        find_audio("zero\0byte")
