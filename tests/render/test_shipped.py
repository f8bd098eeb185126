"""With life 0 the shipped violin follows its targets to the letter, by the ear of librosa and Praat."""

from pathlib import Path

import librosa
import numpy as np
import parselmouth
import pytest

from vqsynth import load

RATE, HOP = 44_100, 512
CODEBOOKS = Path(__file__).resolve().parents[2] / "codebooks"


@pytest.fixture(scope="module")
def violin():
    return load(CODEBOOKS / "violin")


def centroid(audio):
    return librosa.feature.spectral_centroid(y=audio, sr=RATE, n_fft=2048, hop_length=HOP)[0]


def pitch(audio):
    found = parselmouth.Sound(audio.astype(float), RATE).to_pitch_ac(
        time_step=HOP / RATE, pitch_floor=75, pitch_ceiling=2000
    )
    return found.selected_array["frequency"]


def test_brightness_is_a_sine_while_the_pitch_stays_on_a4(violin):
    audio, report = violin.render(centroid="sin", f0="A4", duration=12, life=0)
    result = report["descriptors"]["centroid"]
    times = np.arange(1 + len(audio) // HOP) * HOP / RATE
    wanted = result["low"] * (result["high"] / result["low"]) ** (0.5 + 0.5 * np.sin(2 * np.pi * times / 12))
    measured = centroid(audio)
    assert np.corrcoef(measured, wanted)[0, 1] > 0.99
    assert np.median(np.abs(measured / wanted - 1)) < 0.01
    cents = 1200 * np.abs(np.log2(np.maximum(pitch(audio), 1) / 440))
    assert np.mean(cents < 20) > 0.95
    trims = report["trims"]
    assert trims["mean_tilt_db_per_octave"] < 1.5 and trims["mean_bend_cents"] < 20
    assert report["roughness"]["ratio"] < 2


def test_a_pitch_that_is_not_asked_for_is_held(violin):
    audio, report = violin.render(bandwidth="arch", duration=8, life=0)
    held = report["descriptors"]["f0"]
    assert held["held"]
    cents = 1200 * np.abs(np.log2(np.maximum(pitch(audio), 1) / held["low"]))
    assert np.mean(cents < 20) > 0.95
    assert report["descriptors"]["bandwidth"]["pearson"] > 0.99


def test_each_step_brings_the_sound_nearer(violin):
    errors = {}
    for name, options in {
        "nearest": {"matcher": "nearest"},
        "path": {"refine": 0, "life": 0},
        "default": {"life": 0},
    }.items():
        _, report = violin.render(bandwidth="sin", f0="A4", duration=8, **options)
        errors[name] = report["descriptors"]["bandwidth"]["median_relative_error"]
    assert errors["default"] < 0.5 * errors["path"] and errors["default"] < 0.01 and errors["path"] < 0.05


@pytest.mark.parametrize("shape", ["arch", "line"])
def test_the_pitch_follows_a_curve(violin, shape):
    audio, report = violin.render(f0=shape, duration=8, life=0)
    result = report["descriptors"]["f0"]
    assert result["median_cents"] < 5 and result["voiced_fraction"] > 0.98 and result["pearson"] > 0.999
    found = pitch(audio)
    assert np.mean(found > 0) > 0.97
    assert (
        result["low"] * 0.98
        < np.percentile(found[found > 0], 2)
        < np.percentile(found[found > 0], 98)
        < result["high"] * 1.02
    )
