"""Cards: what they say of themselves is checked before anything is built or opened."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file

from vqsynth.errors import VqsynthError
from vqsynth.library import timbre as folder
from vqsynth.library.card import CHECKSUM, checksum
from vqsynth.storage.reading import read_toml, sha256
from vqsynth.vqvae import config as vqvae
from vqsynth.wavae.network import config as wavae

CARD = folder.CARD


@pytest.fixture
def copy(tiny_timbre, tmp_path):
    return shutil.copytree(tiny_timbre.path, tmp_path / "tiny", ignore=shutil.ignore_patterns("training"))


def edit(path, change) -> None:
    """Change a card and give it the checksum of what it is now, as someone who means harm would."""
    card = read_toml(path / CARD)
    change(card)
    folder.Timbre.write_card(path, card)


def weights(path, change) -> None:
    """Change the tensors of a timbre, with all checksums right."""
    tensors = load_file(path / folder.MODEL)
    change(tensors)
    save_file(tensors, path / folder.MODEL)
    edit(path, lambda card: card["files"].update({folder.MODEL: sha256(path / folder.MODEL)}))


def test_a_saved_card_carries_the_checksum_of_its_content(copy):
    card = read_toml(copy / CARD)
    assert card[CHECKSUM] == checksum(card) and len(card[CHECKSUM]) == 64
    assert folder.load(copy).card == {key: value for key, value in card.items() if key != CHECKSUM}


def test_every_shipped_card_has_one():
    from vqsynth.wavae.domain import Domain

    for kind in (folder.Timbre, Domain):
        assert kind.installed()
        for path in kind.installed().values():
            kind(path).config
            assert CHECKSUM in read_toml(path / kind.CARD)


def test_a_flipped_bit_in_the_card_is_refused(copy):
    text = (copy / CARD).read_text()
    (copy / CARD).write_text(text.replace("sample_rate = 44100", "sample_rate = 54100"))
    with pytest.raises(
        VqsynthError, match=r"timbre\.toml: damaged or changed, its content is not that of its card_sha256"
    ):
        folder.load(copy)
    (copy / CARD).write_text("# a comment\n" + text.replace("\n\n", "\n\n\n"))
    folder.load(copy)


def test_a_card_of_an_older_folder_has_none(copy):
    text = (copy / CARD).read_text()
    (copy / CARD).write_text(text[text.index("[timbre]") :])
    folder.load(copy).verify()


@pytest.mark.parametrize("name", ["/etc/hostname", "../other", "a/../../other", "..", "c:\\x", "/", ""])
def test_files_elsewhere_are_not_looked_at(copy, name):
    edit(copy, lambda card: card["files"].update({name: "0" * 64}))
    with pytest.raises(VqsynthError, match=r"in \[files\] is no file of this folder"):
        folder.load(copy)


def test_links_pipes_and_giants_are_not_hashed(copy, tmp_path):
    (tmp_path / "secret").write_text("x")
    (copy / "link").symlink_to(tmp_path / "secret")
    (copy / "loop").symlink_to("loop")
    (copy / "device").symlink_to("/dev/zero")
    os.mkfifo(copy / "pipe")
    with open(copy / "giant", "wb") as handle:
        handle.truncate(1 << 34)
    for name, message in (
        ("link", "a link out of the timbre folder"),
        ("loop", "cannot be read"),
        ("device", "pipe or a device"),
        ("pipe", "pipe or a device"),
        ("giant", "larger than any file"),
        ("none", "missing"),
    ):
        edit(copy, lambda card, name=name: card["files"].update({name: "0" * 64}))
        with pytest.raises(VqsynthError, match=f"{name}: .*{message}"):
            folder.load(copy).verified(name)


@pytest.mark.parametrize(
    "change",
    [
        lambda card: card.update(files=["a"]),
        lambda card: card["files"].update(x="not a checksum"),
        lambda card: card.update(quality=3),
        lambda card: card["quality"].update(roughness_real="rough"),
        lambda card: card["quality"].update(roughness_real=float("nan")),
        lambda card: card.update(training=[]),
        lambda card: card.update(source="me"),
        lambda card: card["timbre"].update(name=3),
        lambda card: card["timbre"].update(description="\x1b[2J"),
        lambda card: card["timbre"].update(format_version=True),
        lambda card: card.update(timbre="tiny"),
        lambda card: card.pop("timbre"),
    ],
)
def test_sections_that_are_not_what_they_should_be(copy, change):
    edit(copy, change)
    with pytest.raises(VqsynthError, match=r"timbre\.toml: ") as caught:
        folder.load(copy)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "model", [{"decoder_blocks": 2**31}, {"n_fft": 2008}, {"n_fft": 2**30}, {"width": True}, {}, 3]
)
def test_a_model_out_of_bounds_is_refused_before_it_is_built(copy, model):
    edit(
        copy,
        lambda card: (
            card.update(model={**card["model"], **model} if model else {"odd": 1}) if model != 3 else card.pop("model")
        ),
    )
    with pytest.raises(VqsynthError, match=r"its \[model\] section is (damaged|missing)") as caught:
        folder.load(copy).model
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [vqvae.ModelConfig, wavae.WavaeConfig])
def test_the_bounds_are_far_above_the_presets(kind):
    presets = (vqvae if kind is vqvae.ModelConfig else wavae).PRESETS
    for preset in presets.values():
        wider = {"width": 4 * preset.width, "n_mels": 4 * preset.n_mels, "n_fft": 4 * preset.n_fft}
        kind(**{**preset.model_dump(), **wider})
    for setting in kind.model_fields:
        if type(getattr(preset, setting)) is int:
            for value in (-1, 2**40):
                with pytest.raises(ValidationError):
                    kind(**{setting: value})
    with pytest.raises(ValidationError, match="too many"):
        kind(width=4096, decoder_blocks=64)


def test_weights_that_are_no_numbers_or_do_not_fit(copy):
    name = next(iter(name for name in load_file(copy / folder.MODEL) if name.endswith("weight")))
    for change in (
        lambda tensors: tensors[name].view(-1)[:1].fill_(float("nan")),
        lambda tensors: tensors.update({name: tensors[name].int()}),
        lambda tensors: tensors.pop(name),
        lambda tensors: tensors.update({name: tensors[name][:-1].clone()}),
    ):
        keep = (copy / folder.MODEL).read_bytes()
        weights(copy, change)
        with pytest.raises(VqsynthError, match=r"model\.safetensors: (its tensor .* finite|does not fit)"):
            folder.load(copy).model
        (copy / folder.MODEL).write_bytes(keep)


@pytest.mark.parametrize(
    ("tensor", "values"),
    [
        ("usage", torch.zeros(3, dtype=torch.int64)),
        ("usage", torch.full((64,), -1)),
        ("usage", torch.zeros(64)),
        ("usage", None),
        ("transitions", torch.tensor([[0, 64, 1]])),
        ("transitions", torch.zeros(4, 2, dtype=torch.int64)),
    ],
)
def test_statistics_that_do_not_fit(copy, tensor, values):
    weights(copy, lambda tensors: tensors.pop(tensor) if values is None else tensors.update({tensor: values}))
    timbre = folder.load(copy)
    with pytest.raises(VqsynthError, match=f"its tensor {tensor} is"):
        getattr(timbre, tensor)


def test_an_index_of_another_table_is_made_anew(copy):
    from vqsynth.units.index import UnitIndex

    whole = folder.load(copy).index
    UnitIndex.build(np.random.default_rng(0).standard_normal((80, whole.dimension))).save(copy / folder.INDEX)
    edit(copy, lambda card: card["files"].update({folder.INDEX: sha256(copy / folder.INDEX)}))
    rebuilt = folder.load(copy).index
    assert np.array_equal(rebuilt.ids, whole.ids) and rebuilt.ids.max() < 64
