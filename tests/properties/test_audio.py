"""Audio files that were flipped, cut or made up: sound of finite samples, or an error of ours."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from vqsynth.corpus.files import probe, read_mono, stream_channels

flips = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), min_size=1, max_size=3)


def all_of(path) -> np.ndarray:
    """Everything that is read of a recording."""
    probe(path)
    for block in stream_channels(path):
        assert np.isfinite(block).all()
    return read_mono(path, 16_000)


@pytest.mark.parametrize(
    ("suffix", "subtype"),
    [
        ("wav", "PCM_16"),
        ("wav", "FLOAT"),
        ("flac", "PCM_16"),
        ("ogg", "VORBIS"),
        ("mp3", None),
        ("aiff", "PCM_24"),
        ("caf", "PCM_16"),
    ],
)
def test_recordings_with_flipped_bytes(tried, here, suffix, subtype):
    path = here / f"sound.{suffix}"
    noise = 0.1 * np.random.default_rng(0).standard_normal((8000, 2))
    soundfile.write(path, noise, 16_000, subtype=subtype)
    whole = path.read_bytes()

    @given(flips, st.integers(0, 99), st.integers(1, 255), st.floats(0, 1))
    def each(places, at, mask, end):
        changed = bytearray(whole)
        for share, bits in places:
            changed[min(int(share * len(whole)), len(whole) - 1)] ^= bits
        header = bytearray(whole)
        header[at] ^= mask
        for data in (bytes(changed), bytes(header), whole[: int(end * len(whole))]):
            path.write_bytes(data)
            audio = tried(all_of, path)
            assert audio is None or (audio.dtype == np.float32 and np.isfinite(audio).all())

    each()


@given(
    st.binary(max_size=100),
    st.sampled_from([b"", b"RIFF\x64\0\0\0WAVE", b"fLaC", b"OggS", b"ID3", b"FORM\0\0\0\x64AIFF", b"caff"]),
    st.sampled_from(["wav", "raw", "mp3", "sd2", "w64"]),
)
def test_what_is_no_recording(tried, here, junk, magic, suffix):
    (here / f"junk.{suffix}").write_bytes(magic + junk)
    tried(all_of, here / f"junk.{suffix}")


@given(st.integers(2, 500), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_samples_come_back(here, count, channels, seed):
    sound = np.random.default_rng(seed).uniform(-1, 1, (count, channels)).astype(np.float32)
    soundfile.write(here / "s.wav", sound, 16_000, subtype="FLOAT")
    np.testing.assert_array_equal(np.concatenate(list(stream_channels(here / "s.wav"))), sound)
    if channels == 1:
        np.testing.assert_array_equal(read_mono(here / "s.wav", 16_000), sound[:, 0])
