"""The limiter: never over the ceiling, no clicks, nothing touched below it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vqsynth.streaming.limiter import Limiter
from vqsynth.streaming.module import twin

RATE = 44_100


class Stream:
    """The limiter for arrays of one stream."""

    def __init__(self, *settings):
        self.module = twin(Limiter(*settings))
        self.latency, self.length = self.module.latency, self.module.length

    def push(self, audio):
        return self.module(torch.from_numpy(audio)[None])[0].numpy()


@pytest.fixture(scope="module")
def bursts():
    """A sine wave with sudden bursts up to 40 dB over full scale, and single wild samples."""
    audio = 0.5 * np.sin(2 * np.pi * 220 * np.arange(RATE) / RATE)
    audio[5000:5100] *= 200
    audio[20_000:30_000] *= 10
    audio[[7, 12_345, 40_000]] = (-30.0, 50.0, 5.0)
    return audio


def test_the_ceiling_holds(bursts):
    for ceiling in (0.25, 10 ** (-0.5 / 20)):
        limited = Stream(RATE, ceiling).push(np.concatenate([bursts, np.zeros(200)]))
        assert np.abs(limited).max() <= ceiling
        assert np.abs(limited).max() > 0.9 * ceiling


def test_below_the_ceiling_only_the_delay_is_heard():
    audio = np.random.default_rng(0).uniform(-0.9, 0.9, 5000)
    limiter = Stream(RATE)
    limited = limiter.push(audio)
    np.testing.assert_array_equal(limited[limiter.latency :], audio[: 5000 - limiter.latency])
    assert not limited[: limiter.latency].any()


@pytest.mark.parametrize("size", [1, 7, 64, 512, 2048])
def test_chunked_equals_whole(bursts, size):
    count = len(bursts) if size > 7 else 8000
    limiter = Stream(RATE)
    parts = [limiter.push(bursts[n : n + size]) for n in range(0, count, size)]
    np.testing.assert_allclose(np.concatenate(parts)[:count], Stream(RATE).push(bursts)[:count], atol=1e-12)


def test_the_gain_never_jumps():
    audio = np.full(RATE, 0.5)
    audio[10_000:20_000] = 40.0
    limiter = Stream(RATE)
    limited = limiter.push(audio)
    gain = limited[limiter.latency :] / audio[: RATE - limiter.latency]
    # At most one part in the length of the look-ahead a sample, down; slower up.
    assert np.diff(gain).min() > -1.5 / limiter.length
    assert np.diff(gain).max() < 0.1 / limiter.length
    assert gain[-1] == pytest.approx(1.0, abs=1e-2)


def test_nothing_gives_nothing():
    assert Stream(RATE).push(np.zeros(0)).shape == (0,)


def test_the_gain_returns_with_its_time_constant():
    """80 ms after a burst 1/e of the reduction is left."""
    audio = np.full(RATE, 0.2)
    audio[4000:8000] = 4.0
    stream = Stream(RATE, 0.5)
    gain = stream.push(audio)[stream.latency :] / audio[: RATE - stream.latency]
    reduced = 1 - gain
    start = 8000 + 2 * stream.length
    for seconds in (0.04, 0.08, 0.16):
        left = reduced[start + round(seconds * RATE)] / reduced[start]
        assert left == pytest.approx(np.exp(-seconds / 0.08), rel=0.02)
