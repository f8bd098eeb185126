import shutil

import numpy as np
import pytest

from vqsynth.errors import UsageError, VqsynthError, collect_warnings
from vqsynth.library import timbre as folder
from vqsynth.storage.compact import expand


@pytest.fixture
def copy(tiny_timbre, tmp_path):
    target = tmp_path / "tiny"
    shutil.copytree(tiny_timbre.path, target, ignore=shutil.ignore_patterns("training"))
    return target


def flip(path, position=0.5):
    data = bytearray(path.read_bytes())
    data[int(len(data) * position)] ^= 0x10
    path.write_bytes(data)


def test_a_folder_is_complete_in_itself(copy):
    timbre = folder.load(copy)
    timbre.verify()
    assert timbre.model.codebook.shape == (64, 8)
    assert timbre.usage.sum() > 0 and timbre.transitions.shape[1] == 3
    assert len(timbre.table.codes) == 64
    assert timbre.card["quality"]["roughness_real"] > 0


def test_a_flipped_byte_in_the_weights_is_refused(copy):
    flip(copy / "model.safetensors")
    with pytest.raises(VqsynthError, match="model.safetensors.*damaged"):
        folder.load(copy).model


def test_a_flipped_byte_in_the_table_says_how_to_mend_it(copy):
    flip(copy / "descriptors.csv")
    with pytest.raises(VqsynthError, match="vqsynth analyze"):
        folder.load(copy).table


def test_a_damaged_index_is_rebuilt(copy):
    whole = folder.load(copy).index
    flip(copy / "index.faiss")
    with collect_warnings() as warnings:
        rebuilt = folder.load(copy).index
    assert "rebuilt" in warnings[0]
    queries = np.random.default_rng(0).standard_normal((3, whole.dimension)).astype(np.float32)
    assert np.array_equal(whole.search(queries, 5)[1], rebuilt.search(queries, 5)[1])


@pytest.mark.parametrize("name", ["model.safetensors", "descriptors.csv"])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(VqsynthError, match=name):
        folder.load(copy).verify()


def test_a_foreign_version_is_refused(copy):
    card = copy / "timbre.toml"
    card.write_text(card.read_text().replace("format_version = 1", "format_version = 99"))
    with pytest.raises(VqsynthError, match="version 99"):
        folder.load(copy)


def test_a_broken_card_is_refused(copy):
    (copy / "timbre.toml").write_text("[timbre\n")
    with pytest.raises(VqsynthError, match="not valid TOML"):
        folder.load(copy)


def test_an_unknown_timbre_names_the_nearest(copy, monkeypatch):
    monkeypatch.setenv("VQSYNTH_CODEBOOKS", str(copy.parent))
    with pytest.raises(UsageError, match="did you mean tiny"):
        folder.load("tinny")


def test_the_search_path_finds_by_name(copy, monkeypatch):
    monkeypatch.setenv("VQSYNTH_CODEBOOKS", str(copy.parent))
    assert folder.load("tiny").path == copy


def test_stored_weights_lose_nothing_that_is_heard(tiny_timbre):
    # Half precision on disk, the encoder in eight bits: the quality in the card is that of the weights as stored.
    weights = folder.load(tiny_timbre.path).model.state_dict()
    again = expand(folder.stored_weights(weights))
    for name, value in weights.items():
        assert np.allclose(value.numpy(), again[name].float().numpy(), atol=1e-6)
        if not name.startswith("encoder."):
            assert np.array_equal(value.numpy(), value.half().float().numpy())
