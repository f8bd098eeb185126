"""Addresses, their arguments, scripts, and the ring."""

from __future__ import annotations

import contextlib
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqsynth.errors import VqsynthError
from vqsynth.live.messages import ADDRESSES, Message, Refused, list_of_addresses, read
from vqsynth.live.ring import Ring
from vqsynth.live.script import read_script, write_script

GOOD = [
    (("/descriptor/centroid", [1800]), Message("/descriptor", "centroid", (1800.0,))),
    (("/descriptor/f0", ["A4"]), Message("/descriptor", "f0", (440.0,))),
    (("/descriptor/f0", []), Message("/descriptor", "f0", ())),
    (("/note", ["A4", 0.8]), Message("/note", None, (69.0, 0.8))),
    (("/note", [60.5, 0]), Message("/note", None, (60.5, 0.0))),
    (("/note", ["off"]), Message("/note", None, ("off",))),
    (("/latent/3", [0.5]), Message("/latent", 3, (0.5,))),
    (("/latent/3", []), Message("/latent", 3, ())),
    (("/scale", [2]), Message("/scale", None, (2.0,))),
    (("/bias/0", [-1.0]), Message("/bias", 0, (-1.0,))),
    (("/feedback", [800, 5, 2]), Message("/feedback", None, (800.0, 5.0, 2.0))),
    (("/model", ["my violin"]), Message("/model", None, ("my violin",))),
    (("/learn", ["/gain", -40, 0]), Message("/learn", None, ("/gain", -40.0, 0.0))),
    (("/state", []), Message("/state")),
]
BAD = [
    ("/descriptor/centroid", [float("nan")]),
    ("/descriptor/centroid", [float("inf")]),
    ("/descriptor/centroid", ["loud"]),
    ("/descriptor/centroid", [1, 2]),
    ("/descriptor/centroid", [True]),
    ("/descriptor/centroid", [b"\0"]),
    ("/descriptor/colour", [1]),
    ("/descriptor", [1]),
    ("/note", ["H4", 0.5]),
    ("/note", ["A4", 1.5]),
    ("/note", ["A4"]),
    ("/note", [None, 0.5]),
    ("/gain", []),
    ("/gain", [200]),
    ("/gain", [[1.0]]),
    ("/latent", [1]),
    ("/latent/-1", [1]),
    ("/latent/٣", [1]),
    ("/latent/99999", [1]),
    ("/feedback", [800, 5]),
    ("/feedback", [800, 0, 2]),
    ("/model", []),
    ("/model", ["a\0b"]),
    ("/model", [3]),
    ("/gain/3", [1]),
    ("/nothing", []),
    ("gain", [1]),
    ("", []),
    ("/", []),
]


@pytest.mark.parametrize("given, expected", GOOD)
def test_read(given, expected):
    assert read(*given) == expected


@pytest.mark.parametrize("address, arguments", BAD)
def test_refuses(address, arguments):
    with pytest.raises(Refused):
        read(address, arguments)


@given(
    st.text(max_size=20), st.lists(st.one_of(st.floats(), st.text(max_size=5), st.integers(), st.none()), max_size=4)
)
def test_nothing_else_is_raised(address, arguments):
    for head in ("", "/note", "/descriptor/", "/latent/", "/gain", "/model"):
        with contextlib.suppress(Refused):
            read(head + address, arguments)


def test_the_list_has_every_address():
    assert all(address.name in list_of_addresses() and address.help in list_of_addresses() for address in ADDRESSES)


def test_a_script_is_read_as_it_was_written(tmp_path):
    events = [(0.1 * number, message) for number, (_, message) in enumerate(GOOD)]
    write_script(tmp_path / "s.txt", events, ["violin"])
    again = read_script(tmp_path / "s.txt")
    assert [m for _, m in again] == [m for _, m in events]
    np.testing.assert_allclose([t for t, _ in again], [t for t, _ in events], atol=1e-6)


@pytest.mark.parametrize(
    "line", ["x /gain 3", "1 /gain loud", "-1 /gain 3", "nan /gain 3", "1", "1 /gain '", "1 gain 3"]
)
def test_a_broken_script_names_its_line(tmp_path, line):
    (tmp_path / "s.txt").write_text(f"# a comment\n0 /gain 0\n{line}\n")
    with pytest.raises(VqsynthError, match="line 3"):
        read_script(tmp_path / "s.txt")


def test_a_ring_gives_what_it_was_given_across_threads():
    ring, sent = Ring(1000), np.arange(200_000, dtype=np.float32)
    got = []

    def take():
        out = np.zeros(333, np.float32)
        while sum(map(len, got)) < len(sent):
            got.append(out[: ring.read(out)].copy())

    reader = threading.Thread(target=take)
    reader.start()
    for part in np.array_split(sent, 997):
        while not ring.write(part):
            pass
    reader.join(30)
    np.testing.assert_array_equal(np.concatenate(got), sent)
