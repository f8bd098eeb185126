"""Any sound through a timbre keeps its melody and its loudness; codes survive the disk."""

from __future__ import annotations

import dataclasses
import os

import numpy as np
import pytest
import soundfile
import torch

from vqsynth.corpus import blocks
from vqsynth.corpus.files import read_mono
from vqsynth.descriptors import f0 as tracker
from vqsynth.dsp.loudness import loudness
from vqsynth.dsp.mel import mel_filters
from vqsynth.dsp.stft import power_spectrogram
from vqsynth.errors import UsageError, VqsynthError, collect_warnings
from vqsynth.render.code_file import CodeSequence, load_codes, save_codes, timbre_of
from vqsynth.render.transfer import FIT, decode, decode_blocks, encode, transfer
from vqsynth.render.transfer_folder import transfer_all
from vqsynth.vqvae.network import Decoder

RATE = 44_100
MELODY = (110.0, 130.8, 98.0, 123.5)


class Silent:
    """A display that shows nothing."""

    def file(self, name, number=1, total=1):
        pass

    def part(self, task, share):
        assert 0 <= share <= 1


@pytest.fixture(scope="module")
def sung(tmp_path_factory, make_tone):
    """Four low notes, louder and softer, two octaves under the timbre."""
    notes = [make_tone(f0, 0.8, 0.8, level=level) for f0, level in zip(MELODY, (0.05, 0.3, 0.1, 0.3))]
    path = tmp_path_factory.mktemp("sung") / "low.wav"
    soundfile.write(path, np.concatenate(notes), RATE)
    return path


def measured_f0(path):
    audio = read_mono(path, RATE)
    f0, _, voiced = tracker.track(audio, RATE, method="yin", fmin=60, fmax=1200)
    return np.where(voiced, f0, 0.0)


def test_the_melody_is_kept_in_the_timbres_octave(tiny_timbre, sung, tmp_path):
    report = transfer(sung, tiny_timbre, tmp_path / "out.wav")
    f0 = measured_f0(tmp_path / "out.wav")
    for number, note in enumerate(MELODY):
        middle = f0[int((0.8 * number + 0.2) * 86.13) : int((0.8 * number + 0.6) * 86.13)]
        middle = middle[middle > 0]
        assert len(middle) > 20
        assert abs(1200 * np.log2(np.median(middle) / (note * 2.0**report.octaves))) < 15
    assert report.octaves in (1, 2)
    assert report.voiced > 0.8
    assert report.seconds == pytest.approx(3.2, abs=0.03)


def test_the_loudness_is_kept(tiny_timbre, sung, tmp_path):
    for pitch in ("track", "codes"):
        transfer(sung, tiny_timbre, tmp_path / "out.wav", pitch=pitch)
        before, after = (loudness(read_mono(p, RATE), RATE) for p in (sung, tmp_path / "out.wav"))
        for number in range(4):
            middle = slice(int((0.8 * number + 0.2) * 86.13), int((0.8 * number + 0.6) * 86.13))
            assert abs(np.mean(after[middle]) - np.mean(before[middle])) < 1.5


def test_the_codes_alone_do_not_follow(tiny_timbre, sung):
    tracked, _ = encode(sung, tiny_timbre, "track")
    original, moved = encode(sung, tiny_timbre, "codes")
    assert moved == 0
    code_f0 = tiny_timbre.table.column("f0")
    voiced = tracked.f0 > 0
    off = [np.median(np.abs(12 * np.log2(code_f0[s.codes[voiced]] / tracked.f0[voiced]))) for s in (tracked, original)]
    assert off[0] < 1.0 < off[1]


@pytest.fixture(scope="module")
def coloured(tmp_path_factory, recordings):
    """A glide that the timbre knows, in a room that takes the highs and adds around 500 Hz."""
    audio = read_mono(recordings / "glide4.wav", RATE)
    path = tmp_path_factory.mktemp("coloured") / "room.wav"
    hz = np.fft.rfftfreq(len(audio), 1 / RATE)
    gain = 10 ** ((8 * np.exp(-(np.log2(np.maximum(hz, 1) / 500) ** 2)) - 10 * (hz > 1500)) / 20)
    soundfile.write(path, np.fft.irfft(np.fft.rfft(audio) * gain, len(audio)), RATE)
    return path


