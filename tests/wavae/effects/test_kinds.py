"""Frames with a pitch and frames without are brought to their own kind."""

import dataclasses

import numpy as np
import pytest

from vqsynth.wavae.domain import load
from vqsynth.wavae.paths.moment_matching import match_moments
from vqsynth.wavae.paths.nearest import Corpus


@pytest.fixture(scope="module")
def domain():
    return load("strings")


def test_voiced_frames_are_matched_to_voiced_ones(domain):
    random, size = np.random.default_rng(0), domain.config.latent_dim
    voicing = (np.arange(400) % 2).astype(np.float32)
    # A corpus whose voiced latents lie apart from the others.
    spread = random.standard_normal((400, size)).astype(np.float32) * 0.1
    latents = domain.pca.mean + spread + 0.3 * (voicing[:, None] * 2 - 1)
    corpus = Corpus(latents, voicing)
    audio = 0.1 * np.sin(2 * np.pi * 220 * np.arange(4 * 44_100) / 44_100)
    path = domain.encode(audio.astype(np.float32))
    controls = path.controls.copy()
    controls[:, 0], controls[:, 2] = -20.0, np.arange(len(path)) < len(path) // 2
    z = domain.pca.mean + random.standard_normal(path.z.shape).astype(np.float32) * 0.05
    path = dataclasses.replace(path, z=z, controls=controls)
    wide = dataclasses.replace(path, pca=dataclasses.replace(path.pca, std=np.full(size, 4.0, np.float32)))
    moved, whole = match_moments(wide, 1.0, corpus), match_moments(wide, 1.0)
    sung = controls[:, 2] > 0.5
    np.testing.assert_allclose(moved.z[sung].mean(0), latents[voicing > 0.5].mean(0), atol=0.02)
    np.testing.assert_allclose(moved.z[~sung].mean(0), latents[voicing <= 0.5].mean(0), atol=0.02)
    assert np.abs(whole.z[sung].mean(0) - latents[voicing > 0.5].mean(0)).max() > 0.2
    # Too few frames of a kind have no moments: then those of all count.
    few = Corpus(latents[voicing > 0.5], voicing[voicing > 0.5])
    np.testing.assert_allclose(match_moments(wide, 1.0, few).z[~sung], whole.z[~sung], atol=1e-5)
