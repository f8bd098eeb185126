"""The moving band-pass: Zavalishin's filter, sample by sample."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from vqsynth.streaming.band_pass import SEGMENT, BandPass
from vqsynth.streaming.module import twin

RATE = 44_100


class Stream:
    """The filter for arrays of one stream; numbers hold for a whole block."""

    def __init__(self, rate):
        self.module = twin(BandPass(rate))

    def push(self, audio, *settings):
        rows = [audio, *(np.broadcast_to(x, len(audio)).astype(float) for x in settings)]
        return self.module(*(torch.from_numpy(np.ascontiguousarray(row))[None] for row in rows))[0].numpy()


def by_hand(audio, frequency, quality):
    """The trapezoidal state-variable filter as the book writes it, one sample after the other."""
    first = second = 0.0
    output = np.zeros(len(audio))
    for n, sample in enumerate(audio):
        if n % SEGMENT == 0:
            g, k = math.tan(math.pi * frequency[n] / RATE), 1 / quality[n]
        band = (first + g * (sample - second)) / (1 + g * (g + k))
        low = second + g * band
        first, second = 2 * band - first, 2 * low - second
        output[n] = k * band
    return output


@pytest.fixture(scope="module")
def moving():
    """Noise, and a band that moves through five octaves while it narrows."""
    count = 9000
    noise = np.random.default_rng(0).standard_normal(count)
    return noise, np.geomspace(200, 8000, count), np.linspace(0.5, 20, count)


def test_equals_the_filter_of_the_book(moving):
    np.testing.assert_allclose(Stream(RATE).push(*moving), by_hand(*moving), atol=1e-11)


@pytest.mark.parametrize("size", [1, 7, 64, 512, 2048])
def test_chunked_equals_whole(moving, size):
    count = 9000 if size > 1 else 1000
    band = Stream(RATE)
    parts = [band.push(*(x[n : n + size] for x in moving)) for n in range(0, count, size)]
    np.testing.assert_allclose(np.concatenate(parts)[:count], Stream(RATE).push(*moving)[:count], atol=1e-11)


@pytest.mark.parametrize("centre", [60.0, 440.0, 5000.0, 18_000.0])
@pytest.mark.parametrize("quality", [0.7, 5.0, 40.0])
def test_peak_and_width(centre, quality):
    impulse = np.zeros(1 << 19)
    impulse[0] = 1
    response = np.abs(np.fft.rfft(Stream(RATE).push(impulse, centre, quality)))
    frequencies = np.fft.rfftfreq(len(impulse), 1 / RATE)
    peak = np.argmax(response)
    assert response[peak] == pytest.approx(1, abs=0.01)
    assert frequencies[peak] == pytest.approx(centre, rel=0.02)
    # The bilinear transform keeps the ratio of the edges in warped frequency.
    edges = frequencies[np.flatnonzero(response >= math.sqrt(0.5))[[0, -1]]]
    warped = np.tan(np.pi * edges / RATE)
    assert (warped[1] - warped[0]) / np.tan(np.pi * centre / RATE) == pytest.approx(1 / quality, rel=0.05)


def test_jumps_of_the_centre_do_not_ring_up():
    noise = np.random.default_rng(1).standard_normal(RATE)
    centre = np.where(np.arange(RATE) // 441 % 2, 60.0, 12_000.0)
    assert np.abs(Stream(RATE).push(noise, centre, 30.0)).max() < 2.0


def test_out_of_range_centres_are_held_and_nothing_gives_nothing():
    noise = np.random.default_rng(2).standard_normal(4096)
    for wild, held in ((0.0, 10.0), (1e6, 0.49 * RATE)):
        np.testing.assert_allclose(Stream(RATE).push(noise, wild, 2.0), Stream(RATE).push(noise, held, 2.0))
    assert Stream(RATE).push(np.zeros(0), 440.0, 5.0).shape == (0,)
