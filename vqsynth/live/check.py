"""A report of how a machine keeps up: block sizes and rates tried silently, one after the other."""

from __future__ import annotations

import dataclasses
import platform
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from vqsynth.errors import VqsynthError
from vqsynth.live.engine import Engine
from vqsynth.live.messages import read
from vqsynth.live.models.voice import Voice, load_voice
from vqsynth.live.session import CLOCK
from vqsynth.live.worker import Worker
from vqsynth.version import versions

BLOCKS = (64, 128, 256, 512, 1024)
RATES = (44_100, 48_000)
SECONDS = 10.0
SETTLE = 0.2


@dataclasses.dataclass(frozen=True)
class Checked:
    """One block size at one rate.

    Attributes:
        block: samples.
        rate: Hz.
        load: share of one core, mean.
        worst: share of a block's time that the longest work on one took.
        jitter_ms: standard deviation of the time between the device's calls.
        delay_ms: from input to output, with what the driver states.
        xruns: blocks that came too late.
        failed: why it could not be tried; else empty.
    """

    block: int
    rate: int
    load: float = 0.0
    worst: float = 0.0
    jitter_ms: float = 0.0
    delay_ms: float = 0.0
    xruns: int = 0
    failed: str = ""


def machine() -> list[str]:
    """Lines that say what machine this is."""
    return [
        f"{platform.system()} {platform.release()}, {platform.machine()}, Python {platform.python_version()}",
        ", ".join(f"{name} {version}" for name, version in versions().items()),
    ]


def check(
    name: str,
    output: str | None = None,
    source: str | None = None,
    hears: bool = True,
    fast: bool = False,
    seconds: float | None = None,
) -> Iterator[Checked]:
    """Play a model silently at every block size and rate.

    Args:
        name: of the model; it is given a tone, or a note where it hears nothing.
        output: device; ``none`` is a clock without one.
        source: device of the input.
        hears: whether the model plays what it hears.
        fast: as for :func:`vqsynth.live.models.voice.load_voice`.
        seconds: of all tries together; None: ten.

    Raises:
        UsageError: no such model or device.
        VqsynthError: the model is damaged.
    """
    voice = load_voice(name, hears, fast=fast)
    each = (SECONDS if seconds is None else seconds) / (len(BLOCKS) * len(RATES))
    for rate in RATES:
        for block in BLOCKS:
            try:
                yield _one(voice, block, rate, output, source, hears, each)
            except VqsynthError as error:
                yield Checked(block, rate, failed=str(error))


def _one(
    voice: Voice, block: int, rate: int, output: str | None, source: str | None, hears: bool, seconds: float
) -> Checked:
    voice.reset()
    engine = Engine(voice)
    if not hears:
        engine.post(read("/note", ["A4", 0.8]))
    worker = Worker(engine, block, rate)
    tone = 0.1 * np.sin(2 * np.pi * 220 * np.arange(8 * block) / rate).astype(np.float32)
    calls: list[float] = []

    def exchange(heard: np.ndarray | None, out: np.ndarray) -> None:
        calls.append(time.perf_counter())
        start = len(calls) % 7 * block
        made = np.zeros(len(out), np.float32)
        worker.exchange(tone[start : start + len(out)] if len(out) == block else None, made)
        out[:] = 0

    def xrun() -> None:
        worker.told_xruns += 1

    worker.start()
    device = None
    try:
        device = _device(exchange, block, rate, output, source, hears, xrun)
        time.sleep(SETTLE)
        worker.loads.clear()
        started, before = len(calls), worker.xruns + worker.told_xruns
        time.sleep(seconds)
        loads, late = list(worker.loads) or [0.0], worker.xruns + worker.told_xruns - before
        apart = np.diff(calls[started:])
        delay = 1000 * (worker.latency + device.hardware) / rate
    finally:
        if device is not None:
            device.close()
        worker.stop()
    jitter = 1000 * float(np.std(apart)) if len(apart) else 0.0
    return Checked(block, rate, float(np.mean(loads)), float(np.max(loads)), jitter, delay, late)


def _device(
    exchange: Callable[[np.ndarray | None, np.ndarray], None],
    block: int,
    rate: int,
    output: str | None,
    source: str | None,
    hears: bool,
    xrun: Callable[[], None],
) -> Any:
    if output == CLOCK:
        from vqsynth.live.ports.clock import ClockDevice

        return ClockDevice(exchange, block, rate)
    from vqsynth.live.ports.device import SoundDevice

    return SoundDevice(exchange, block, rate, output, source, hears and source != CLOCK, xrun)
