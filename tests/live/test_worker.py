"""The engine behind rings: the same sound at the device's pace, delays as stated, and what was kept plays again."""

from __future__ import annotations

import time

import numpy as np
import pytest
import soundfile

from vqsynth.live.engine import Engine
from vqsynth.live.messages import read
from vqsynth.live.offline import play_file
from vqsynth.live.ports.clock import ClockDevice
from vqsynth.live.ports.resampler import Resampler
from vqsynth.live.recorder import Recorder
from vqsynth.live.worker import Worker

RATE = 44_100


def pull(worker, audio, block, patient=True):
    """What a device hears; a patient one waits until the worker is done with what it gave."""
    parts = []
    for start in range(0, len(audio), block):
        out = np.zeros(block, np.float32)
        worker.exchange(audio[start : start + block], out)
        parts.append(out)
        end = time.monotonic() + 5
        while patient and len(worker._in) >= block and time.monotonic() < end:
            time.sleep(0.0002)
        while patient and len(worker._out) < min(worker.buffer, block) and time.monotonic() < end:
            time.sleep(0.0002)
    return np.concatenate(parts)


@pytest.fixture
def started():
    running = []

    def start(*arguments, **options):
        worker = Worker(*arguments, **options)
        running.append(worker)
        worker.start()
        return worker

    yield start
    for worker in running:
        worker.stop()


@pytest.mark.parametrize("block", [64, 333, 1024])
def test_the_delay_is_what_is_stated(wire, started, block):
    worker = started(Engine(wire(100)), block, buffer=block)
    audio = np.zeros(40 * block, np.float32)
    audio[5 * block + 17] = 0.5
    made = pull(worker, audio, block)
    assert np.flatnonzero(np.abs(made) > 0.01).tolist() == [5 * block + 17 + worker.latency - block]
    assert worker.xruns == 0


@pytest.mark.parametrize("rate", [48_000, 96_000, 32_000])
def test_a_device_of_another_rate_is_resampled(wire, started, rate):
    block = 256
    worker = started(Engine(wire(100)), block, rate, buffer=block)
    time_ = np.arange(rate // 2) / rate
    audio = (0.3 * np.sin(2 * np.pi * 1000 * time_)).astype(np.float32)
    audio = audio[: len(audio) // block * block]
    made = pull(worker, audio, block)
    late = worker.latency - block
    settled = made[late + 400 : -block]
    best = min(
        np.abs(settled - 0.3 * np.sin(2 * np.pi * 1000 * (np.arange(400, 400 + len(settled)) + shift) / rate)).max()
        for shift in np.arange(-3, 3, 0.02)
    )
    assert worker.xruns == 0 and best < 1e-3


def test_a_resampled_sine_is_a_sine_whatever_the_blocks():
    for come, go in ((48_000, 44_100), (44_100, 48_000), (44_100, 96_000), (96_000, 44_100)):
        audio = np.sin(2 * np.pi * 5000 * np.arange(come // 2) / come).astype(np.float32)
        whole = Resampler(come, go).push(audio)
        parts = Resampler(come, go)
        np.testing.assert_array_equal(np.concatenate([parts.push(a) for a in np.array_split(audio, 97)]), whole)
        expected = np.sin(2 * np.pi * 5000 * np.arange(len(whole)) / go)
        assert np.abs(whole - expected)[200:].max() < 1e-3


def test_work_that_is_late_is_counted_and_the_delay_comes_back(wire, started):
    class Slow(wire):
        blocks = 0

        def push(self, audio, controls):
            self.blocks += 1
            if self.blocks == 5:
                time.sleep(0.15)
            return super().push(audio, controls)

    worker = started(Engine(Slow(100)), 256, buffer=256)
    audio = np.zeros(256 * 80, np.float32)
    audio[256 * 60 + 3] = 0.5
    head = pull(worker, audio[: 256 * 20], 256, patient=False)
    assert worker.xruns > 0 and np.isfinite(head).all()
    time.sleep(0.3)
    tail = pull(worker, audio[256 * 20 :], 256)
    assert np.flatnonzero(np.abs(tail) > 0.1).tolist() == [256 * 40 + 3 + worker.latency - 256]


def test_messages_take_effect_at_their_own_time(wire, started):
    """Whatever the block, the gain falls one block after the message came, within a millisecond and a half."""
    heard = []
    worker = started(Engine(wire(0)), 1024, buffer=1024)
    worker.listener = lambda came, made: heard.append(made)
    device = ClockDevice(worker.exchange, 1024, RATE, lambda number: np.full(1024, 0.25, np.float32))
    errors = []
    for number in range(6):
        time.sleep(0.1 + 0.004 * number)
        at, received = worker._clock
        sent = received + (time.perf_counter() - at) * RATE
        worker.post(read("/gain", [-100.0]))
        time.sleep(0.1)
        worker.post(read("/gain", [0.0]))
        time.sleep(0.1)
        sound = np.concatenate(heard)
        low = np.flatnonzero(sound[int(sent) - 3000 : int(sent) + 6000] < 0.125)
        errors.append((low[0] - 3000 + int(sent) - sent) / RATE * 1000 if len(low) else np.inf)
    device.close()
    # Gliding over 256 samples behind the limiter's 87 is half-way after 215.
    assert np.ptp(errors) < 1.5 and np.mean(errors) == pytest.approx(1000 * 215 / RATE, abs=1.5)


def test_a_session_that_was_kept_plays_again(voice, started, tmp_path, note):
    engine = Engine(voice("strings"))
    recorder = Recorder(engine, tmp_path / "take.wav")
    worker = started(engine, 512, buffer=512)
    worker.listener = recorder.take
    first, second = note[: 512 * 40], note[512 * 40 : 512 * 110]
    pull(worker, first, 512)
    worker.post(read("/note", ["A4", 0.7]))
    worker.post(read("/latent/2", [1.5]))
    worker.post(read("/feedback", [900.0, 5.0, 0.5]))
    pull(worker, second, 512)
    worker.stop()
    recorder.close()
    script = (tmp_path / "take.txt").read_text()
    assert "/latent/2 1.5" in script and "--offline take_input.wav" in script
    play_file(
        "strings", tmp_path / "take_input.wav", tmp_path / "again.wav", tmp_path / "take.txt", bits="32f", block=100
    )
    kept, again = (soundfile.read(tmp_path / name)[0] for name in ("take.wav", "again.wav"))
    assert len(kept) == len(again) == 512 * 110 and np.abs(kept).max() > 0.05
    np.testing.assert_allclose(again, kept, atol=2e-4)


def test_the_threads_are_as_they_were(wire, started):
    import sys
    import threading

    before = threading.active_count(), sys.getswitchinterval()
    worker = started(Engine(wire()), 64)
    worker.stop()
    assert (threading.active_count(), sys.getswitchinterval()) == before
