"""Runs that start from another timbre's weights."""

import numpy as np
import pytest
import soundfile
import torch

import vqsynth
from vqsynth.errors import UsageError
from vqsynth.library.train import TIMBRE, _start
from vqsynth.training.prepare import prepare
from vqsynth.vqvae.config import preset
from vqsynth.vqvae.features import feature_arrays
from vqsynth.vqvae.training.settings import VqvaeSettings


@pytest.fixture(scope="module")
def notes(make_tone, tmp_path_factory):
    """Recordings that the tiny timbre has not heard: four steady notes with a breath of noise."""
    folder = tmp_path_factory.mktemp("notes")
    for number, hz in enumerate((250.0, 310.0, 370.0, 440.0)):
        audio = make_tone(hz, 1.0, 0.9)
        noise = 0.002 * np.random.default_rng(number).standard_normal(len(audio))
        soundfile.write(folder / f"note{number}.wav", audio + noise, 44_100)
    return folder


@pytest.fixture(scope="module")
def corpus(notes, tiny_timbre, tmp_path_factory):
    config = tiny_timbre.config
    folder = tmp_path_factory.mktemp("corpus")
    return prepare(
        notes,
        folder,
        config.sample_rate,
        config.hop_length,
        lambda audio: feature_arrays(audio, config),
        vary="off",
    )


def quick(**options):
    return VqvaeSettings(
        **{"steps": 8, "batch_size": 2, "segment_frames": 16, "validations": 1, "vary": "off", **options}
    )


def trainer(corpus, folder, config, settings):
    torch.manual_seed(0)
    return TIMBRE.trainer(config, corpus, settings, folder, "cpu")


def test_encoder_and_decoder_are_taken_over_and_the_codebook_is_not(tiny_timbre, corpus, tmp_path):
    config, settings = _start(tiny_timbre.path, None, quick())
    assert config == tiny_timbre.config
    started = trainer(corpus, tmp_path, config, settings).model
    for part in ("encoder", "decoder"):
        theirs = getattr(tiny_timbre.model, part).state_dict()
        for name, value in getattr(started, part).state_dict().items():
            assert torch.equal(value, theirs[name]), name
    assert not started.codebook.any() and tiny_timbre.model.codebook.any()


def test_a_start_is_ahead_on_recordings_of_the_same_kind(tiny_timbre, corpus, tmp_path):
    config, settings = _start(tiny_timbre.path, None, quick())
    losses = [trainer(corpus, tmp_path, config, each).step().losses for each in (settings, quick())]
    assert losses[0]["spectral"] < 0.8 * losses[1]["spectral"]
    assert losses[0]["pitch"] < 0.8 * losses[1]["pitch"]


def test_a_codebook_of_another_size_fits(tiny_timbre, corpus, tmp_path):
    config = tiny_timbre.config.model_copy(update={"n_codes": 16})
    made, settings = _start(tiny_timbre.path, config, quick())
    assert trainer(corpus, tmp_path, made, settings).model.codebook.shape == (16, config.code_dim)


def test_the_card_says_where_a_timbre_started(tiny_timbre, notes, tmp_path):
    settings = quick()
    made = vqsynth.train(notes, tmp_path / "t", None, settings, device="cpu", start_from=tiny_timbre.path)
    made.verify()
    assert made.config == tiny_timbre.config
    training = made.card["training"]
    assert training["start_from"] == "tiny"
    assert training["start_sources"] == ["own recordings (not stated)"]
    # Nothing of where it lay: a card is passed on.
    assert str(tiny_timbre.path.parent) not in (made.path / "timbre.toml").read_text()
    assert settings.start_from is None
    assert "start_from" not in tiny_timbre.card["training"]


def test_starts_that_cannot_be(tiny_timbre, notes, tmp_path, command):
    with pytest.raises(UsageError, match="another shape") as error:
        vqsynth.train(notes, tmp_path / "t", preset("base"), quick(), start_from=tiny_timbre.path)
    assert error.value.field == "start_from"
    options = ("train", notes, "--timbre", "t", "--output", tmp_path, "--steps", "4")
    for extra, words in [
        (("--from", "nowhere"), "nowhere"),
        (("--from", tiny_timbre.path, "--preset", "large"), "--from"),
        (("--from", tiny_timbre.path, "--resume"), "weights of its own"),
    ]:
        code, _, said = command(*options, *extra)
        assert code == 2 and words in said, said
    assert not list(tmp_path.iterdir())
