"""A recording encoded in pieces is the recording encoded at once; units describe what can be heard of them."""

import librosa
import numpy as np
import pytest

from vqsynth.units import encode
from vqsynth.units.encode import encode_piece, encode_stream

RATE = 44_100


@pytest.fixture(scope="module")
def model(tiny_timbre):
    return tiny_timbre.model


def glide(make_tone, seconds):
    course = 300 * 2 ** (0.4 * np.sin(2 * np.pi * 0.3 * np.arange(round(seconds * RATE)) / RATE))
    noise = 0.002 * np.random.default_rng(0).standard_normal(len(course))
    return (make_tone(course, seconds) + noise).astype(np.float32)


@pytest.mark.parametrize("seconds", [0.3, 4.0, 8.0, 13.37])
def test_pieces_have_the_frames_of_the_whole(model, make_tone, monkeypatch, seconds):
    audio = glide(make_tone, seconds)
    whole = encode_piece(model, audio)
    monkeypatch.setattr(encode, "PIECE_SECONDS", 4.0)
    pieces = list(encode_stream(model, (audio[at : at + 70_001] for at in range(0, len(audio), 70_001))))
    assert len(pieces) == int(np.ceil(seconds / 4.0))
    together = {name: np.concatenate([p.columns[name] for p in pieces]) for name in whole.columns}
    assert {len(column) for column in together.values()} == {1 + len(audio) // 512}
    np.testing.assert_array_equal(together["loudness"], whole.columns["loudness"])
    assert np.mean(together["code"] != whole.columns["code"]) < 0.02
    assert np.mean(np.abs(together["pitch"].astype(int) - whole.columns["pitch"]) > 10) < 0.01
    # The noise of the reconstruction is another one, so that what is measured on it differs a little.
    assert np.nanmedian(np.abs(together["centroid"] - whole.columns["centroid"])) < 0.02
    difference = np.abs(together["harmonic_detail"].astype(int) - whole.columns["harmonic_detail"])
    assert np.median(difference[:, :10]) <= 2


def test_memory_does_not_grow_with_the_recording(model, make_tone, monkeypatch):
    monkeypatch.setattr(encode, "PIECE_SECONDS", 2.0)
    largest = []
    plain = encode.encode_piece
    monkeypatch.setattr(encode, "encode_piece", lambda model, audio: largest.append(len(audio)) or plain(model, audio))
    block = glide(make_tone, 3.0)
    frames = sum(len(piece.f0) for piece in encode_stream(model, (block for _ in range(6))))
    assert frames == 1 + 18 * RATE // 512
    assert max(largest) <= 6 * RATE


def test_stored_brightness_pitch_and_level_are_those_of_the_recordings(tiny_timbre, recordings):
    units = tiny_timbre.units
    for number, recording in enumerate(units.recordings):
        here = slice(int(units.start[number]), int(units.start[number + 1]))
        audio, _ = librosa.load(recordings / recording.name, sr=RATE)
        centroid = librosa.feature.spectral_centroid(y=audio, sr=RATE, n_fft=2048, hop_length=512)[0]
        inside = slice(8, -8)
        stored = 2 ** units.column("centroid")[here]
        # A timbre trained for seconds: 0.04 to 0.08 octaves for the dullest glide, from seed to seed.
        assert np.nanmedian(np.abs(np.log2(stored[inside] / centroid[inside]))) < 0.1
        pitch = units.f0(here)[inside]
        number = int(recording.name[5])
        course = np.geomspace(220 + 20 * number, 520 + 20 * number, len(centroid))[:: 1 if number % 2 else -1][inside]
        assert np.median(np.abs(1200 * np.log2(pitch / course))) < 10
        assert np.ptp(units.loudness[here][inside].astype(float)) < 6
