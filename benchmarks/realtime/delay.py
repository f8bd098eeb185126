"""Delay, measured on the sound: clicks and pitch steps in, notes said, at every place within a hop."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from scipy.signal import butter, hilbert, sosfiltfilt

from vqsynth.live.engine import Engine
from vqsynth.live.messages import read
from vqsynth.live.models.voice import Voice
from vqsynth.live.offline import play
from vqsynth.live.ports.clock import ClockDevice
from vqsynth.live.worker import Worker

RATE = 44_100
PLACES = 16
_SMOOTH, _EDGE = 400, 6000


def run(voice: Voice, audio: np.ndarray, events: Sequence[tuple[float, str, list[object]]] = ()) -> np.ndarray:
    """A fresh engine over a sound."""
    voice.reset()
    said = [(seconds, read(address, values)) for seconds, address, values in events]
    return np.concatenate(list(play(Engine(voice), audio, said, 256)))


def clicks(voice: Voice) -> np.ndarray:
    """Samples from a click to the middle of the energy that answers it, at several places within a hop."""
    found = []
    for place in range(PLACES):
        at = RATE // 2 + place * 2048 // PLACES
        audio = np.zeros(RATE, np.float32)
        audio[at : at + 64] = 0.5 * np.hanning(64)
        energy = run(voice, audio) ** 2
        found.append(float(energy @ np.arange(len(energy)) / max(energy.sum(), 1e-12)) - at - 31.5)
    return np.array(found)


def crossing(audio: np.ndarray, low: float, high: float) -> float:
    """Sample at which the frequency of the fundamental passes the middle of two for good."""
    band = butter(2, (low / 1.3, high * 1.3), "bandpass", fs=RATE, output="sos")
    phase = np.unwrap(np.angle(hilbert(sosfiltfilt(band, audio.astype(float)))))
    frequency = np.convolve(np.diff(phase) * RATE / (2 * np.pi), np.ones(_SMOOTH) / _SMOOTH, "same")
    inner = frequency[_EDGE:-_EDGE]
    return float(np.flatnonzero(inner < np.sqrt(low * high))[-1] + 1 + _EDGE)


def pitch_steps(voice: Voice) -> np.ndarray:
    """Samples from a step of the input's pitch, by a fourth, to that of the output's."""
    found = []
    for place in range(PLACES // 2):
        at = RATE // 2 + place * 2048 // (PLACES // 2)
        f0 = np.where(np.arange(RATE) < at, 330.0, 440.0)
        phase = 2 * np.pi * np.cumsum(f0) / RATE
        audio = (0.1 * sum(np.sin(k * phase) / k for k in range(1, 12))).astype(np.float32)
        made = run(voice, audio)
        found.append(crossing(made, 330, 440) - crossing(audio, 330, 440))
    return np.array(found)


def half(made: np.ndarray, near: int) -> float:
    """Sample, relative to ``near``, at which half of the level is there that the sound has after a fifth of a second.

    The level is that of pairs of neighbours a quarter of a period of 440 Hz apart, which needs no window.
    """
    quarter = round(RATE / 440 / 4)
    level = np.sqrt(made[:-quarter] ** 2 + made[quarter:] ** 2)
    smooth = np.convolve(level, np.ones(100) / 100, "same")
    usual = np.median(smooth[near + RATE // 5 : near + RATE // 4])
    return float(np.flatnonzero(smooth[near:] > usual / 2)[0])


def notes(voice: Voice) -> np.ndarray:
    """Samples from a note to half of its level, at every place within a hop."""
    found = []
    for place in range(PLACES):
        at = RATE // 2 + place * 1024 // PLACES + 7
        audio = np.zeros(RATE, np.float32)
        found.append(half(run(voice, audio, [(0.0, "/life", [0.0]), (at / RATE, "/note", ["A4", 0.8])]), at))
    return np.array(found)


def notes_live(voice: Voice, block: int, count: int = 20) -> np.ndarray:
    """Samples from a note that is said to half of its level at the device: the whole chain, at its real pace."""
    voice.reset()
    engine = Engine(voice)
    worker, heard = Worker(engine, block), []
    worker.start()
    worker.post(read("/life", [0.0]))
    device = ClockDevice(worker.exchange, block, RATE, sink=heard.append)
    said, random = [], np.random.default_rng(0)
    time.sleep(0.3)
    for _ in range(count):
        time.sleep(0.2 + 0.01 * random.random())
        said.append(time.perf_counter())
        worker.post(read("/note", ["A4", 0.8]))
        time.sleep(0.35)
        worker.post(read("/note", ["off"]))
        time.sleep(0.3)
    device.close()
    worker.stop()
    sound = np.concatenate(heard)
    # A block is heard in the period after the call that gave it; the clock's calls as a straight line are the time.
    number = np.arange(len(device.calls))
    period, first = np.polyfit(number, device.calls, 1)
    found = []
    for when in said:
        at = (when - first) / period * block
        found.append(half(sound, int(at)) + int(at) - at)
    return np.array(found)
