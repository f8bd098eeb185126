"""Work of a block against its duration."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass

import numpy as np

from vqsynth.live.engine import Engine
from vqsynth.live.messages import read
from vqsynth.live.models.voice import Voice

RATE = 44_100
SETTLE_SECONDS = 1.0


@dataclass(frozen=True)
class Load:
    """Shares of one core, 1 being all of it.

    Attributes:
        mean: over all blocks.
        p99: of the work gathered over 2,048 samples, in which every model works at least once.
        p999: likewise.
        worst: likewise.
        processor: mean of what the process itself worked, without the time that others held the core.
        longest_ms: longest work on one block.
    """

    mean: float
    p99: float
    p999: float
    worst: float
    processor: float
    longest_ms: float


def measure(voice: Voice, block: int, seconds: float) -> Load:
    """Time an engine in blocks; it plays a glide with vibrato, or notes where it hears nothing."""
    voice.reset()
    engine = Engine(voice)
    times = np.arange(4 * RATE) / RATE
    sound = 0.2 * np.sin(2 * np.pi * np.cumsum(220 * 2 ** (times / 4 + 0.02 * np.sin(30 * times))) / RATE)
    audio = (sound + 0.003 * np.random.default_rng(0).standard_normal(len(times))).astype(np.float32)
    pieces = [audio[start : start + block] for start in range(0, len(audio) - block, block)]
    count, settle = round(seconds * RATE / block), round(SETTLE_SECONDS * RATE / block)
    spent = np.zeros((count, 2))
    gc.collect()
    for index in range(-settle, count):
        if not voice.hears and index % max(1, RATE // (2 * block)) == 0:
            for said in (read("/note", ["off"]), read("/note", [60 + index % 12, 0.8])):
                engine.post(said)
            engine.post(read("/descriptor/centroid", [1500.0 + index % 900]))
        piece = pieces[index % len(pieces)]
        began, worked = time.perf_counter(), time.thread_time()
        engine.process(piece)
        if index >= 0:
            spent[index] = time.perf_counter() - began, time.thread_time() - worked
    together = max(1, 2048 // block)
    gathered = spent[: len(spent) // together * together, 0].reshape(-1, together).sum(1) * RATE / (together * block)
    shares = spent.sum(0) * RATE / (count * block)
    return Load(
        float(shares[0]),
        float(np.percentile(gathered, 99)),
        float(np.percentile(gathered, 99.9)),
        float(gathered.max()),
        float(shares[1]),
        1000 * float(spent[:, 0].max()),
    )
