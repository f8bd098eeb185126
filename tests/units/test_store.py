"""Units on disk: what is written comes back, mapped and not copied; what is damaged is refused."""

import json
import struct

import numpy as np
import pytest

from vqsynth.errors import UsageError, VqsynthError
from vqsynth.units.store import (
    COLUMNS,
    NOTE,
    SILENCE,
    WIDTHS,
    Recording,
    Units,
    encode_descriptor,
    encode_pitch,
    open_units,
)


def made(lengths=(40, 25, 35), seed=0):
    random = np.random.default_rng(seed)
    count = sum(lengths)
    columns = {}
    for name, kind in COLUMNS.items():
        shape = (count, *([WIDTHS[name]] if name in WIDTHS else []))
        columns[name] = (random.uniform(0, 60, shape)).astype(kind)
    recordings = tuple(Recording(f"take{n}.wav", n % 2, 1.5 * n, f"{n:064x}") for n in range(len(lengths)))
    sources = ({"package": "a", "licence": "CC0-1.0"}, {"package": "b", "licence": "MIT"})
    return Units(columns, np.cumsum([0, *lengths]).astype(np.int64), recordings, sources, "f" * 64)


def test_what_is_written_comes_back_mapped(tmp_path):
    units = made()
    units.save(tmp_path / "units.safetensors")
    back = open_units(tmp_path / "units.safetensors", 64)
    assert (back.recordings, back.sources, back.model) == (units.recordings, units.sources, units.model)
    for name, column in units.columns.items():
        np.testing.assert_array_equal(back.columns[name], column)
        base = back.columns[name]
        while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
            base = base.base
        assert isinstance(base, np.memmap), f"{name} is a copy"
        assert not back.columns[name].flags.writeable


def test_other_programs_can_read_it(tmp_path):
    from safetensors.numpy import load_file

    units = made()
    units.save(tmp_path / "units.safetensors")
    found = load_file(tmp_path / "units.safetensors")
    assert set(found) == {*COLUMNS, "start"}
    np.testing.assert_array_equal(found["noise_detail"], units.noise_detail)


def test_pitch_keeps_half_a_cent_and_unvoiced_frames():
    f0 = np.array([0.0, 27.5, 440.0, 4186.0])
    units = made((4,))
    units.columns["pitch"] = encode_pitch(f0)
    back = units.f0()
    assert back[0] == 0
    assert np.abs(1200 * np.log2(back[1:] / f0[1:])).max() <= 0.26


@pytest.mark.parametrize("name, values", [("centroid", [150.0, 1000.0, 9000.0]), ("flatness", [1e-6, 0.01, 0.5])])
def test_descriptors_keep_their_values_within_a_third_of_a_percent(name, values):
    units = made((4,))
    units.columns[name] = encode_descriptor(name, np.array([*values, np.nan]))
    back = 2 ** units.column(name)
    np.testing.assert_allclose(back[:3], values, rtol=6e-3)
    assert np.isnan(back[3])


def test_a_recording_left_out_is_silent_and_the_file_stays_as_it_is():
    units = made()
    units.mark[:] = NOTE
    rest = units.without(["take1.wav"])
    assert (rest.mark[40:65] == SILENCE).all() and (np.delete(rest.mark, np.s_[40:65]) == NOTE).all()
    assert (units.mark == NOTE).all() and rest.code is units.code
    with pytest.raises(UsageError, match=r"did you mean take2.wav") as error:
        units.without(["tak2.wav"])
    assert error.value.field == "without"
    with pytest.raises(UsageError, match="no recording would be left"):
        units.without([f"take{n}.wav" for n in range(3)])


def test_the_recording_of_a_unit():
    assert made().recording_of(np.array([0, 39, 40, 64, 65, 99])).tolist() == [0, 0, 1, 1, 2, 2]


def rewritten(path, change):
    """Change the header of a file."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h["code"].update(shape=[99]),
        lambda h: h["code"].update(dtype="F16"),
        lambda h: h["code"].update(data_offsets=[0, 1 << 40]),
        lambda h: h["noise_detail"].update(shape=[50, 40]),
        lambda h: h.pop("mark"),
        lambda h: h.pop("__metadata__"),
        lambda h: h["__metadata__"].update(version="2"),
        lambda h: h["__metadata__"].update(recordings="[]"),
        lambda h: h["__metadata__"].update(recordings='[{"name": "a", "source": 5}]'),
        lambda h: h["__metadata__"].update(sources="not json"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path, change):
    path = tmp_path / "units.safetensors"
    made().save(path)
    rewritten(path, change)
    with pytest.raises(VqsynthError, match=r"units\.safetensors"):
        open_units(path, 64)


@pytest.mark.parametrize("content", [b"", b"12345678", struct.pack("<Q", 1 << 60) + b"{}", b"\2" + b"\0" * 7 + b"[]"])
def test_a_file_that_is_something_else_is_refused(tmp_path, content):
    path = tmp_path / "units.safetensors"
    path.write_bytes(content)
    with pytest.raises(VqsynthError, match=r"units\.safetensors"):
        open_units(path, 64)


def test_codes_that_the_model_does_not_have_are_refused(tmp_path):
    made().save(tmp_path / "units.safetensors")
    with pytest.raises(VqsynthError, match="damaged"):
        open_units(tmp_path / "units.safetensors", 20)


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "units.safetensors"
    made().save(path)
    before = path.read_bytes()
    broken = made(seed=1)
    broken.columns["noise_detail"] = broken.columns["noise_detail"][:-1]
    with pytest.raises(ValueError, match="noise_detail"):
        broken.save(path)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == [path.name]
