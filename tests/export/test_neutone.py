"""Instruments under four knobs, and Neutone's files of them."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import torch

from vqsynth import descriptors
from vqsynth.descriptors import f0 as tracker
from vqsynth.errors import UsageError, VqsynthError
from vqsynth.export.models import instrument_of
from vqsynth.export.plugin.neutone import FIRST_GAIN, neutone_knobs, sweeps
from vqsynth.export.write import export

RATE, HOP = 44_100, 256

try:
    import neutone_sdk  # noqa: F401

    missing = ""
except (ImportError, OSError) as error:
    missing = f"neutone-sdk cannot be loaded ({error}); constraints-neutone.txt has versions that can"
with_sdk = pytest.mark.skipif(bool(missing), reason=missing)


@pytest.fixture(scope="module")
def violin_knobs(violin):
    """The violin under its knobs, and the card."""
    knobs, card, first = neutone_knobs(*instrument_of(violin))
    assert first == [0.0, 0.0, 0.0, FIRST_GAIN]
    return knobs, card


def played(knobs, sound, settings, size=1):
    """Sound through knobs that stand still, in blocks of so many hops. Shape: [samples] -> [samples]"""
    knobs.reset(1)
    audio = torch.from_numpy(sound[: len(sound) // (8 * HOP) * 8 * HOP])[None]
    turned = torch.tensor(settings, dtype=torch.float32)[:, None].expand(4, size)
    with torch.inference_mode():
        return torch.cat([knobs(block, turned) for block in audio.split(size * HOP, 1)], 1)[0].numpy()


def test_at_rest_it_is_the_fast_transfer(violin_knobs, violin, note):
    instrument, _ = instrument_of(violin)
    audio = torch.from_numpy(note[: 160 * 512])[None, None]
    with torch.inference_mode():
        wanted = instrument.fast(audio)[0, 0].numpy()
    made = played(violin_knobs[0], note[: 160 * 512], [0, 0, 0, FIRST_GAIN], 2)
    assert np.abs(wanted).max() > 0.05
    assert np.abs(made - wanted).max() < 1e-5


def test_knobs_say_what_descriptors_are(violin_knobs, make_tone):
    knobs, card = violin_knobs
    ports = {attribute.name: attribute.values[0] for attribute in card.attributes}

    def hertz(name, turned):
        port = ports[name]
        return port.low * (port.high / port.low) ** ((turned - 0.02) / 0.98)

    sound = make_tone(330.0, 3.0)
    for turned in (0.4, 0.7):
        audio = played(knobs, sound, [turned, 0.5, 0, FIRST_GAIN])
        found, _, heard = tracker.track(audio, RATE)
        cents = 1200 * np.log2(found[heard][20:-20] / hertz("pitch", 0.5))
        assert heard[20:-20].mean() > 0.98 and np.median(np.abs(cents)) < 5
        centroid = np.median(descriptors.measure(["centroid"], audio, RATE)["centroid"].values[40:-20])
        assert centroid == pytest.approx(hertz("centroid", turned), rel=0.03)
    free = played(knobs, sound, [0.4, 0, 0, FIRST_GAIN])
    found, _, heard = tracker.track(free, RATE)
    assert np.median(found[heard]) == pytest.approx(330, rel=0.003)
    louder = played(knobs, sound, [0.4, 0, 0, FIRST_GAIN + 0.15])
    ratio = np.sqrt(np.mean(louder[RATE:] ** 2) / np.mean(free[RATE:] ** 2))
    assert 20 * np.log10(ratio) == pytest.approx(6, abs=0.3)


def test_any_buffer_gives_the_same_sound(violin_knobs, make_tone):
    sound = make_tone(330.0, 1.0)
    whole = played(violin_knobs[0], sound, [0.5, 0, 0.3, 0.7], 8)
    assert np.abs(played(violin_knobs[0], sound, [0.5, 0, 0.3, 0.7], 1) - whole).max() < 1e-4


def test_silence_stays_silent_with_all_knobs_up(violin_knobs):
    assert np.abs(played(violin_knobs[0], np.zeros(RATE, np.float32), [1, 1, 1, 1])).max() < 1e-4


def test_axes_are_moved(domain, signal):
    knobs, card, first = neutone_knobs(*instrument_of(domain))
    assert first == [0.5] * 4 and [attribute.name for attribute in card.attributes] == [f"axis {k}" for k in range(4)]
    instrument, _ = instrument_of(domain)
    size = knobs.hop_length
    audio = signal[0, :, : 40 * size]
    with torch.inference_mode():
        wanted = instrument(audio[None])[0]
        still = knobs(audio, torch.full((4, 40), 0.5))
        knobs.reset(1)
        moved = knobs(audio, torch.tensor([0.9, 0.5, 0.5, 0.5])[:, None].expand(4, 40))
        assert instrument.set_bias(0, 3 * 0.8) == 0
        instrument.reset(1)
        biased = instrument(audio[None])[0]
    assert (still - wanted).abs().max() < 1e-5
    assert (moved - biased).abs().max() < 1e-5 and (moved - still).abs().max() > 0.01


def test_knobs_of_the_check_move(violin_knobs):
    moving = dict(sweeps(violin_knobs[1], [0.0, 0.0, 0.0, 0.7], 400))["with the knobs moving"]
    assert moving.min() == 0 and (moving.max(1).values > 0.95).all()


def test_without_the_sdk_one_sentence(tmp_path, monkeypatch, tiny_timbre):
    monkeypatch.setitem(sys.modules, "neutone_sdk", None)
    monkeypatch.delitem(sys.modules, "vqsynth.export.plugin.wrapper", raising=False)
    with pytest.raises(VqsynthError, match=r"need neutone-sdk .* pip install -c constraints-neutone.txt"):
        export(tiny_timbre.path, tmp_path / "tiny.nm")
    assert not list(tmp_path.iterdir())


def test_a_method_cannot_be_chosen(tmp_path):
    with pytest.raises(UsageError, match="one method"):
        export("violin", tmp_path / "violin.nm", method="control")


@with_sdk
@pytest.mark.parametrize("name, rate", [("violin", None), ("violin", 48_000), ("strings", None), ("strings", 48_000)])
def test_the_sdk_loads_what_was_written(name, rate, tmp_path, note):
    from neutone_sdk.utils import load_neutone_model

    path = tmp_path / f"{name}.nm"
    report = export(name, path, blocks=200, rate=rate)
    assert report["checked"]["difference"] <= 1e-4
    assert json.loads(path.with_suffix(".json").read_text()) == json.loads(json.dumps(report))
    model, metadata = load_neutone_model(str(path))
    assert metadata["native_sample_rates"] == [rate or RATE] and "MIT" in metadata["model_long_description"]
    assert 1 <= len(metadata["neutone_parameters"]) <= 4
    # As a DAW does it: stereo, at its own rate and buffer.
    model.set_daw_sample_rate_and_buffer_size(48_000, 300)
    values = model.get_default_param_values().expand(4, 300)
    with torch.inference_mode():
        audio = torch.from_numpy(note[: len(note) // 300 * 300]).expand(2, -1)
        made = torch.cat([model.forward(block, values).clone() for block in audio.split(300, 1)], 1)
    assert made.shape == audio.shape and torch.isfinite(made).all()
    assert made[:, 20_000:].square().mean().sqrt() > 0.01


@with_sdk
def test_a_file_that_differs_is_not_written(tmp_path, monkeypatch, tiny_timbre):
    from vqsynth.export.plugin import neutone

    plain = neutone.save_neutone

    def spoilt(path, knobs, card, first):
        low = knobs.low.clone()
        knobs.low += 20
        plain(path, knobs, card, first)
        knobs.low.copy_(low)

    monkeypatch.setattr("vqsynth.export.write.save_neutone", spoilt)
    with pytest.raises(VqsynthError, match="differs from the model"):
        export(tiny_timbre.path, tmp_path / "tiny.nm", blocks=64)
    assert not list(tmp_path.iterdir())
