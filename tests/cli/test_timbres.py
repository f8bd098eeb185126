"""``vqsynth timbres`` and ``info``, and what they say of folders that are damaged."""

from __future__ import annotations

import shutil

import pytest

import vqsynth


@pytest.fixture
def shelf(tiny_timbre, tmp_path, monkeypatch):
    """A search path with one timbre, a copy that tests may damage."""
    shutil.copytree(tiny_timbre.path, tmp_path / "shelf" / "tiny")
    monkeypatch.setenv("VQSYNTH_CODEBOOKS", str(tmp_path / "shelf"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "shelf"


def test_the_list_has_codes_rate_audio_and_reach(command, shelf, tiny_timbre):
    code, out, _ = command("timbres")
    first, second = (line for line in out.splitlines() if line.startswith("  tiny "))
    assert "64" in first and "44100 Hz" in first and "14 s" in first
    f0 = tiny_timbre.table.percentile("f0", [0, 100])
    assert f"{f0[0]:.3g}" in second and f"{f0[1]:.3g}" in out[out.index(second) + len(second) :]
    assert code == 0 and "centroid" in out


def test_the_list_fits_a_terminal_of_80_columns(command, shelf, tiny_timbre, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = command("timbres")
    assert "…" not in out and f"{tiny_timbre.table.percentile('flatness', 0):.3g}" in out


def test_a_damaged_timbre_is_named_and_the_others_are_listed(command, shelf):
    shutil.copytree(shelf / "tiny", shelf / "torn")
    (shelf / "torn" / "descriptors.csv").write_text("code,usage\n")
    code, out, err = command("timbres")
    assert code == 0 and " tiny " in out and " torn " not in out and "torn" in err and "descriptors.csv" in err


def test_info_shows_the_whole_card_and_checks_every_file(command, shelf, tiny_timbre):
    code, out, _ = command("info", "tiny")
    assert code == 0
    for text in ("code_dim", "perplexity", "not stated", "descriptors over the codes", "all files match"):
        assert text in out
    figure = next((shelf / "tiny" / "figures").iterdir())
    data = bytearray(figure.read_bytes())
    data[len(data) // 2] ^= 1
    figure.write_bytes(data)
    code, _, err = command("info", "tiny")
    assert code == 1 and figure.name in err and "checksum" in err


def test_unknown_names_get_the_nearest(command, shelf):
    code, _, err = command("info", "tinny")
    assert code == 2 and "did you mean tiny" in err


def test_a_foreign_version_is_refused(command, shelf):
    card = shelf / "tiny" / "timbre.toml"
    card.write_text(card.read_text().replace("format_version = 1", "format_version = 9"))
    code, _, err = command("info", "tiny")
    assert code == 1 and "version 9" in err


def test_the_library_finds_the_same(shelf):
    cards = vqsynth.available()
    assert "tiny" in [card["timbre"]["name"] for card in cards]
    assert vqsynth.load("tiny").config.n_codes == 64
