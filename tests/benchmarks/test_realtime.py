"""The realtime benchmark measures what it says: on a wire whose delay and work are known."""

from __future__ import annotations

import time

import numpy as np
import pytest

from benchmarks.realtime import delay, load
from vqsynth.live.engine import Engine
from vqsynth.live.models.voice import load_voice

RATE = 44_100


class Wire:
    name, sample_rate, level, axes, hears, hop = "wire", RATE, -20.0, 0, True, 64
    follows = frozenset()

    def __init__(self, latency, seconds=0.0):
        self.latency, self.seconds = latency, seconds
        self.reset()

    def reset(self):
        self.held = np.zeros(self.latency, np.float32)

    def push(self, audio, controls):
        time.sleep(self.seconds)
        self.held = np.concatenate([self.held, audio])
        out, self.held = self.held[: len(audio)], self.held[len(audio) :]
        return out


def test_clicks_and_pitch_steps_find_a_known_delay():
    wire = Wire(700)
    late = Engine(wire).latency
    np.testing.assert_allclose(delay.clicks(wire), late, atol=2)
    np.testing.assert_allclose(delay.pitch_steps(wire), late, atol=3)


def test_half_of_a_level_is_found():
    sound = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE) * np.clip((np.arange(RATE) - 10_000) / 400, 0, 1)
    assert delay.half(sound, 9000) == pytest.approx(1200, abs=40)


def test_notes_come_within_twenty_milliseconds_and_keep_their_distance():
    found = delay.notes(load_voice("violin", False))
    assert 1000 * found.mean() / RATE < 20 and 1000 * found.std() / RATE < 1


def test_work_is_measured():
    found = load.measure(Wire(100, 0.004), 512, 1.0)
    assert 0.3 < found.mean < 0.9 and found.mean <= found.p99 <= found.worst
    assert found.processor < 0.2 and found.longest_ms > 4
