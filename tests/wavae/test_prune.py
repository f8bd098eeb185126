"""Latents that tell nothing do not move, and the sound does not miss them."""

import numpy as np
import pytest
import torch

from vqsynth.streaming.module import twin
from vqsynth.wavae.domain import load
from vqsynth.wavae.training.prune import hold_still, living
from vqsynth.wavae.training.quality import mel_distance

RATE = 44_100


@pytest.fixture(scope="module")
def sounds():
    random = np.random.default_rng(0)
    seconds = np.arange(3 * RATE) / RATE
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 0.7 * seconds)
    tones = [
        sum(np.sin(2 * np.pi * hz * k * seconds) / k**slope for k in range(1, 12)) * swell
        for hz, slope in ((130.0, 1.0), (330.0, 1.6), (700.0, 0.8))
    ]
    chord = tones[0] + tones[1] + 0.6 * tones[2]
    noise = random.standard_normal(len(seconds)) * swell
    return [(0.05 * sound).astype(np.float32) for sound in (*tones, chord, noise)]


def test_dead_latents_are_found_and_held_still(sounds):
    model = twin(load("strings").model)
    used, _ = living(model, sounds)
    # A latent whose mean hardly moves, beside a posterior as wide as the prior, tells nothing.
    number = int(torch.nonzero(used)[0])
    with torch.no_grad():
        count = model.latent_dim
        model.encoder.head.weight[number] *= 1e-3
        model.encoder.head.weight[count + number] = 0
        model.encoder.head.bias[count + number] = 0
    found, means = living(model, sounds)
    assert used[number] and not found[number]
    assert int((found != used).sum()) == 1
    plain = model.resynthesise(sounds[3])
    hold_still(model.encoder, ~found, means)
    z, _ = model.encode(sounds[3])
    np.testing.assert_allclose(z[:, ~found.numpy()], np.tile(means[~found], (len(z), 1)), atol=1e-5)
    assert (z[:, found.numpy()].std(0) > 1e-3).all()
    # It is what it was: the decoder has learned to take no notice of them.
    assert mel_distance(model, model.resynthesise(sounds[3]), plain) < 1.5


@pytest.mark.parametrize("name", ["strings", "screams", "singing", "spoken", "brass", "base"])
def test_no_latent_of_a_model_that_ships_moves_for_nothing(name, sounds):
    """What is not held still is more than the posterior's own spread."""
    model = load(name).model
    z = model.encode(sounds[3], free=True)[0]
    silent = torch.from_numpy(z.std(0) < 1e-5)
    assert 10 < int(silent.sum()) < len(silent) / 2
    assert living(model, sounds)[0][~silent].float().mean() > 0.9
