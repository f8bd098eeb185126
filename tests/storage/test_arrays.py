"""Archives of arrays: what was written comes back; bombs and objects do not."""

from __future__ import annotations

import io
import resource
import zipfile

import numpy as np
import pytest

from vqsynth.errors import VqsynthError
from vqsynth.storage import arrays
from vqsynth.storage.arrays import Archive, write_arrays


def opened(file):
    return Archive(file, "a path", "encode it again")


def header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def archive(file, **members: bytes) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            made.writestr(f"{name}.npy", data)


def test_what_was_written_comes_back(tmp_path):
    wanted = {
        "a": np.arange(6.0).reshape(2, 3),
        "f": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "empty": np.zeros((0, 4), np.float32),
        "text": np.array(["cello", "ä"]),
        "none": np.array([], dtype=np.str_),
        "number": 3,
    }
    write_arrays(tmp_path / "a.npz", wanted)
    found = opened(tmp_path / "a.npz").read([*wanted, "absent"])
    assert list(found) == list(wanted)
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name], values)
        assert found[name].dtype == np.asarray(values).dtype
    np.savez(tmp_path / "plain.npz", a=wanted["a"])
    np.testing.assert_array_equal(opened(tmp_path / "plain.npz").read(["a"])["a"], wanted["a"])


@pytest.mark.parametrize(
    "data",
    [
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (10,)}\n"),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}\n") + bytes(4),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999,)}\n") + bytes(4),
        header("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}\n") + bytes(8),
        header("{'descr': '<U1', 'fortran_order': False, 'shape': (1,)}\n") + b"\xff" * 4,
        header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}\n") + bytes(4),
        header("__import__('os')"),
        header("(" * 9000),
        b"",
    ],
)
def test_members_that_are_not_what_they_say(tmp_path, data):
    archive(tmp_path / "a.npz", a=data)
    with pytest.raises(VqsynthError, match=r"a.npz: not a path, or damaged; encode it again"):
        opened(tmp_path / "a.npz").read(["a"])


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    size = arrays.LARGEST + 1
    descr = header(f"{{'descr': '|i1', 'fortran_order': False, 'shape': ({size},)}}\n")
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as made, made.open("a.npy", "w") as member:
        member.write(descr)
        for _ in range(size // (1 << 20) + 1):
            member.write(bytes(1 << 20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(VqsynthError, match="damaged"):
        opened(tmp_path / "bomb.npz").read(["a"])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
    assert opened(tmp_path / "bomb.npz").read(["b"]) == {}


def test_a_directory_of_many_members_and_what_is_no_archive(tmp_path):
    archive(tmp_path / "many.npz", **{f"m{number}": b"" for number in range(300)})
    whole = io.BytesIO()
    np.savez(whole, a=np.arange(1000))
    for data in (None, b"", b"RIFF", whole.getvalue()[:-30], whole.getvalue()[100:]):
        if data is not None:
            (tmp_path / "many.npz").write_bytes(data)
        with pytest.raises(VqsynthError, match=r"many\.npz: not a path"):
            opened(tmp_path / "many.npz").read(["a"])
