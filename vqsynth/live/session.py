"""Everything of a live session together: engine, worker, device, OSC, MIDI, recording, and what it all says."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vqsynth.errors import UsageError, VqsynthError, warn
from vqsynth.live.engine import Engine
from vqsynth.live.gauge import reached
from vqsynth.live.messages import Message
from vqsynth.live.models.voice import Voice, load_voice
from vqsynth.live.ports.osc import LOOPBACK, PORT, Answer, OscPort, Target, parse_target
from vqsynth.live.ports.urgent import urgent
from vqsynth.live.recorder import Recorder
from vqsynth.live.worker import Worker

if TYPE_CHECKING:
    from vqsynth.live.ports.midi_port import MidiPort

REPORT_SECONDS = 0.05
RETRY_SECONDS = 1.0
CLOCK = "none"
"""As output: a clock in place of a device."""


@dataclasses.dataclass(frozen=True)
class LiveSettings:
    """How a session runs.

    Attributes:
        output: device, by number or a part of its name; None is the system's, ``none`` a clock without sound.
        input: likewise; ``none`` or ``hears`` false: no input.
        hears: whether the model plays what it hears.
        block: samples of the device's blocks.
        buffer: samples between worker and device; None finds enough.
        rate: of the device, Hz; None takes the model's where the device can.
        osc_port: None for no OSC.
        osc_host: address that OSC listens at.
        osc_out: ``HOST:PORT`` that descriptors and meters are sent to, 20 times a second.
        midi_in: part of the name of a MIDI input; None for none.
        midi_out: likewise, for descriptors as controllers.
        midi_map: file of the controllers' mapping.
        mpe: every note has a channel of its own.
        record: WAV that the session is kept in.
        seed: of all noise.
        fast: of timbres that play what they hear: with a third of the delay, coarser.
    """

    output: str | None = None
    input: str | None = None
    hears: bool = True
    block: int = 256
    buffer: int | None = None
    rate: int | None = None
    osc_port: int | None = PORT
    osc_host: str = LOOPBACK
    osc_out: str | None = None
    midi_in: str | None = None
    midi_out: str | None = None
    midi_map: str | Path | None = None
    mpe: bool = False
    record: str | Path | None = None
    seed: int = 0
    fast: bool = False


@dataclasses.dataclass
class Status:
    """What a meter shows.

    Attributes:
        model: its name.
        device: its name.
        seconds: since the beginning.
        peak_db: highest peak since the last look.
        load: share of one core.
        delay_ms: from input to output, with what the driver states.
        xruns: late or lost blocks, the driver's among them.
        refused: messages that were wrong, unknown, or too many.
        asked: descriptors asked for.
        measured: descriptors of the output.
        reached: of those asked for, which are there.
        notice: the latest trouble.
    """

    model: str
    device: str
    seconds: float
    peak_db: float
    load: float
    delay_ms: float
    xruns: int
    refused: int
    asked: dict[str, float]
    measured: dict[str, float]
    reached: dict[str, bool]
    notice: str


class Session:
    """A session; a context manager that opens and closes all of it.

    Args:
        name: of the model.
        settings: of the session.

    Raises:
        UsageError: a setting makes no sense.
        VqsynthError: a device, a port or a file cannot be had.
    """

    def __init__(self, name: str, settings: LiveSettings = LiveSettings()) -> None:
        if not 16 <= settings.block <= 8192:
            raise UsageError("give 16 to 8192 samples", field="block", value=settings.block)
        if settings.buffer is not None and not 0 <= settings.buffer <= 65_536:
            raise UsageError("give 0 to 65536 samples", field="buffer", value=settings.buffer)
        if settings.rate is not None and not 8000 <= settings.rate <= 192_000:
            raise UsageError("give 8000 to 192000 Hz", field="rate", value=settings.rate)
        self.settings = settings
        self.hears = settings.hears and settings.input != CLOCK
        self._target: Target | None = None if settings.osc_out is None else parse_target(settings.osc_out)
        self.measured: dict[str, float] = {}
        self.device: Any = None
        self.osc: OscPort | None = None
        self.midi: MidiPort | None = None
        self._stack = contextlib.ExitStack()
        self._running = True
        self._lost: float | None = None
        self._tried = 0.0

        def load(name: str) -> Voice:
            return load_voice(name, self.hears, settings.seed, settings.fast)

        voice = load(name)
        rate = self._rate(voice.sample_rate)
        self.engine = Engine(voice, load, settings.seed, True)
        self.worker = Worker(self.engine, settings.block, rate, settings.buffer)

    def __enter__(self) -> Session:
        settings, stack = self.settings, self._stack
        with contextlib.ExitStack() as opened:
            opened.enter_context(urgent())
            if settings.record is not None:
                recorder = Recorder(self.engine, settings.record, settings.fast)
                opened.callback(recorder.close)
                self.worker.listener = recorder.take
            if settings.osc_port is not None:
                self.osc = OscPort(self.take, self.state, settings.osc_port, settings.osc_host)
                opened.callback(self.osc.close)
                if settings.osc_host != LOOPBACK:
                    warn(f"OSC is open to the network at {self.osc.address[0]}: whoever reaches it can play")
            if settings.midi_in is not None or settings.midi_out is not None:
                from vqsynth.live.ports.midi_port import MidiPort

                self.midi = MidiPort(self.take, settings.midi_in, settings.midi_out, settings.midi_map, settings.mpe)
                opened.callback(self.midi.close)
            self.worker.start()
            opened.callback(self.worker.stop)
            self.device = self._open()
            opened.callback(lambda: self.device and self.device.close())
            reporter = threading.Thread(target=self._report, daemon=True, name="vqsynth-report")
            reporter.start()
            opened.callback(reporter.join)
            opened.callback(setattr, self, "_running", False)
            stack.push(opened.pop_all())
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def take(self, message: Message, when: float | None = None) -> None:
        """Do what a message says, from any thread."""
        if message.address == "/learn":
            if self.midi is None:
                self.engine.notices.append("there is no MIDI input to learn from")
            else:
                self.midi.player.learn(message)
        else:
            self.worker.post(message, when)

    def watch(self) -> None:
        """Look after the device, a few times a second: one that is gone is tried again every second."""
        if self.device is not None and self.device.alive:
            return
        now = time.monotonic()
        if self._lost is None:
            self._lost = now
            name = self.device.name if self.device is not None else "the device"
            self.engine.notices.append(f"{name} is gone; trying again every second")
        if now - self._tried < RETRY_SECONDS:
            return
        self._tried = now
        from vqsynth.live.ports.device import look_again

        try:
            device, self.device = self.device, None
            if device is not None and not device.close():
                self._tried = math.inf
                self.engine.notices.append(f"the driver of {device.name} does not let go; end this and start it again")
                return
            look_again()
            self.device = self._open()
        except VqsynthError:
            return
        self.engine.notices.append(f"{self.device.name} is back after {now - self._lost:.0f} s")
        self._lost = None

    def _rate(self, own: int) -> int:
        settings = self.settings
        if settings.output == CLOCK:
            return settings.rate or own
        from vqsynth.live.ports.device import rate_for

        rate = rate_for(settings.output, settings.input, self.hears, settings.rate or own)
        if rate != own:
            warn(f"the device runs at {rate} Hz, the model at {own} Hz; sound is resampled between them")
        return rate

    def _open(self) -> Any:
        settings, worker = self.settings, self.worker
        if settings.output == CLOCK:
            from vqsynth.live.ports.clock import ClockDevice

            return ClockDevice(worker.exchange, settings.block, worker.rate)
        from vqsynth.live.ports.device import SoundDevice

        def xrun() -> None:
            worker.told_xruns += 1

        return SoundDevice(
            worker.exchange, settings.block, worker.rate, settings.output, settings.input, self.hears, xrun
        )

    @property
    def delay_ms(self) -> float:
        """From input to output, with what the driver states."""
        hardware = self.device.hardware if self.device is not None else 0
        return 1000 * (self.worker.latency + hardware) / self.worker.rate

    def status(self) -> Status:
        """What a meter shows now."""
        engine, worker, osc = self.engine, self.worker, self.osc
        refused = engine.refused + (osc.refused + osc.malformed + osc.flooded + osc.foreign if osc else 0)
        asked = engine.asked()
        return Status(
            engine.voice.name,
            "gone" if self.device is None else self.device.name,
            engine.position / engine.sample_rate,
            20 * float(np.log10(max(engine.gauge.take_peak(), 1e-6))),
            worker.load,
            self.delay_ms,
            worker.xruns + worker.told_xruns,
            refused,
            asked,
            self.measured,
            reached(asked, self.measured),
            engine.notices[-1] if engine.notices else "",
        )

    def meters(self) -> list[Answer]:
        """What is sent 20 times a second: descriptors, whether they are reached, and how the machine does."""
        asked, measured = self.engine.asked(), self.measured
        answers: list[Answer] = [(f"/measured/{name}", [value]) for name, value in measured.items()]
        answers += [(f"/reached/{name}", [int(there)]) for name, there in reached(asked, measured).items()]
        xruns = self.worker.xruns + self.worker.told_xruns
        return [*answers, ("/load", [self.worker.load]), ("/xruns", [xruns]), ("/delay", [self.delay_ms])]

    def state(self) -> list[Answer]:
        """Every control and meter, as ``/state`` answers it."""
        engine, osc = self.engine, self.osc
        answers: list[Answer] = [("/model", [engine.voice.name])]
        for message in engine.controls.messages():
            address = message.address if message.part is None else f"{message.address}/{message.part}"
            answers.append((address, list(message.values)))
        if osc is not None:
            answers.append(("/osc", [osc.received, osc.refused, osc.malformed, osc.flooded, osc.foreign]))
        notices = [("/notice", [notice]) for notice in list(engine.notices)[-3:]]
        return [*answers, *self.meters(), *notices, ("/state/end", [])]

    def _report(self) -> None:
        while self._running:
            time.sleep(REPORT_SECONDS)
            self.measured = self.engine.gauge.read()
            if self._target is not None and self.osc is not None:
                self.osc.send(self.meters(), self._target)
            if self.midi is not None:
                self.midi.show(self.measured)
