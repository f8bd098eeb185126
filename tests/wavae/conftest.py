"""A shipped domain, two made sounds and their latent paths."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest

from vqsynth.wavae.domain import Domain


class Singer(Domain):
    """A model without control of pitch as if it had it: the tracker's pitch in its paths, sung by its vocoder."""

    def encode(self, audio, pitch="track"):
        from vqsynth.descriptors import f0

        path = self.plain.encode(audio)
        hz, _, voiced = f0.track(audio, self.config.sample_rate, hop_length=2 * self.config.hop_length)
        frames = np.minimum(np.arange(len(path)), len(hz) - 1)
        known = np.maximum.accumulate(np.where(voiced, np.arange(len(hz)), 0))[frames]
        voicing = voiced[frames] * (pitch == "track")
        curves = (path.loudness, np.where(hz[known] > 0, hz[known], 200.0), voicing)
        return dataclasses.replace(
            path, names=("loudness", "pitch", "voicing"), controls=np.stack(curves, 1).astype(np.float32)
        )

    def encode_blocks(self, blocks, pitch="track"):
        return self.encode(np.concatenate(list(blocks)), pitch)

    def decode(self, path, seed=0, f0=None):
        assert f0 is None
        grid = np.arange(2 * len(path)) / (2 * path.rate)
        sung = 2 ** np.interp(grid, path.times, np.log2(path.pitch))
        sung[np.interp(grid, path.times, path.voicing) < 0.5] = 0
        return self.model.decode(path.z, path.controls[:, :1], path.samples, seed, sung)


@pytest.fixture(scope="session")
def domain():
    """The strings that ship."""
    from vqsynth.wavae import load

    return load("strings")


@pytest.fixture(scope="session")
def low_note(make_tone):
    """One and a half seconds of a dark, falling tone. Shape: [66150] float32 at 44.1 kHz."""
    return make_tone(np.geomspace(196, 147, round(1.5 * 44_100)), 1.5, 0.7)


@pytest.fixture(scope="session")
def path(domain, note):
    """The latent path of ``note``; not to be written to."""
    return domain.encode(note)


@pytest.fixture(scope="session")
def low_path(domain, low_note):
    """The latent path of ``low_note``; not to be written to."""
    return domain.encode(low_note)


@pytest.fixture(scope="session")
def sing():
    """Gives a path pitch (Hz) and voicing, each a number or [frames], whatever controls its model has."""

    def given(path, hz, voicing=1.0):
        curves = (path.loudness, np.broadcast_to(hz, len(path)), np.broadcast_to(voicing, len(path)))
        return dataclasses.replace(
            path, names=("loudness", "pitch", "voicing"), controls=np.stack(curves, 1).astype(np.float32)
        )

    return given


@pytest.fixture(scope="session")
def speak():
    """Takes all controls but the loudness from a path."""
    return lambda path: dataclasses.replace(path, names=("loudness",), controls=path.controls[:, :1])


@pytest.fixture(scope="session")
def singer(domain):
    """A domain with pitch and voicing as controls."""
    if "pitch" in domain.config.controls:
        return domain
    assert domain.model and domain.pca  # loaded by the configuration that they have
    other = copy.copy(domain)
    other.__class__, other.plain = Singer, domain
    other.__dict__["config"] = domain.config.model_copy(update={"controls": ("loudness", "pitch", "voicing")})
    return other
