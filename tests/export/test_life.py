"""Units under the fingers: a voice that moves as the player did, around what is asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vqsynth import descriptors
from vqsynth.descriptors import f0 as tracker
from vqsynth.dsp.loudness import loudness

RATE, FRAMES = 44_100, 44_100 / 256


@pytest.fixture
def alive(instrument):
    """The violin with all of its life."""
    assert instrument.set_life(1.0) == 0
    yield instrument
    assert instrument.set_life(0.0) == 0


def controls(seconds, centroid, pitch=440.0, velocity=1.0):
    time = np.arange(round(seconds * FRAMES)) / FRAMES
    rows = (centroid(time), 0 * time, np.full(len(time), pitch), 0 * time, np.full(len(time), velocity))
    return torch.from_numpy(np.stack(rows).astype(np.float32))[None]


def sounded(instrument, signal, size=4):
    with torch.inference_mode():
        parts = [instrument.control(part) for part in signal.split(size, 2)]
    return torch.cat(parts, 2)[0, 0].numpy()[256:]


def half_seconds(values):
    return np.convolve(values, np.ones(43) / 43, "valid")


def test_the_mean_follows_while_the_player_moves(alive):
    def curve(time):
        return 2400 * 2 ** (0.3 * np.sin(2 * np.pi * time / 4))

    audio = sounded(alive, controls(8, curve))
    found = descriptors.measure(["centroid"], audio, RATE)["centroid"].values[43:-8]
    wanted = curve((np.arange(len(found)) + 43) * 512 / RATE)
    pitch, _, heard = tracker.track(audio, RATE)
    cents = 1200 * np.log2(np.maximum(pitch[43:-8], 1.0) / 440)
    found, wanted, slow = half_seconds(found), half_seconds(wanted), half_seconds(cents)
    assert heard[43:-8].mean() > 0.98
    assert np.corrcoef(found, wanted)[0, 1] > 0.99
    assert np.mean(np.abs(found / wanted - 1)) < 0.03
    assert np.mean(np.abs(slow)) < 5
    # And it is alive: pitch and level are never still.
    assert np.std(cents) > 1
    assert 0.5 < np.std(loudness(audio, RATE)[43:-8]) < 5


def test_no_life_is_to_the_letter(instrument):
    still = sounded(instrument, controls(2, lambda t: np.full(len(t), 2400.0)))
    assert np.std(loudness(still, RATE)[20:-8]) < 0.3


@pytest.mark.parametrize("size", [1, 7])
def test_any_division_gives_the_same_sound(alive, size):
    signal = controls(2, lambda t: 2000 + 400 * t)
    whole = sounded(alive, signal, 64)
    alive.reset(1)
    assert np.abs(sounded(alive, signal, size) - whole).max() < 1e-4


def test_runs_go_on_in_a_recording(alive):
    """Most frames follow the one before, and a note begins where a note of the recordings does."""
    units = []
    hook = alive.voice.life.register_forward_hook(lambda module, given, made: units.append(made[0].numpy().copy()))
    try:
        sounded(alive, controls(4, lambda t: np.full(len(t), 2400.0)))
    finally:
        hook.remove()
    played = np.concatenate(units, 1)[0]
    assert played[0] in alive.voice.life.onsets.numpy()
    steps = np.diff(played)
    assert np.isin(steps, (0, 1)).mean() > 0.97
    # No run goes over the end of its note.
    assert (played < alive.voice.life.stop.numpy()[played]).all()


def test_scripted_and_set_from_outside(instrument, blockwise):
    compiled = torch.jit.script(instrument)
    signal = controls(1.5, lambda t: np.full(len(t), 2400.0))
    plain = blockwise(compiled.control, signal, 2)
    compiled.reset(1)
    assert compiled.set_life(0.7) == 0 and compiled.get_life()[0] == pytest.approx(0.7)
    moved = blockwise(compiled.control, signal, 2)
    assert instrument.set_life(0.7) == 0
    instrument.reset(1)
    assert np.abs(moved - blockwise(instrument.control, signal, 2)).max() < 1e-4
    assert instrument.set_life(0.0) == 0
    assert compiled.set_life(1.5) == -1
    assert np.abs(moved - plain).max() > 0.01


def test_a_timbre_without_units_has_none(violin, monkeypatch):
    from vqsynth.export.models import instrument_of

    monkeypatch.setitem(violin.__dict__, "units", None)
    instrument, _ = instrument_of(violin)
    compiled = torch.jit.script(instrument)
    assert compiled.set_life(0.5) == -1 and compiled.set_life(0.0) == 0
    with torch.inference_mode():
        assert compiled.control(controls(0.3, lambda t: np.full(len(t), 2400.0))).abs().max() > 0.05
