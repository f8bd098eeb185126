"""Expected spectra of codes are those of the sound they make."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from vqsynth import load
from vqsynth.vqvae.code_spectra import CodeSpectra, colour_gains, lacking
from vqsynth.vqvae.features import extract

RATE = 44_100
VIOLIN = Path(__file__).resolve().parents[2] / "codebooks" / "violin"


@pytest.fixture(scope="module")
def model():
    return load(VIOLIN).model


@pytest.fixture(scope="module")
def spectra(model):
    return CodeSpectra(model)


def heard(model, code, f0):
    """Spectrum of a code that is held at a pitch, in dB relative to its loudness: [n_mels]."""
    frames = dataclasses.replace(model.decode(np.full(60, code)), f0=torch.full((60,), f0))
    audio = model.synthesizer().render(frames, torch.ones(60))
    mel = extract(audio, model.config, np.full(1 + len(audio) // 512, f0)).mel[20:45].numpy() * 40 - 30
    return np.maximum(10 * np.log10((10 ** (mel / 10)).mean(0)), -60)


def test_spectra_are_those_of_the_sound(spectra, model):
    for code, f0 in ((5, 859.0), (333, 441.0), (901, 480.0)):
        off = spectra.of(np.array([code]), np.array([f0]))[0] - heard(model, code, f0)
        assert np.abs(off).mean() < 2.3


def test_the_code_that_sounds_is_the_nearest(spectra, model):
    codes, f0 = np.array([5, 100, 333, 901]), np.array([781.0, 362.0, 485.0, 436.0])
    wanted = np.stack([heard(model, code, hz) for code, hz in zip(codes, f0)])
    distances = spectra.distances(wanted, f0)
    assert distances.shape == (4, 1024) and np.isfinite(distances).all()
    rank = (distances < distances[np.arange(4), codes][:, None]).sum(1)
    assert rank.max() <= 3
    # A frame without pitch is compared with codes at their own.
    free = spectra.distances(spectra.of(codes, np.zeros(4)), np.zeros(4))
    np.testing.assert_array_equal(free.argmin(1), codes)


def test_a_colour_is_found_and_makes_up_for_itself(spectra):
    codes, f0, loudness = np.arange(1024), np.full(1024, 440.0), np.full(1024, -20.0)
    room = np.linspace(-6, 9, 96)
    made = spectra.of(codes, f0)
    found = lacking(made + room, made, loudness)
    # Bands at the floor, under the fundamental and high up, show less.
    assert np.abs(found - room)[12:64].max() < 2.5 and np.corrcoef(found, room)[0, 1] > 0.9
    assert np.abs(lacking(made + 60, made, loudness)).max() <= 15
    quiet = np.where(np.arange(1024) < 600, -90.0, -20.0)
    np.testing.assert_array_equal(
        lacking(np.where(quiet[:, None] < -60, made + 20, made), made, quiet), np.zeros(96, np.float32)
    )
    gains = 20 * np.log10(colour_gains(room.astype(np.float32), RATE, 2048).numpy())
    assert gains.shape == (1025,) and np.all(np.diff(gains) >= -1e-4)
    np.testing.assert_allclose(gains[[0, -1]], [-6, 9], atol=1e-4)
