"""A path is moved to what a corpus has, by as much as is asked, and not in jumps."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from vqsynth.errors import UsageError
from vqsynth.wavae.paths.nearest import SMOOTHING_SECONDS, Corpus, approach


@pytest.fixture(scope="module")
def corpus(low_path):
    """Of a dark tone."""
    latents = low_path.z[low_path.loudness > low_path.loudness.max() - 30]
    return Corpus(latents, np.ones(len(latents), np.float32))


def apart(path, corpus):
    """Mean distance of the heard frames from the nearest of the corpus."""
    heard = path.z[path.loudness > path.loudness.max() - 30]
    return np.sqrt(np.square(heard[:, None] - corpus.latents[None]).sum(-1)).min(1).mean()


def test_the_amount_is_the_way_that_is_gone(path, corpus):
    distances = [apart(approach(path, corpus, amount), corpus) for amount in (0.0, 0.25, 0.5, 0.75, 1.0)]
    # All the way leaves what the average over neighbours and over time is from each of them.
    assert (np.diff(distances) < 0).all() and distances[-1] < 0.7 * distances[0]
    assert approach(path, corpus, 0.0) is path
    half, whole = (approach(path, corpus, amount).z for amount in (0.5, 1.0))
    np.testing.assert_allclose(half, (path.z + whole) / 2, atol=1e-5)
    for amount in (-0.1, 1.1, np.nan):
        with pytest.raises(UsageError, match="strength"):
            approach(path, corpus, amount)


def test_who_is_at_home_stays(low_path, corpus):
    moved = approach(low_path, corpus, 1.0, neighbours=1)
    inner = slice(5, -8)
    width = SMOOTHING_SECONDS / 2.355 * low_path.rate
    itself = gaussian_filter1d(low_path.z, width, axis=0, mode="nearest")
    assert np.abs(moved.z - itself)[inner].mean() < 0.1 * np.abs(low_path.z - low_path.z.mean(0)).mean()
    np.testing.assert_array_equal(moved.controls, low_path.controls)


def test_it_does_not_jump_where_the_neighbours_change(path):
    """A path that wavers between two sounds of the corpus, every frame: the average over time is in between."""
    ends = np.zeros((2, path.z.shape[1]), np.float32)
    ends[1, 0] = 4.0
    z = np.zeros_like(path.z)
    z[:, 0] = 2 + 0.1 * (-1.0) ** np.arange(len(z))
    moved = approach(dataclasses.replace(path, z=z), Corpus(ends, np.ones(2)), 1.0, neighbours=1)
    assert np.abs(np.diff(moved.z[5:-5, 0])).max() < 1.0
    np.testing.assert_allclose(moved.z[5:-5, 0], 2.0, atol=0.6)


def test_a_voice_looks_for_voices_and_a_chord_for_chords(path, sing):
    """Two sounds at hand, the nearer one of the other kind."""
    near, far = np.tile(path.z.mean(0), (40, 1)), np.tile(path.z.mean(0) + 0.7 * path.z.std(0), (40, 1))
    spread = np.random.default_rng(0).normal(0, 0.5, (80, 1)) * path.z.std(0)
    corpus = Corpus(np.concatenate([near, far]) + spread, np.repeat([0.0, 1.0], 40))
    still = dataclasses.replace(path, z=np.tile(path.z.mean(0), (len(path), 1)))
    means = {voicing: approach(sing(still, 200.0, voicing), corpus, 1.0).z.mean(0) for voicing in (0.0, 1.0)}
    direction = path.z.std(0) / np.linalg.norm(path.z.std(0))
    chord, voice = ((means[v] - path.z.mean(0)) @ direction for v in (0.0, 1.0))
    assert voice > chord
    pool = corpus.latents[40:]
    assert np.abs(means[1.0] - path.z.mean(0)).max() <= np.abs(pool - path.z.mean(0)).max()


def test_fewer_latents_than_neighbours_and_none(path):
    one = approach(path, Corpus(path.z[40:41], np.ones(1)), 1.0)
    np.testing.assert_allclose(one.z, np.tile(path.z[40], (len(path), 1)), atol=1e-5)
    assert approach(path, Corpus(path.z[:0], np.ones(0)), 1.0) is path
