"""Colours and noise change what a sound is like, never what its pitch is."""

import numpy as np
import torch

from vqsynth.descriptors import f0 as tracker
from vqsynth.wavae.training.material.disguise import LEVEL_DB, coloured_noise, disguise

RATE = 44_100


def test_a_disguised_tone_keeps_its_pitch():
    seconds = np.arange(RATE) / RATE
    tone = sum(np.sin(2 * np.pi * 220 * k * seconds) / k for k in range(1, 30)).astype(np.float32)
    audio = torch.from_numpy(np.tile(0.05 * tone, (24, 1)))
    f0, active = torch.full((24, 80), 220.0), torch.ones(24, 80, dtype=torch.bool)
    told, pitches, heard = disguise(audio, f0, active, RATE, np.random.default_rng(1))
    assert torch.isfinite(told).all() and told.shape == audio.shape
    assert (f0 == 220).all(), "the batch itself is not changed"
    sung = (pitches > 0).all(1)
    assert 18 <= int(sung.sum()) < 24, "some segments are nothing but noise"
    assert (pitches[~sung] == 0).all() and heard.all()
    spectra = torch.fft.rfft(told[sung] * torch.hann_window(RATE)).abs()
    assert len(np.unique(np.round(np.log(np.asarray(spectra[:, 2200] / spectra[:, 220])), 2))) > 10
    right = 0
    for sound in told[sung]:
        hz, _, voiced = tracker.track(np.asarray(sound), RATE, 2048, 512)
        right += voiced.mean() > 0.8 and abs(1200 * np.log2(np.median(hz[voiced]) / 220)) < 5
    assert right >= 0.85 * int(sung.sum())


def test_noise_is_noise_of_unit_level():
    random = np.random.default_rng(2)
    for _ in range(8):
        noise = coloured_noise(RATE, RATE, random)
        assert noise.dtype == np.float32 and abs(noise.std() - 1) < 1e-3
        assert tracker.track(0.1 * noise, RATE, 2048, 512)[2].mean() < 0.2


def test_levels_stay_within_their_range():
    noise = torch.from_numpy(coloured_noise(8192, RATE, np.random.default_rng(0)))[None].repeat(40, 1) * 0.01
    random = np.random.default_rng(3)
    silent = torch.zeros(40, 16), torch.zeros(40, 16, dtype=torch.bool)
    told = disguise(noise, *silent, RATE, random)[0]
    assert told.std(1).max() < 0.01 * 10 ** ((LEVEL_DB[1] + 48) / 20)
