"""Codes and latent paths on disk: whatever was flipped, cut or made up is a value or an error of ours."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqsynth.library import timbre as folder
from vqsynth.render.code_file import CodeSequence, load_codes, save_codes, timbre_of
from vqsynth.wavae.paths import path_file

flips = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), min_size=1, max_size=3)
odd = st.sampled_from(
    [
        np.zeros(0),
        np.zeros((3, 3)),
        np.array("text"),
        np.array(["loudness", "centroid"]),
        np.full(9, 1e308),
        np.array(np.nan),
        np.array(-1),
        np.array(2**62),
        np.array(True),
        np.zeros(9, np.int8),
        np.zeros((9, 0)),
        np.full(9, np.inf),
    ]
)


def damaged(data: bytes, places) -> bytes:
    """Some bytes changed."""
    changed = bytearray(data)
    for share, mask in places:
        changed[min(int(share * len(data)), len(data) - 1)] ^= mask
    return bytes(changed)


@pytest.fixture(scope="module")
def timbre():
    return folder.load("violin")


@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_codes_come_back(here, timbre, count, seed):
    rng = np.random.default_rng(seed)
    wanted = CodeSequence(
        rng.integers(0, timbre.config.n_codes, count),
        rng.uniform(-80, 0, count).astype(np.float32),
        rng.uniform(0, 2000, count).astype(np.float32),
    )
    save_codes(here / "c.npz", timbre, wanted)
    found = load_codes(here / "c.npz", timbre)
    for name, values in vars(wanted).items():
        np.testing.assert_array_equal(getattr(found, name), values)


@given(flips, st.floats(0, 1))
def test_codes_with_flipped_bytes(tried, here, timbre, places, end):
    codes = CodeSequence(np.arange(9), np.full(9, -20.0), np.zeros(9))
    save_codes(here / "c.npz", timbre, codes)
    whole = (here / "c.npz").read_bytes()
    for data in (damaged(whole, places), whole[: int(end * len(whole))]):
        (here / "c.npz").write_bytes(data)
        for force in (False, True):
            found = tried(load_codes, here / "c.npz", timbre, force)
            if found is not None:  # what was flipped is not read, or says nothing of the sound
                np.testing.assert_array_equal(found.codes, codes.codes)
                np.testing.assert_array_equal(found.loudness, codes.loudness)
        tried(timbre_of, here / "c.npz")


@given(
    st.dictionaries(
        st.sampled_from(["codes", "loudness", "f0", "format", "timbre", "model", "sample_rate"]), odd, max_size=3
    )
)
def test_codes_that_someone_made_up(tried, here, timbre, members):
    save_codes(here / "c.npz", timbre, CodeSequence(np.arange(9), np.full(9, -20.0), np.zeros(9)))
    with np.load(here / "c.npz") as archive:
        np.savez(here / "d.npz", **{**archive, **members})
    found = tried(load_codes, here / "d.npz", timbre, True)
    assert found is None or (found.f0.max() < 1e5 and found.loudness.max() < 100 and len(found.codes) == len(found.f0))


@pytest.mark.parametrize("suffix", path_file.SUFFIXES)
def test_paths_come_back(here, domain, path, suffix):
    @given(st.integers(1, 12), st.floats(-100, 100), st.floats(-80, 0))
    def each(frames, scale, level):
        z = (path.z[:frames] * scale).astype(np.float32)
        wanted = dataclasses.replace(
            path,
            z=z,
            controls=np.tile(np.float32([level, 330, 0.5]), (frames, 1)),
            samples=max(1, domain.model.samples_of(frames)),
        )
        path_file.save(here / f"z{suffix}", wanted)
        found = path_file.load(here / f"z{suffix}", domain)
        exact = suffix == ".npz"
        np.testing.assert_allclose(found.z, z, rtol=0 if exact else 1e-4, atol=0 if exact else 1e-3 * abs(scale) + 1e-5)
        np.testing.assert_allclose(found.controls, wanted.controls, rtol=0 if exact else 1e-6)
        assert len(found) == frames and found.samples == wanted.samples

    each()


@pytest.mark.parametrize("suffix", path_file.SUFFIXES)
def test_paths_with_flipped_bytes(tried, here, domain, path, suffix):
    path_file.save(here / f"z{suffix}", path)
    whole = (here / f"z{suffix}").read_bytes()

    @given(flips, st.floats(0, 1))
    def each(places, end):
        for data in (damaged(whole, places), whole[: int(end * len(whole))]):
            (here / f"z{suffix}").write_bytes(data)
            found = tried(path_file.load, here / f"z{suffix}", domain)
            if found is not None:
                assert np.abs(found.z).max() <= 1e9 and np.isfinite(found.controls).all()

    each()


MEMBERS = [
    "z",
    "loudness",
    "names",
    "operations",
    "rate",
    "sample_rate",
    "samples",
    "domain",
    "loudness_version",
    "pca_std",
]


@given(st.dictionaries(st.sampled_from(MEMBERS), odd, max_size=3))
def test_paths_that_someone_made_up(tried, here, path, members):
    path_file.save(here / "z.npz", path)
    with np.load(here / "z.npz") as archive:
        np.savez(here / "y.npz", **{**archive, **members})
    found = tried(path_file.load, here / "y.npz")
    assert found is None or (np.isfinite(found.z).all() and 0 < found.rate < 1e6 and found.samples < 1e9)


texts = st.lists(
    st.sampled_from(
        [
            "time_s",
            "loudness_db",
            "pc1",
            "pc16",
            "0",
            "1",
            ",",
            ";",
            "\t",
            " ",
            "\n",
            "-20",
            "nan",
            "1e308",
            "1e400",
            "9" * 30,
            "x",
            "\x00",
            "ü",
        ]
    ),
    max_size=40,
).map("".join) | st.text(max_size=40)


@given(texts, st.sampled_from([".csv", ".txt"]))
def test_texts_that_someone_made_up(tried, here, domain, text, suffix):
    (here / f"t{suffix}").write_bytes(text.encode("utf-8", "replace"))
    tried(path_file.load, here / f"t{suffix}", domain)
