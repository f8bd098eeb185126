"""A timbre live: its own sound, at the melody and the loudness of what comes in, as late as it says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vqsynth.descriptors import f0 as tracker
from vqsynth.dsp.loudness import loudness
from vqsynth.library.timbre import load
from vqsynth.streaming.module import scripted
from vqsynth.vqvae.live import live_stream

RATE = 44_100


@pytest.fixture(scope="module")
def model():
    return load("violin").model


@pytest.fixture(scope="module")
def melody(make_tone):
    """Three notes of half a second."""
    return np.concatenate([make_tone(hz, 0.6, 0.8, level=0.3) for hz in (330.0, 440.0, 392.0)])


@pytest.fixture(scope="module")
def played(model, melody):
    stream = live_stream(model)
    with torch.inference_mode():
        return stream(torch.from_numpy(melody)[None])[0].numpy(), stream.latency


def test_the_melody_is_kept(melody, played):
    audio, latency = played
    wanted, _, asked = tracker.track(melody[: len(audio) - latency], RATE)
    found, _, heard = tracker.track(audio[latency:], RATE)
    both = asked & heard
    assert both.mean() > 0.9
    cents = 1200 * np.abs(np.log2(found[both] / wanted[both]))
    assert np.median(cents) < 10
    assert np.mean(cents < 50) > 0.85


def test_the_loudness_is_kept(melody, played):
    audio, latency = played
    asked = loudness(melody[: len(audio) - latency], RATE)
    heard = loudness(audio[latency:], RATE)
    assert np.median(np.abs(heard - asked)[asked > -40]) < 2


@pytest.mark.parametrize("size", [64, 512, 1000])
def test_blocks_of_any_size_give_the_same_sound(model, melody, played, size):
    stream, audio = live_stream(model), torch.from_numpy(melody[:30_000])[None]
    with torch.inference_mode():
        late = torch.cat([stream(block) for block in audio.split(size, 1)], 1)[0].numpy()
    assert np.abs(late - played[0][:30_000]).max() < 1e-4


def test_scripted_is_the_same_sound(model, melody, played):
    stream, audio = scripted(live_stream(model), torch.zeros(1, 512)), torch.from_numpy(melody)[None]
    with torch.inference_mode():
        late = torch.cat([stream(block) for block in audio.split(512, 1)], 1)[0].numpy()
    assert np.abs(late - played[0]).max() < 1e-4


def test_octaves_move_the_melody(model, melody):
    stream = live_stream(model, octaves=1)
    with torch.inference_mode():
        audio = stream(torch.from_numpy(melody)[None])[0].numpy()[stream.latency :]
    found, _, heard = tracker.track(audio, RATE)
    assert np.median(found[heard]) == pytest.approx(2 * 392, rel=0.2)
    assert np.median(np.abs(1200 * np.log2(found[heard][:40] / 660))) < 20


def test_silence_stays_silent(model):
    stream = live_stream(model)
    with torch.inference_mode():
        assert stream(torch.zeros(1, 20_000)).abs().max() < 1e-4
