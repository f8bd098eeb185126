"""Files of units that were flipped, cut or made up."""

from __future__ import annotations

import dataclasses
import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqsynth.units.store import COLUMNS, WIDTHS, Recording, Units, open_units
from vqsynth.units.summary import summarize, where

CODES = 32
shares = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), min_size=1, max_size=4)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["F16", "I64", 2**62]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The bytes of a small file of units."""
    random, lengths = np.random.default_rng(0), (12, 7)
    columns = {
        name: random.uniform(0, CODES, (sum(lengths), *([WIDTHS[name]] if name in WIDTHS else []))).astype(kind)
        for name, kind in COLUMNS.items()
    }
    start = np.cumsum([0, *lengths]).astype(np.int64)
    path = tmp_path_factory.mktemp("units") / "u.safetensors"
    Units(columns, start, (Recording("a", 0), Recording("b", 1)), ({"licence": "x"}, {}), "f" * 64).save(path)
    return path.read_bytes()


def use(path) -> bool:
    """All that is read of units."""
    units = open_units(path, CODES)
    units.f0(), units.column("flatness"), units.recording_of(np.arange(len(units)))
    assert units.mark.shape == units.loudness.shape == (len(units),) and units.noise_detail.shape == (len(units), 20)
    summarize(units, 86.0)
    for code in set(units.code.tolist()):
        assert where(units, code, 86.0, CODES)
    names = {recording.name for recording in units.recordings}
    if len(names) > 1:
        units.without([units.recordings[0].name])
    return True


@given(shares, st.floats(0, 1), st.booleans())
def test_flipped_and_cut(tried, here, made, places, end, header):
    (length,) = struct.unpack_from("<Q", made)
    changed = bytearray(made)
    for share, mask in places:
        changed[int(share * ((8 + length if header else len(made)) - 1))] ^= mask
    for data in (bytes(changed), made[: int(end * len(made))]):
        (here / "u.safetensors").write_bytes(data)
        tried(use, here / "u.safetensors")


@given(st.sampled_from([*COLUMNS, "start", "__metadata__", "odd"]), st.text(max_size=6) | st.none(), values)
def test_made_up(tried, here, made, entry, key, value):
    (length,) = struct.unpack_from("<Q", made)
    header = json.loads(made[8 : 8 + length])
    if key is None or entry == "odd":
        header[entry] = value
    elif entry == "__metadata__":
        header[entry][key if key in header[entry] else "recordings"] = json.dumps(value)
    else:
        header[entry][("dtype", "shape", "data_offsets")[len(key) % 3]] = value
    text = json.dumps(header).encode("utf-8", "surrogatepass")
    (here / "u.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + made[8 + length :])
    tried(use, here / "u.safetensors")


@given(st.lists(st.tuples(st.integers(1, 9), st.text(max_size=8), st.floats(0, 1e4)), min_size=1, max_size=5))
def test_units_are_read_as_they_are_written(here, recordings):
    count = sum(length for length, _, _ in recordings)
    columns = {
        name: np.zeros((count, *([WIDTHS[name]] if name in WIDTHS else [])), kind) for name, kind in COLUMNS.items()
    }
    columns["code"][:] = np.arange(count) % CODES
    start = np.cumsum([0, *(length for length, _, _ in recordings)]).astype(np.int64)
    rows = tuple(Recording(name, 0, second) for _, name, second in recordings)
    units = Units(columns, start, rows, ({"licence": "CC0-1.0"},), "0" * 64)
    units.save(here / "u.safetensors")
    back = open_units(here / "u.safetensors", CODES)
    assert dataclasses.astuple(back)[2:5] == dataclasses.astuple(units)[2:5]
    assert back.code.tolist() == units.code.tolist() and back.start.tolist() == start.tolist()
