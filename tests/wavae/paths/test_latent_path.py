"""Latent paths and their principal axes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from vqsynth.errors import VqsynthError
from vqsynth.wavae.paths import pca


def test_a_path_has_a_frame_for_every_latent_hop_and_its_own_length(domain, path, note):
    assert len(path) == domain.model.frames_of(len(note)) and path.samples == len(note)
    assert path.times[1] == pytest.approx(1024 / 44_100)
    assert (path.domain, path.names, path.operations) == ("strings", domain.config.controls, ())


def test_the_loudness_of_a_path_is_that_of_the_sound(path, note):
    from vqsynth.dsp.loudness import loudness

    measured = loudness(note, 44_100, hop_length=1024)
    np.testing.assert_allclose(path.loudness[2 : len(measured) - 2], measured[2:-2], atol=0.01)


def test_coordinates_and_back(path):
    np.testing.assert_allclose(path.with_coordinates(path.coordinates).z, path.z, atol=1e-5)


def test_the_domains_axes_are_orthonormal_and_sorted(domain):
    axes = domain.pca
    np.testing.assert_allclose(axes.components @ axes.components.T, np.eye(domain.config.latent_dim), atol=1e-5)
    assert (np.diff(axes.std) <= 0).all() and (axes.std > 0).all()


def test_the_axes_of_known_latents():
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    z = (rng.standard_normal((20_000, 3)) * [3.0, 1.0, 0.1]) @ turn.T + [1.0, -2.0, 5.0]
    axes = pca.fit(z.astype(np.float32))
    coordinates = axes.coordinates(z)
    np.testing.assert_allclose(axes.std, [3.0, 1.0, 0.1], rtol=0.02)
    np.testing.assert_allclose(np.cov(coordinates.T), np.diag(axes.std**2), atol=0.01)
    np.testing.assert_allclose(axes.mean, [1.0, -2.0, 5.0], atol=0.06)
    np.testing.assert_allclose(np.abs(axes.components @ turn), np.eye(3), atol=0.02)
    again = pca.fit(z[::-1].astype(np.float32))
    np.testing.assert_allclose(again.components, axes.components, atol=1e-4)


def test_a_control_is_replaced_and_nothing_else(path):
    other = path.with_control("loudness", np.linspace(-40, -20, len(path)))
    assert other.loudness[0] == -40 and path.loudness[0] != -40
    assert other.z is path.z


def test_pitch_and_voicing_have_names(path, sing, speak):
    sung = sing(path, 220.0, 0.5)
    assert sung.pitched and set(sung.pitch) == {220.0} and set(sung.voicing) == {0.5}
    assert not speak(sung).pitched


@pytest.mark.parametrize(
    ("hz", "voicing", "message"),
    [
        (0.0, 1.0, "pitch must stay within 20 and 20000 Hz: it is 0 Hz at 1.00 s"),
        (-100.0, 1.0, "it is -100 Hz"),
        (30_000.0, 1.0, "it is 3e[+]04 Hz"),
        (np.nan, 1.0, "its pitch are not in 1 of 88 frames"),
        (220.0, 1.5, "voicing must stay within 0 and 1: it is 1.5 at 1.00 s"),
        (220.0, -0.1, "it is -0.1"),
        (220.0, np.nan, "its voicing are not in 1 of 88"),
    ],
)
def test_pitches_and_voicings_that_cannot_be(path, sing, hz, voicing, message):
    there = np.arange(len(path)) == 43
    with pytest.raises(VqsynthError, match=message):
        sing(path, np.where(there, hz, 220.0), np.where(there, voicing, 1.0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: {"z": np.full_like(p.z, np.nan)}, "its latents are not in 88 of 88 frames, the first at 0.00 s"),
        (
            lambda p: {"z": np.where(np.arange(len(p))[:, None] == 43, np.inf, p.z)},
            "latents are not in 1 of 88 frames, the first at 1.00 s",
        ),
        (lambda p: {"controls": np.full_like(p.controls, np.nan)}, "its loudness are not"),
        (lambda p: {"z": p.z[:-1]}, "needs z .* and controls"),
        (lambda p: {"z": p.z[0]}, "needs z .* and controls"),
        (lambda p: {"z": p.z[:0], "controls": p.controls[:0]}, "at least one frame"),
    ],
)
def test_paths_that_cannot_be(path, change, message):
    with pytest.raises(VqsynthError, match=message):
        dataclasses.replace(path, **change(path))
