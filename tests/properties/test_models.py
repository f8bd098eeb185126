"""Model folders: cards, tables, indices and weights that were flipped, cut or made up."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from vqsynth.errors import VqsynthError
from vqsynth.library import timbre as folder
from vqsynth.library.card import read_card, write_card
from vqsynth.library.table import Table
from vqsynth.storage.reading import read_toml, sha256
from vqsynth.units.index import UnitIndex

flips = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), min_size=1, max_size=3)
values = st.recursive(
    st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["a" * 64, "../x", "\x1b[2J", 2**31, 10**30]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)


def damaged(data: bytes, places) -> bytes:
    changed = bytearray(data)
    for share, mask in places:
        changed[min(int(share * len(data)), len(data) - 1)] ^= mask
    return bytes(changed)


class Files(dict):
    """Contents by name; hypothesis does not print them."""

    def __repr__(self) -> str:
        return "Files()"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A timbre that ships, to be damaged, and its files as they were."""
    copy = shutil.copytree(folder.find("flute"), tmp_path_factory.mktemp("timbres") / "flute")
    return copy, Files(
        {name: (copy / name).read_bytes() for name in (folder.CARD, folder.TABLE, folder.INDEX, folder.MODEL)}
    )


def use(path) -> None:
    """All that is read of a folder but the weights."""
    timbre = folder.load(path)
    timbre.config.frame_rate, timbre.name, timbre.header.get("description")
    for name in timbre.card.get("files", {}):
        timbre.verified(name)


@given(flips, st.booleans())
def test_cards_with_flipped_bytes(tried, made, places, older):
    path, files = made
    for name, content in files.items():
        (path / name).write_bytes(content)
    card = folder.load(path).card
    data = damaged(files[folder.CARD], places)
    (path / folder.CARD).write_bytes(data[data.find(b"[timbre]") :] if older else data)
    tried(use, path)
    found = None if older else tried(folder.load, path)
    assert found is None or found.card == card  # a blank became another
    (path / folder.CARD).write_bytes(files[folder.CARD])


@given(
    st.sampled_from(["timbre", "model", "training", "quality", "files", "source", "odd"]),
    st.text(max_size=9) | st.none(),
    values,
)
def test_cards_that_someone_made_up(tried, made, section, key, value):
    path, files = made
    for name, data in files.items():
        (path / name).write_bytes(data)
    card = read_toml(path / folder.CARD)
    if key is None:
        card[section] = value
    else:
        names = sorted(card.get(section, {})) if isinstance(card.get(section), dict) else []
        card[section] = {
            **dict.fromkeys(names[:0]),
            **(card[section] if names else {}),
            (names or [key])[len(key) % max(1, len(names))]: value,
        }
    try:
        write_card(path / folder.CARD, card)
    except (UnicodeEncodeError, ValueError):
        return
    tried(use, path)
    (path / folder.CARD).write_bytes(files[folder.CARD])


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=9),
        st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.booleans(),
        max_size=5,
    )
)
def test_cards_are_read_as_they_are_written(here, entries):
    card = {"timbre": {"name": "x", "format_version": 1}, "odd": entries}
    write_card(here / "c.toml", card)
    try:
        assert read_card(here / "c.toml", "timbre", 1, "timbre") == card
    except VqsynthError as error:
        assert "control characters" in str(error)


@given(flips, st.floats(0, 1), st.text(max_size=40))
def test_tables(tried, here, made, places, end, text):
    whole = made[1][folder.TABLE]
    for data in (
        damaged(whole, places),
        whole[: int(end * len(whole))],
        b"code,usage,centroid\n" + text.encode("utf-8", "replace"),
    ):
        (here / "table.csv").write_bytes(data)
        table = tried(Table.load, here / "table.csv")
        assert table is None or (table.codes == np.arange(table.K)).all()


@given(st.lists(st.tuples(st.none() | st.floats(1.0, 1e5), st.integers(0, 10**6)), min_size=1, max_size=9))
def test_tables_are_read_as_they_are_written(here, rows):
    column = np.array([np.nan if value is None else value for value, _ in rows])
    Table({"centroid": column}, usage=np.array([usage for _, usage in rows])).save(here / "table.csv")
    found = Table.load(here / "table.csv")
    np.testing.assert_allclose(found.values["centroid"], column, rtol=1e-6)
    assert found.usage.tolist() == [usage for _, usage in rows]


@given(st.floats(0, 1), st.integers(1, 255), st.floats(0, 1))
def test_weights_with_flipped_bytes(tried, made, share, mask, end):
    path, files = made
    (path / folder.CARD).write_bytes(files[folder.CARD])
    whole = files[folder.MODEL]
    header = 8 + int.from_bytes(whole[:8], "little")
    card = read_toml(path / folder.CARD)
    for data in (
        damaged(whole[:header], [(share, mask)]) + whole[header:],
        damaged(whole, [(share, mask)]),
        whole[: int(end * len(whole))],
    ):
        (path / folder.MODEL).write_bytes(data)
        # With a checksum that is right, as someone who means harm would write it.
        card["files"][folder.MODEL] = sha256(path / folder.MODEL)
        write_card(path / folder.CARD, card)
        timbre = folder.load(path)
        model = tried(lambda timbre=timbre: timbre.model)
        assert model is None or all(weight.isfinite().all() for weight in model.parameters())
        tried(lambda timbre=timbre: (timbre.usage, timbre.transitions))


@given(
    st.integers(0, 99), st.sampled_from(["int32", "float64", "bfloat16", "bool", "uint8", "complex64", "float8_e5m2"])
)
def test_weights_of_other_types(tried, made, number, kind):
    import torch

    path, files = made
    (path / folder.MODEL).write_bytes(files[folder.MODEL])
    (path / folder.CARD).write_bytes(files[folder.CARD])
    tensors = load_file(path / folder.MODEL)
    name = sorted(tensors)[number % len(tensors)]
    tensors[name] = tensors[name].to(getattr(torch, kind))
    save_file(tensors, path / folder.MODEL)
    card = read_toml(path / folder.CARD)
    card["files"][folder.MODEL] = sha256(path / folder.MODEL)
    write_card(path / folder.CARD, card)
    timbre = folder.load(path)
    tried(lambda: timbre.usage)
    tried(lambda: timbre.transitions)
    tried(lambda: timbre.model)


@given(st.binary(max_size=80), st.floats(0, 1))
def test_indices_that_are_none(tried, here, made, junk, end):
    whole = made[1][folder.INDEX]
    for data in (junk, whole[: int(end * len(whole))], b"IxMp" + junk):
        (here / "i.faiss").write_bytes(data)
        index = tried(UnitIndex.load, here / "i.faiss")
        assert index is None or len(data) == len(whole)


@given(st.integers(1, 30), st.integers(1, 6), st.sampled_from(["exact", "hnsw"]))
def test_indices_are_read_as_they_are_written(here, count, dimension, kind):
    points = np.random.default_rng(count).standard_normal((count, dimension)).astype(np.float32)
    UnitIndex.build(points, kind).save(here / "i.faiss")
    found = UnitIndex.load(here / "i.faiss")
    assert found.kind == kind and found.ids.tolist() == list(range(count))
    if kind == "exact":
        assert found.search(points, 1)[1][:, 0].tolist() == list(range(count))
