"""The yardstick itself: sounds that follow a curve by construction must score as such."""

import numpy as np
import pytest

from benchmarks.tracking.measure import PITCH_METHODS, compare, measure

RATE = 44_100
SECONDS = 4.0


def glide(curve, harmonics=1):
    """A tone whose f0 follows ``curve`` (times -> Hz), with equal harmonics."""
    times = np.arange(int(SECONDS * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(curve(times)) / RATE
    return sum(np.sin(k * phase) for k in range(1, harmonics + 1)).astype(np.float32) * (0.3 / harmonics)


def sine(low, high):
    return lambda t: low * (high / low) ** (0.5 + 0.5 * np.sin(2 * np.pi * t / SECONDS))


def test_centroid_of_a_moving_tone_is_its_frequency():
    curve = sine(900.0, 3600.0)
    score = compare(*measure("centroid", glide(curve), RATE, 900, 3600), curve, skip=0.1)
    assert score.pearson > 0.9999 and score.relative < 0.003 and score.valid == 1.0


def test_bandwidth_of_two_equal_tones_is_half_their_distance():
    curve = sine(500.0, 2000.0)
    times = np.arange(int(SECONDS * RATE)) / RATE
    side = np.cumsum(curve(times)) * 2 * np.pi / RATE
    centre = 2 * np.pi * 6000 * times
    audio = (0.2 * (np.sin(centre + side) + np.sin(centre - side))).astype(np.float32)
    score = compare(*measure("bandwidth", audio, RATE, 500, 2000), curve, skip=0.1)
    assert score.pearson > 0.999 and score.relative < 0.02


@pytest.mark.parametrize("method", PITCH_METHODS)
def test_pitch_of_a_glide(method):
    curve = sine(200.0, 400.0)
    score = compare(*measure("f0", glide(curve, 8), RATE, 200, 400, method), curve, skip=0.1)
    assert score.pearson > 0.999 and score.cents < 6 and score.valid > 0.97


def test_an_error_is_seen_at_its_size():
    curve = sine(200.0, 400.0)
    times, f0 = measure("f0", glide(lambda t: 1.02 * curve(t), 8), RATE, 200, 400)
    score = compare(times, f0, curve, skip=0.1)
    assert score.cents == pytest.approx(1200 * np.log2(1.02), abs=2) and score.relative == pytest.approx(
        0.02, abs=0.002
    )
    assert score.within < 0.02


def test_an_octave_too_low_is_not_hidden():
    curve = sine(300.0, 500.0)
    score = compare(*measure("f0", glide(lambda t: curve(t) / 2, 8), RATE, 300, 500), curve, skip=0.1)
    assert score.cents == pytest.approx(1200, abs=10)


def test_noise_has_no_pitch_and_silence_no_centroid():
    noise = (0.1 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)
    half = np.concatenate([noise, np.zeros_like(noise)])
    flat = lambda t: np.full(len(t), 440.0)
    assert compare(*measure("f0", noise, RATE, 440, 440), flat).valid < 0.2
    score = compare(*measure("centroid", half, RATE, 440, 440), flat)
    assert 0.45 < score.valid < 0.55 and np.isnan(score.pearson)
    assert compare(*measure("centroid", np.zeros(RATE, np.float32), RATE, 440, 440), flat).valid == 0


def test_frames_without_pitch_count_as_missed():
    curve = lambda t: np.full(len(t), 300.0)
    audio = glide(curve, 8)
    audio[: len(audio) // 2] = 0
    score = compare(*measure("f0", audio, RATE, 300, 300), curve)
    assert score.cents < 1 and 0.45 < score.within < 0.55
