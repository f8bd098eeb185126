"""The table says what the codes sound like: measured, steady, and written whole."""

import numpy as np
import pytest
import torch

from vqsynth.errors import UsageError
from vqsynth.library import timbre as folder
from vqsynth.library.analyze import analyze, measure_codes
from vqsynth.library.table import Table
from vqsynth.storage.reading import sha256
from vqsynth.vqvae.config import ModelConfig
from vqsynth.vqvae.model import VQVAE

CODES = 64


@pytest.fixture(scope="module")
def timbre(tmp_path_factory):
    """An untrained model: its codes differ in pitch, filter and noise as its random weights have it."""
    torch.manual_seed(4)
    config = ModelConfig(n_codes=CODES, width=32, encoder_blocks=1, decoder_blocks=2)
    model = VQVAE(config).eval()
    model.codebook.copy_(torch.randn(CODES, config.code_dim))
    card = {"timbre": {"name": "random", "format_version": folder.FORMAT_VERSION}, "model": config.model_dump()}
    usage = np.arange(CODES)
    return folder.save_model(
        tmp_path_factory.mktemp("timbres") / "random", model, usage, np.zeros((0, 3), np.int32), card
    )


@pytest.fixture(scope="module")
def table(timbre):
    return measure_codes(timbre)


def test_measured_pitch_is_the_pitch_that_is_synthesised(timbre, table):
    decoded = timbre.model.decode(np.repeat(np.arange(CODES), 60)).f0.numpy().reshape(CODES, 60)[:, 40]
    measured = table.column("f0")
    voiced = np.isfinite(measured)
    assert voiced.mean() > 0.7
    np.testing.assert_array_equal(voiced, table.voicing >= 0.5)
    cents = 1200 * np.abs(np.log2(measured[voiced] / decoded[voiced]))
    assert np.median(cents) < 1
    assert np.mean(cents < 5) > 0.95


def test_gain_one_is_unit_loudness(table):
    np.testing.assert_allclose(table.column("loudness"), -20, atol=1.5)


def test_neighbours_and_noise_do_not_colour_a_code(timbre, table):
    """Longer runs, another seed: the same table."""
    again = measure_codes(timbre, ["centroid", "bandwidth", "f0"], seconds=0.8, seed=9)
    for name in again.names:
        ratio = np.abs(np.log2(again.column(name) / table.column(name)))
        assert np.nanmedian(ratio) < 0.001
        assert np.nanpercentile(ratio, 95) < 0.02
    assert again.voicing is not None and again.names == ("centroid", "bandwidth", "f0")


def test_a_code_alone_measures_like_the_table(timbre, table):
    """The long way for one code: render it alone and measure with librosa."""
    import librosa

    code = 17
    frames = timbre.model.decode(np.full(120, code))
    audio = timbre.model.synthesizer().render(frames, torch.ones(120), seed=3)
    centroid = librosa.feature.spectral_centroid(y=audio, sr=44_100)[0][40:-10].mean()
    assert centroid == pytest.approx(table.column("centroid")[code], rel=0.01)


def test_same_seed_same_table(timbre, table):
    again = measure_codes(timbre, ["centroid"])
    np.testing.assert_array_equal(again.column("centroid"), table.column("centroid"))


def test_folder_is_complete_and_verified(timbre):
    shares = []
    written = analyze(timbre, seconds=0.05, progress=shares.append)
    assert shares[-1] == 1.0
    loaded = folder.load(timbre.path)
    loaded.verify()
    assert set(loaded.table.names) == {"centroid", "f0", "bandwidth", "rolloff", "flatness", "loudness"}
    np.testing.assert_array_equal(loaded.table.usage, np.arange(CODES))
    np.testing.assert_allclose(loaded.table.column("centroid"), written.column("centroid"), rtol=1e-6)
    assert loaded.index.dimension == 6
    for name in loaded.table.names:
        picture = timbre.path / "figures" / f"{name}.png"
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_size < 40_000
        assert loaded.card["files"][f"figures/{name}.png"] == sha256(picture)


def test_one_descriptor_anew_keeps_the_others(timbre):
    before = analyze(timbre, ["rolloff", "f0"], seconds=0.05)
    analyze(timbre, ["centroid"], seconds=0.05, seed=1)
    after = Table.load(timbre.path / "descriptors.csv")
    assert set(after.names) == {*before.names, "centroid"}
    np.testing.assert_allclose(after.column("rolloff"), before.column("rolloff"), rtol=1e-6)
    fresh = measure_codes(timbre, ["centroid"], seconds=0.05, seed=1)
    np.testing.assert_allclose(after.column("centroid"), fresh.column("centroid"), rtol=1e-6)
    np.testing.assert_allclose(after.voicing, before.voicing, rtol=1e-3)


@pytest.mark.parametrize(
    "options", [{"descriptors": ["centroids"]}, {"seconds": 0.0}, {"seconds": float("nan")}, {"descriptors": []}]
)
def test_wrong_request(timbre, options):
    with pytest.raises(UsageError):
        measure_codes(timbre, **options)


def test_codes_without_pitch_have_none_and_are_still_drawn(tmp_path):
    """Every code is white noise."""
    torch.manual_seed(1)
    config = ModelConfig(n_codes=16, width=16, encoder_blocks=1, decoder_blocks=1)
    model = VQVAE(config).eval()
    model.codebook.copy_(torch.randn(16, config.code_dim))
    with torch.no_grad():
        model.decoder.head.weight.zero_()
        model.decoder.head.bias.zero_()
        model.decoder.head.bias[: config.n_harmonic_bands] = -20
    card = {"timbre": {"name": "wind", "format_version": folder.FORMAT_VERSION}, "model": config.model_dump()}
    wind = folder.save_model(tmp_path / "wind", model, np.zeros(16, np.int64), np.zeros((0, 3), np.int32), card)
    table = analyze(wind)
    assert np.isnan(table.column("f0")).all() and (table.voicing < 0.1).all()
    assert (table.column("flatness") > 0.3).all()
    assert (wind.path / "figures" / "f0.png").is_file()
    assert wind.index.dimension == 5