def mel_error(path, audio):
    """Mean distance in dB over 64 bands, frames within 40 dB of the loudest."""
    filters = mel_filters(RATE, 2048, 64).numpy()
    wanted, made = (
        power_spectrogram(torch.from_numpy(x), 2048, 512).numpy() @ filters for x in (read_mono(path, RATE), audio)
    )
    wanted, made = wanted[: len(made)], made[: len(wanted)]
    floor = wanted.max() * 1e-6
    loud = wanted.sum(1) > wanted.sum(1).max() * 1e-4
    return np.abs(10 * np.log10((made + floor) / (wanted + floor)))[loud].mean()


def sound_of(timbre, sequence):
    return np.concatenate([audio for audio, _ in decode_blocks(timbre, sequence)])


def test_a_fit_to_the_sound_is_nearer(tiny_timbre, coloured):
    heard, _ = encode(coloured, tiny_timbre, fit="timbre")
    fitted, _ = encode(coloured, tiny_timbre, fit="sound")
    repainted = dataclasses.replace(heard, colour=fitted.colour)
    errors = [mel_error(coloured, sound_of(tiny_timbre, s)) for s in (heard, repainted, fitted)]
    assert heard.colour is None
    assert errors[1] < 0.9 * errors[0]
    # The codes are better, too.
    assert errors[2] < 0.97 * errors[1]


def test_a_fit_does_not_harm_what_the_timbre_knows(tiny_timbre, recordings):
    for name in ("glide1.wav", "glide6.wav"):
        errors = [
            mel_error(recordings / name, sound_of(tiny_timbre, encode(recordings / name, tiny_timbre, fit=fit)[0]))
            for fit in FIT
        ]
        assert errors[1] < 1.02 * errors[0]


def test_a_colour_survives_the_disk_and_a_damaged_one_is_refused(tiny_timbre, coloured, tmp_path):
    sequence, _ = encode(coloured, tiny_timbre, fit="sound")
    save_codes(tmp_path / "a.npz", tiny_timbre, sequence)
    np.testing.assert_array_equal(load_codes(tmp_path / "a.npz", tiny_timbre).colour, sequence.colour)
    for colour in (np.full(48, np.nan), np.zeros(47), np.full(48, 99.0), np.zeros(48, int)):
        np.savez(tmp_path / "b.npz", **{**dict(np.load(tmp_path / "a.npz")), "colour": colour})
        with pytest.raises(VqsynthError, match="its colour is damaged"):
            load_codes(tmp_path / "b.npz", tiny_timbre)


def test_fits_that_cannot_be(tiny_timbre, sung):
    with pytest.raises(UsageError, match="choose timbre or sound"):
        encode(sung, tiny_timbre, fit="best")
    with pytest.raises(UsageError, match="pitch be track"):
        encode(sung, tiny_timbre, "codes", fit="sound")


def test_pulses_are_lowered_where_the_source_has_no_pitch(tiny_timbre, monkeypatch):
    """A gap of 0.1 s in a melody, bridged: pulses fall by how unvoiced the decoder is, and come back."""
    frames = 120
    f0 = np.full(frames, 330.0, np.float32)
    f0[50:58] = 0.0
    sequence = CodeSequence(np.full(frames, 7), np.full(frames, -20.0, np.float32), f0)
    unsure = Decoder.frames

    def half_voiced(self, outputs):
        made, pitch = unsure(self, outputs)
        return dataclasses.replace(made, voicing=torch.full_like(made.voicing, 0.01)), pitch

    def spectrum(audio, start, stop):
        piece = audio[start * 512 : stop * 512] * np.hanning((stop - start) * 512)
        return np.fft.rfftfreq(len(piece), 1 / RATE), np.abs(np.fft.rfft(piece)) ** 2

    def tonal(audio, start, stop, pitch=330.0):
        hz, power = spectrum(audio, start, stop)
        return power[np.abs(hz - pitch) < 25].sum() / power.sum()

    sure = sound_of(tiny_timbre, sequence)
    monkeypatch.setattr(Decoder, "frames", half_voiced)
    gated = sound_of(tiny_timbre, sequence)
    assert tonal(gated, 52, 56) < 0.2 * tonal(sure, 52, 56)
    assert tonal(gated, 20, 40) == pytest.approx(tonal(sure, 20, 40), rel=1e-3)
    # Without any pitch the codes sing as they are.
    own = sound_of(tiny_timbre, dataclasses.replace(sequence, f0=np.zeros(frames, np.float32)))
    hz, power = spectrum(own, 20, 48)
    loudest = hz[power.argmax()]
    assert tonal(own, 52, 56, loudest) == pytest.approx(tonal(own, 20, 24, loudest), rel=0.5)


