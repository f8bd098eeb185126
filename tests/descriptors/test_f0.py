"""Pitch is right within a few cents, on time, in the right octave, and absent where there is none."""

import numpy as np
import pytest

from vqsynth.descriptors import f0
from vqsynth.errors import UsageError

RATE = 44_100


def tone(hz, seconds=0.5, slope=1.0, rate=RATE, level=0.3):
    """Harmonic tone; ``hz`` is a number or one value a sample. Harmonic k has the amplitude k ** -slope."""
    hz = np.broadcast_to(np.asarray(hz, float), int(seconds * rate))
    phase = 2 * np.pi * np.cumsum(hz) / rate
    top = max(1, min(40, int(0.4 * rate / hz.max())))
    x = sum(np.sin(k * phase + k * k) * k**-slope for k in range(1, top + 1))
    return (level * x / np.abs(x).max()).astype(np.float32)


def cents(found, hz):
    return 1200 * np.log2(found / hz)


def test_a440_within_5_cents():
    value, _, voiced = f0.track(tone(440.0), RATE)
    assert voiced[2:-2].all()
    assert np.abs(cents(value[2:-2], 440.0)).max() < 5


@pytest.mark.parametrize("hz", np.geomspace(60, 2500, 17).round(1))
@pytest.mark.parametrize("slope", [0, 1])
def test_harmonic_tones_across_the_range(hz, slope):
    value, _, voiced = f0.track(tone(hz, slope=slope), RATE)
    assert voiced[3:-3].mean() > 0.98
    assert np.abs(cents(value[3:-3][voiced[3:-3]], hz)).max() < 5


@pytest.mark.parametrize("hz", [110.0, 440.0, 1000.0, 2300.0])
def test_pure_tones_are_voiced(hz):
    value, _, voiced = f0.track(tone(hz, slope=9), RATE)
    assert voiced[3:-3].all()
    assert np.abs(cents(value[3:-3], hz)).max() < 10


def test_tone_without_fundamental_keeps_its_pitch():
    n = np.arange(RATE // 2)
    x = sum(np.sin(2 * np.pi * 200 * k * n / RATE + k) for k in range(2, 12)) * 0.05
    value, _, voiced = f0.track(x.astype(np.float32), RATE)
    assert voiced[3:-3].all()
    assert np.abs(cents(value[3:-3], 200.0)).max() < 5


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000])
def test_glide_is_on_time(rate):
    seconds = 2.0
    n = np.arange(int(seconds * rate))
    value, _, voiced = f0.track(tone(220 * 2 ** (n / len(n)), seconds, rate=rate), rate)
    when = np.log2(value[9:-9] / 220) * seconds
    assert voiced[9:-9].all()
    assert np.abs(when - np.arange(len(value))[9:-9] * 512 / rate).max() < 0.006


def test_vibrato_is_followed():
    n = np.arange(2 * RATE)
    hz = 330 * 2 ** (0.4 / 12 * np.sin(2 * np.pi * 6 * n / RATE))
    value, _, _ = f0.track(tone(hz, 2.0), RATE)
    truth = hz[np.minimum(np.arange(len(value)) * 512, len(hz) - 1)]
    assert np.abs(cents(value[5:-5], truth[5:-5])).max() < 5


def test_octave_leap_stays_a_leap():
    hz = np.repeat([220.0, 440.0, 220.0], RATE // 3)
    value, _, _ = f0.track(tone(hz, len(hz) / RATE), RATE)
    for middle, expected in ((14, 220), (43, 440), (71, 220)):
        assert abs(cents(np.median(value[middle - 8 : middle + 8]), expected)) < 5


@pytest.mark.parametrize("seconds", [0.15, 0.2])
@pytest.mark.parametrize("low, high", [(220.0, 440.0), (220.0, 880.0), (300.0, 900.0), (523.0, 1046.0)])
def test_a_short_leap_stays_a_leap(low, high, seconds):
    for note, leap in ((low, high), (high, low)):
        hz = np.repeat([note, leap, note], [RATE, int(seconds * RATE), RATE])
        value, _, voiced = f0.track(tone(hz, len(hz) / RATE), RATE)
        inside = slice(int(1.04 * RATE / 512) + 1, int((0.96 + seconds) * RATE / 512))
        assert voiced[inside].all()
        assert np.abs(cents(value[inside], leap)).max() < 20


@pytest.mark.parametrize("hz", [466.0, 587.0, 1046.0, 1760.0])
def test_a_note_dies_away_in_its_octave(hz):
    noise = 0.0012 * np.random.default_rng(3).standard_normal(2 * RATE)
    fading = tone(hz, 2.0, slope=2) * 10 ** (-np.linspace(0, 55, 2 * RATE) / 20) + noise
    value, _, voiced = f0.track(fading.astype(np.float32), RATE)
    off = np.abs(cents(value[voiced], hz))
    assert voiced.mean() > 0.85 and off.max() < 900 and np.mean(off < 200) > 0.99


@pytest.mark.parametrize("hz", [523.0, 659.0, 880.0])
def test_a_breath_an_octave_below_is_no_note(hz):
    sound = tone(hz, 2.0, slope=2).astype(float)
    below = 0.35 * tone(hz / 2, 0.15, slope=3)
    sound[RATE : RATE + len(below)] += below * np.hanning(len(below)) ** 0.3
    sound += 0.003 * np.random.default_rng(3).standard_normal(len(sound))
    value, _, voiced = f0.track(sound.astype(np.float32), RATE)
    assert voiced[3:-3].all()
    assert np.abs(cents(value[voiced], hz)).max() < 200


@pytest.mark.parametrize("level", [0.5, 0.003])
def test_noise_has_no_pitch(level):
    noise = np.random.default_rng(2).standard_normal(RATE).astype(np.float32) * level
    value, _, voiced = f0.track(noise, RATE)
    assert voiced.mean() < 0.02
    assert (value[~voiced] == 0).all()


def test_quiet_tone_is_voiced_and_silence_is_not():
    x = np.concatenate([tone(300.0, level=0.002), np.zeros(RATE // 2, np.float32)])
    _, _, voiced = f0.track(x, RATE)
    assert voiced[3:38].all()
    assert not voiced[48:].any()


@pytest.mark.parametrize("hz", [65.4, 261.6, 880.0, 2093.0])
def test_a_third_of_a_second_is_enough(hz):
    clip = tone(hz, 0.3)
    value, confidence, voiced = f0.track(clip, RATE)
    assert len(value) == len(confidence) == len(voiced) == 1 + len(clip) // 512
    assert voiced[3:-3].all()
    assert np.abs(cents(value[3:-3], hz)).max() < 5


def test_a_short_silence_has_no_pitch():
    assert not f0.track(np.zeros(13_230, np.float32), RATE)[2].any()


@pytest.mark.parametrize("method", ["swift", "yin", "pyin"])
def test_other_methods_agree(method):
    value, _, voiced = f0.track(tone(196.0), RATE, method=method)
    assert voiced[4:-4].mean() > 0.9
    assert abs(cents(np.median(value[voiced]), 196.0)) < 15


def test_unknown_method():
    with pytest.raises(UsageError, match="pyin"):
        f0.track(tone(440.0), RATE, method="crepe")
