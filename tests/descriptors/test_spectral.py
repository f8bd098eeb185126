"""The spectral descriptors are librosa's, and say nothing about silence."""

import librosa
import numpy as np
import pytest

from vqsynth import descriptors

RATE = 44_100


@pytest.fixture(scope="module")
def sound():
    """Two seconds: a gliding harmonic tone in noise, then noise alone, then silence."""
    rng = np.random.default_rng(1)
    n = RATE
    phase = 2 * np.pi * np.cumsum(300 * 2 ** (np.arange(n) / n)) / RATE
    tone = sum(np.sin(k * phase) / k for k in range(1, 20)) * 0.1
    parts = [tone + 0.01 * rng.standard_normal(n), 0.1 * rng.standard_normal(n // 2), np.zeros(n // 2)]
    return np.concatenate(parts).astype(np.float32)


@pytest.mark.parametrize("name", ["centroid", "bandwidth", "rolloff", "flatness"])
@pytest.mark.parametrize("n_fft, hop_length", [(2048, 512), (1024, 300)])
def test_equals_librosa(sound, name, n_fft, hop_length):
    options = {} if name == "flatness" else {"sr": RATE}
    expected = getattr(librosa.feature, f"spectral_{name}")(y=sound, n_fft=n_fft, hop_length=hop_length, **options)[0]
    found = descriptors.get(name).measure(sound, RATE, n_fft, hop_length)
    assert found.values.shape == expected.shape == (1 + len(sound) // hop_length,)
    # A rolloff exactly on the threshold may fall one bin beside in float32.
    step = 1.01 * RATE / n_fft if name == "rolloff" else 0.0
    error = np.abs(found.values - expected)[found.valid]
    assert (error <= step + 1e-3 * expected[found.valid]).all()
    assert np.median(error / expected[found.valid]) < 1e-3


@pytest.mark.parametrize("name", list(descriptors.names()))
def test_silence_is_not_valid(sound, name):
    found = descriptors.get(name).measure(sound, RATE)
    seconds = np.arange(len(found.valid)) * 512 / RATE
    assert found.valid[(seconds > 0.1) & (seconds < 0.9)].mean() > 0.98
    assert not found.valid[seconds > 1.6].any()
    assert np.isfinite(found.values).all()


def test_brighter_sound_has_higher_centroid_rolloff_and_loudness_follows_gain(sound):
    tone = sound[:RATE]
    bright = np.diff(tone, prepend=0).astype(np.float32)
    for name in ("centroid", "rolloff"):
        dull_value, bright_value = (np.median(descriptors.get(name).measure(x, RATE).values) for x in (tone, bright))
        assert bright_value > 1.2 * dull_value
    level, lower = (descriptors.get("loudness").measure(x, RATE).values for x in (tone, tone * 0.1))
    np.testing.assert_allclose(level[5:-5] - lower[5:-5], 20.0, atol=0.01)


def test_loudness_is_that_of_the_synthesiser(sound):
    from vqsynth.dsp.loudness import loudness

    found = descriptors.get("loudness").measure(sound, RATE)
    np.testing.assert_allclose(found.values[found.valid], loudness(sound, RATE)[found.valid], atol=1e-3)


def test_noise_is_flat_and_a_tone_is_not(sound):
    flatness = descriptors.get("flatness").measure(sound, RATE)
    seconds = np.arange(len(flatness.valid)) * 512 / RATE
    assert flatness.values[(seconds > 1.1) & (seconds < 1.4)].min() > 0.4
    assert flatness.values[(seconds > 0.1) & (seconds < 0.9)].max() < 0.1


def test_together_equals_alone(sound):
    together = descriptors.measure(descriptors.names(), sound, RATE)
    for name, found in together.items():
        alone = descriptors.get(name).measure(sound, RATE)
        np.testing.assert_array_equal(found.values, alone.values)
        np.testing.assert_array_equal(found.valid, alone.valid)


@pytest.mark.parametrize("audio", [np.zeros(0), np.ones(1), np.full(3000, np.nan)], ids=["empty", "one sample", "nan"])
def test_degenerate_audio_is_measured_without_error(audio):
    for found in descriptors.measure(descriptors.names(), audio.astype(np.float32), RATE).values():
        assert len(found.values) == 1 + len(audio) // 512
        assert np.isfinite(found.values).all()