def test_pieces_give_the_codes_of_the_whole(tiny_timbre, sung, monkeypatch):
    whole, _ = encode(sung, tiny_timbre)
    monkeypatch.setattr(blocks, "BLOCK_SECONDS", 0.5)
    parts, _ = encode(sung, tiny_timbre)
    np.testing.assert_array_equal(whole.f0 > 0, parts.f0 > 0)
    np.testing.assert_allclose(whole.loudness, parts.loudness, atol=1e-3)
    assert np.mean(whole.codes == parts.codes) > 0.97


def test_codes_survive_the_disk_and_sound_the_same(tiny_timbre, sung, tmp_path):
    sequence, _ = encode(sung, tiny_timbre)
    save_codes(tmp_path / "a.npz", tiny_timbre, sequence)
    loaded = load_codes(tmp_path / "a.npz", tiny_timbre)
    assert timbre_of(tmp_path / "a.npz") == "tiny"
    first, second = (np.concatenate([audio for audio, _ in decode_blocks(tiny_timbre, s)]) for s in (sequence, loaded))
    np.testing.assert_array_equal(first, second)
    decode(tiny_timbre, loaded, tmp_path / "out.wav", bits="32f")
    np.testing.assert_array_equal(read_mono(tmp_path / "out.wav", RATE), first)


def test_codes_of_another_model_are_refused_unless_forced(tiny_timbre, tmp_path):
    sequence = CodeSequence(np.array([1, 2, 3]), np.full(3, -20.0), np.zeros(3))
    save_codes(tmp_path / "a.npz", tiny_timbre, sequence)
    data = dict(np.load(tmp_path / "a.npz"))
    np.savez(tmp_path / "b.npz", **{**data, "timbre": "oboe", "model": "0" * 64})
    with pytest.raises(UsageError, match="belong to the timbre oboe"):
        load_codes(tmp_path / "b.npz", tiny_timbre)
    with collect_warnings() as warnings:
        assert len(load_codes(tmp_path / "b.npz", tiny_timbre, force=True)) == 3
    assert "another meaning" in warnings[0]
    np.savez(tmp_path / "c.npz", **{**data, "codes": np.array([1, 2, 64])})
    with pytest.raises(UsageError, match="0 to 63"):
        load_codes(tmp_path / "c.npz", tiny_timbre)


@pytest.mark.parametrize(
    "change",
    [
        {"loudness": np.array([0.0, np.nan, 0.0])},
        {"f0": np.zeros(2)},
        {"codes": np.zeros(0, int), "loudness": np.zeros(0), "f0": np.zeros(0)},
        {"codes": np.array([1.5, 2.0, 3.0])},
        {"format": 99},
    ],
)
def test_damaged_codes_are_refused(tiny_timbre, tmp_path, change):
    save_codes(tmp_path / "a.npz", tiny_timbre, CodeSequence(np.array([1, 2, 3]), np.full(3, -20.0), np.zeros(3)))
    np.savez(tmp_path / "b.npz", **{**dict(np.load(tmp_path / "a.npz")), **change})
    with pytest.raises(VqsynthError, match="b.npz"):
        load_codes(tmp_path / "b.npz", tiny_timbre)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 broken"])
