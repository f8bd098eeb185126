"""The engine in a thread of its own, between two rings: what a device's callback does is to copy."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections import deque
from collections.abc import Callable

import numpy as np

from vqsynth.live.engine import Engine
from vqsynth.live.messages import Message
from vqsynth.live.ports.resampler import Resampler
from vqsynth.live.ports.urgent import run_first
from vqsynth.live.ring import Ring

SWITCH = 2e-4
"""Seconds after which another thread of Python may run: a callback must not wait for the usual five milliseconds."""
HISTORY = 4096
BURST = 0.75
"""Share of a model's hop that its work, which comes all at once, may take on a busy machine."""
_FADE = 64
_SECONDS = 2.0
"""Length of the rings."""


class Worker:
    """Plays an engine at the pace of a device.

    Delay from the device's input to its output: a block that gathers, ``buffer`` that covers the work on it, and the
    engine's own. A message is dated by the clock and takes effect one block later, so a block's length adds delay and
    no jitter.

    Args:
        engine: that plays.
        block: samples of the device's blocks, at its rate.
        rate: of the device, Hz; where it is not the engine's, sound is resampled here.
        buffer: samples between the worker and the device, made whole blocks; None takes enough for the bursts of the
            voice that plays first.

    Attributes:
        xruns: blocks that were not ready in time, or could not be taken.
        told_xruns: over- and underflows that the device's driver reported.
        loads: share of its time that the work on the latest blocks took.
        urgent: whether the system runs it before other work.
        listener: called with input and output of the engine, block by block.
    """

    def __init__(self, engine: Engine, block: int, rate: int | None = None, buffer: int | None = None) -> None:
        self.engine, self.block, self.rate = engine, block, rate or engine.sample_rate
        self.ratio = engine.sample_rate / self.rate
        # In whole blocks, as they are taken: the work on a hop, or on a block, and a device that calls too soon.
        hop = engine.voice.hop / self.ratio
        enough = max(BURST * hop, 0.5 * max(hop, block) + BURST * min(block, 256))
        wanted = enough if buffer is None else buffer
        self.buffer = max(1, math.ceil(wanted / block)) * block
        size = round(_SECONDS * self.rate) + 8 * block
        self._in, self._out = Ring(size), Ring(size)
        self.xruns = self.told_xruns = 0
        self.loads: deque[float] = deque(maxlen=HISTORY)
        self.urgent = False
        self.listener: Callable[[np.ndarray, np.ndarray], None] | None = None
        self._resamplers: tuple[Resampler, Resampler] | None = None
        self._spare = 0
        if self.rate != engine.sample_rate:
            come, go = Resampler(self.rate, engine.sample_rate), Resampler(engine.sample_rate, self.rate)
            self._resamplers = come, go
            self._spare = math.ceil(come.wait / self.ratio) + go.wait
        self._clock = time.perf_counter(), 0
        self._owed, self._last = 0, 0.0
        self._position = engine.position
        self._running = False
        self._thread: threading.Thread | None = None
        self._out.write(np.zeros(self.buffer + self._spare, np.float32))

    @property
    def latency(self) -> int:
        """Samples, at the device's rate, from its input to its output, without what the hardware adds."""
        return round(self.engine.latency / self.ratio) + self.block + self.buffer + self._spare

    @property
    def load(self) -> float:
        """Share of its time that the work took lately."""
        loads = list(self.loads)[-200:]
        return float(np.mean(loads)) if loads else 0.0

    def start(self) -> None:
        """Begin to work."""
        self._running = True
        self._switch = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH)
        self._thread = threading.Thread(target=self._work, daemon=True, name="vqsynth-engine")
        self._thread.start()

    def stop(self) -> None:
        """End the work; what was taken is still played."""
        self._running = False
        if self._thread is not None:
            self._thread.join()
            sys.setswitchinterval(self._switch)
            self._thread = None

    def post(self, message: Message, when: float | None = None) -> bool:
        """Have a message take effect one block from now, or from ``when`` (of :func:`time.time`)."""
        at, received = self._clock
        ahead = 0.0 if when is None else max(0.0, when - time.time())
        passed = min(time.perf_counter() - at, 4 * self.block / self.rate) + ahead
        return self.engine.post(message, self._position + round((received + passed * self.rate) * self.ratio))

    def exchange(self, audio: np.ndarray | None, out: np.ndarray) -> None:
        """The device's callback: give what it heard, take what it plays. No lock, no model. Shape: 2 x [n]."""
        count = len(out)
        if not self._in.write(np.zeros(count, np.float32) if audio is None else audio):
            self.xruns += 1
        self._clock = time.perf_counter(), self._clock[1] + count
        if self._owed and len(self._out) >= count + self._owed:
            # What came too late is left out, so that the delay stays what it was.
            self._out.read(np.zeros(self._owed, np.float32))
            self._owed = 0
        got = self._out.read(out)
        if got < count:
            self.xruns += 1
            self._owed += count - got
            end = float(out[got - 1]) if got else self._last
            fade = np.maximum(0.0, 1 - np.arange(1, count - got + 1) / _FADE)
            out[got:] = end * fade
        self._last = float(out[-1]) if count else self._last

    def _work(self) -> None:
        self.urgent = run_first()
        pause = min(0.002, max(0.0002, self.block / self.rate / 8))
        block = np.zeros(self.block, np.float32)
        while self._running or len(self._in) >= self.block:
            if len(self._in) < self.block:
                time.sleep(pause)
                continue
            count = self._in.read(block)
            began = time.perf_counter()
            self._out.write(self._play(block[:count].copy()))
            self.loads.append((time.perf_counter() - began) * self.rate / count)

    def _play(self, audio: np.ndarray) -> np.ndarray:
        if self._resamplers is None:
            return self._process(audio)
        come, go = self._resamplers
        entering = come.push(audio)
        return go.push(self._process(entering))

    def _process(self, audio: np.ndarray) -> np.ndarray:
        made = self.engine.process(audio)
        if self.listener is not None:
            self.listener(audio, made)
        return made
