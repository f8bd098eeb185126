"""Pitch and voicing between paths: glides, chords that have no say, and consonants."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from vqsynth.dsp.notes import note_to_hz
from vqsynth.wavae.paths.mixing import RELEASE_SECONDS, mix, ramp, resample

C4, E4 = note_to_hz("C4"), note_to_hz("E4")


def cents(hz, reference):
    return 1200 * np.log2(np.asarray(hz, np.float64) / reference)


def crossed(a, b):
    share = ramp(len(a))
    return mix([a, b], np.stack([1 - share, share], -1))


def test_from_c4_to_e4_is_a_straight_line_in_cents(path, sing):
    mixed = crossed(sing(path, C4), sing(path, E4))
    np.testing.assert_allclose(cents(mixed.pitch, C4), 400 * ramp(len(path)), atol=0.01)
    np.testing.assert_allclose(mixed.voicing, 1.0)


def test_two_melodies_meet_halfway(path, sing):
    a, b = (sing(path, hz * 2 ** (np.sin(path.times * rate) / 6)) for hz, rate in ((200.0, 3.0), (700.0, 7.0)))
    mixed = mix([a, b], np.full((len(path), 2), 0.5))
    np.testing.assert_allclose(mixed.pitch, np.sqrt(a.pitch * b.pitch), rtol=1e-5)


def test_four_voices_on_the_plane(path, sing):
    voices = [sing(path, hz, voicing) for hz, voicing in ((100.0, 1.0), (200.0, 0.5), (400.0, 0.0), (800.0, 1.0))]
    mixed = mix(voices, np.tile([0.1, 0.4, 0.3, 0.2], (len(path), 1)))
    octaves = (0.1 * 0 + 0.4 * 0.5 * 1 + 0.2 * 3) / (0.1 + 0.2 + 0.2)
    np.testing.assert_allclose(mixed.pitch, 100 * 2**octaves, rtol=1e-5)
    np.testing.assert_allclose(mixed.voicing, 0.1 + 0.2 + 0.2, atol=1e-6)


@pytest.mark.parametrize("turned", [False, True])
def test_a_line_keeps_its_pitch_while_it_fades_into_a_chord(path, sing, turned):
    """To the very ends, and whatever pitch the chord carries on."""
    line, chord = sing(path, 330 * 2 ** (np.sin(path.times * 30) / 24)), sing(path, 77.0, 0.0)
    mixed = crossed(chord, line) if turned else crossed(line, chord)
    np.testing.assert_allclose(cents(mixed.pitch, line.pitch), 0.0, atol=0.01)
    np.testing.assert_allclose(mixed.voicing, ramp(len(path)) if turned else 1 - ramp(len(path)), atol=1e-6)


def test_between_chords_nothing_is_voiced_and_the_pitch_is_still_one(path, sing):
    mixed = crossed(sing(path, 100.0, 0.0), sing(path, 400.0, 0.0))
    assert mixed.voicing.max() == 0
    np.testing.assert_allclose(cents(mixed.pitch, 100.0), 2400 * ramp(len(path)), atol=0.01)


def test_a_consonant_moves_the_pitch_of_the_mixture_slowly(path, sing):
    """80 ms without voicing in one of two voices, an octave apart; the other holds its note."""
    consonant = (path.times > 1.0) & (path.times < 1.08)
    mixed = mix([sing(path, 200.0), sing(path, 400.0, ~consonant)], np.full((len(path), 2), 0.5))
    moved = cents(mixed.pitch, 200 * np.sqrt(2))
    assert np.abs(moved).max() < 150 and np.abs(np.diff(moved[path.times < 1.08])).max() < 60
    np.testing.assert_allclose(moved[(path.times < 1) | (path.times > 1.15)], 0.0, atol=0.01)
    # A chord that follows a line is let go for good.
    ended = mix([sing(path, 200.0), sing(path, 400.0, path.times < 0.5)], np.full((len(path), 2), 0.5))
    assert np.abs(cents(ended.pitch[path.times > 0.5 + 6 * RELEASE_SECONDS], 200.0)).max() < 5


def test_a_stretched_path_glides_between_its_frames_by_octaves(path, sing):
    hz = np.where(np.arange(len(path)) % 2, 800.0, 200.0)
    controls = np.hstack([sing(path, hz, 0.25).controls, hz[:, None]]).astype(np.float32)
    bright = dataclasses.replace(path, names=("loudness", "pitch", "voicing", "centroid"), controls=controls)
    longer = resample(bright, 2 * len(path) - 1, 2 * path.samples)
    for column in (1, 3):
        np.testing.assert_allclose(longer.controls[::2, column], hz, rtol=1e-5)
        np.testing.assert_allclose(longer.controls[1::2, column], 400.0, rtol=1e-5)
    np.testing.assert_allclose(longer.voicing, 0.25)


def test_the_limits_of_pitch_survive_mixing_and_stretching(path, sing):
    low, high = sing(path, 20.0), sing(path, 20_000.0)
    for made in (
        crossed(low, high),
        crossed(high, low),
        resample(low, 300, path.samples),
        mix([low], np.ones((88, 1))),
    ):
        assert made.pitch.min() >= 20 and made.pitch.max() <= 20_000