def test_files_that_are_no_codes_are_refused(tiny_timbre, tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(VqsynthError, match="not a file of codes"):
        load_codes(tmp_path / "a.npz", tiny_timbre)
    with pytest.raises(VqsynthError, match="no such file"):
        load_codes(tmp_path / "missing.npz", tiny_timbre)


def test_a_pickle_is_never_opened(tiny_timbre, tmp_path):
    np.savez(tmp_path / "a.npz", codes=np.array([{"a": 1}], dtype=object))
    with pytest.raises(VqsynthError):
        load_codes(tmp_path / "a.npz", tiny_timbre)


def test_a_folder_is_mirrored_and_a_bad_file_does_not_stop_the_rest(tiny_timbre, make_tone, tmp_path, warned):
    source = tmp_path / "in"
    (source / "deep").mkdir(parents=True)
    soundfile.write(source / "a.wav", make_tone(200.0, 0.3), RATE)
    soundfile.write(source / "a.flac", make_tone(300.0, 0.3), RATE)
    soundfile.write(source / "deep" / "eight.wav", np.repeat(make_tone(250.0, 0.2, rate=96_000)[:, None], 8, 1), 96_000)
    (source / "bad.wav").write_bytes(b"RIFF of nothing")
    soundfile.write(source / "silent.wav", np.zeros(4000), RATE)
    done, failed = transfer_all(source, tiny_timbre, tmp_path / "out", Silent(), figure=True)
    names = sorted(str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.wav"))
    assert names == ["a.flac.wav", "a.wav.wav", "deep/eight.wav"]
    assert sorted(p.name for p in failed) == ["bad.wav", "silent.wav"]
    assert len(done) == 3
    errors = " ".join(warned)
    assert "bad.wav" in errors and "silent.wav" in errors
    assert (tmp_path / "out" / "deep" / "eight.png").stat().st_size > 10_000


def test_outputs_that_cannot_be(tiny_timbre, sung, tmp_path):
    with pytest.raises(UsageError, match="must end in .wav or .flac"):
        transfer_all(sung, tiny_timbre, tmp_path / "out.mp3", Silent())
    with pytest.raises(UsageError, match="bits 32f"):
        transfer_all(sung, tiny_timbre, tmp_path / "out.flac", Silent(), bits="32f")
    with pytest.raises(VqsynthError, match="cannot be made"):
        transfer_all(sung, tiny_timbre, sung / "out.wav", Silent())
    with pytest.raises(UsageError, match="within"):
        transfer_all(sung.parent, tiny_timbre, sung.parent / "out", Silent())
    with pytest.raises(UsageError, match="pitch"):
        transfer_all(sung, tiny_timbre, tmp_path / "out.wav", Silent(), pitch="maybe")
    assert not list(tmp_path.iterdir())


def test_a_single_bad_file_raises_and_leaves_nothing(tiny_timbre, tmp_path):
    soundfile.write(tmp_path / "one.wav", np.zeros(1), RATE)
    with pytest.raises(VqsynthError, match="1 sample"):
        transfer(tmp_path / "one.wav", tiny_timbre, tmp_path / "out.wav")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one.wav"]


@pytest.mark.parametrize("gain", [float("nan"), float("inf"), 1e6])
def test_gains_that_cannot_be(tiny_timbre, sung, tmp_path, gain):
    sequence = CodeSequence(np.zeros(9, np.int64), np.full(9, -20.0, np.float32), np.zeros(9, np.float32))
    with pytest.raises(UsageError, match="gain_db .*give at most 60 dB"):
        decode(tiny_timbre, sequence, tmp_path / "out.wav", gain_db=gain)
    for source in (sung, sung.parent):
        with pytest.raises(UsageError, match="gain_db .*give at most 60 dB"):
            transfer_all(
                source, tiny_timbre, tmp_path / ("out" if source.is_dir() else "out.wav"), Silent(), gain_db=gain
            )
    assert not list(tmp_path.iterdir())


def test_a_recording_is_never_replaced(tiny_timbre, make_tone, tmp_path):
    soundfile.write(tmp_path / "a.wav", make_tone(300.0, 0.3), RATE)
    before = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "soft.wav").symlink_to(tmp_path / "a.wav")
    os.link(tmp_path / "a.wav", tmp_path / "hard.wav")
    for name in ("a.wav", "soft.wav", "hard.wav"):
        with pytest.raises(UsageError, match=r"output .*is the input"):
            transfer_all(tmp_path / "a.wav", tiny_timbre, tmp_path / name, Silent())
    assert (tmp_path / "a.wav").read_bytes() == before and (tmp_path / "soft.wav").is_symlink()
