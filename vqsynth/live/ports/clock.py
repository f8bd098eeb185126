"""A device without hardware: a clock that asks for block after block, for checks, tests and measurements."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from vqsynth.live.ports.urgent import run_first

Exchange = Callable[["np.ndarray | None", np.ndarray], None]


class ClockDevice:
    """Calls for blocks at the pace of a sound device.

    Args:
        exchange: what a device calls: input [block] or None, output to be filled.
        block: samples.
        rate: Hz.
        source: gives the input of a block [block] by its number.
        sink: takes its output.

    Attributes:
        late: blocks that the clock itself called for more than a block too late; the machine was busy.
        calls: times of :func:`time.perf_counter` at which blocks were asked for.
    """

    name = "clock"
    hardware = 0

    def __init__(
        self,
        exchange: Exchange,
        block: int,
        rate: int,
        source: Callable[[int], np.ndarray] | None = None,
        sink: Callable[[np.ndarray], None] | None = None,
    ) -> None:
        self.block, self.rate, self.late, self.number = block, rate, 0, 0
        self.calls: list[float] = []
        self._exchange, self._source, self._sink = exchange, source, sink
        self._running = True
        self._thread = threading.Thread(target=self._run, daemon=True, name="vqsynth-clock")
        self._thread.start()

    def _run(self) -> None:
        run_first()
        due = time.perf_counter()
        while self._running:
            due += self.block / self.rate
            wait = due - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            elif -wait > self.block / self.rate:
                self.late += 1
            self.calls.append(time.perf_counter())
            out = np.zeros(self.block, np.float32)
            self._exchange(self._source(self.number) if self._source is not None else None, out)
            self.number += 1
            if self._sink is not None:
                self._sink(out)

    @property
    def alive(self) -> bool:
        """Whether it still asks."""
        return self._thread.is_alive()

    def close(self) -> bool:
        """Stop; always true, as it lets go."""
        self._running = False
        self._thread.join()
        return True
