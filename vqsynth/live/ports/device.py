"""Sound devices by PortAudio (ALSA, JACK, CoreAudio, WASAPI, ASIO), through sounddevice."""

from __future__ import annotations

import atexit
import contextlib
import threading
import time
from typing import Any

import numpy as np

from vqsynth.errors import UsageError, VqsynthError
from vqsynth.live.ports.clock import Exchange
from vqsynth.live.ports.extra import need
from vqsynth.live.ports.urgent import run_first

SILENT_SECONDS = 1.5
"""After so long without a call a device is taken to be gone."""
CLOSE_SECONDS = 2.0


def list_devices() -> list[str]:
    """A line for every device: number, name, host, channels, rate; the defaults are marked.

    Raises:
        VqsynthError: sound devices cannot be used here.
    """
    sd = need("sounddevice")
    hosts = [host["name"] for host in sd.query_hostapis()]
    rows = []
    for number, device in enumerate(sd.query_devices()):
        mark = "".join(sign for sign, default in zip("<>", sd.default.device) if default == number)
        rows.append(
            f"{number:3d} {mark:2s} {device['name']} ({hosts[device['hostapi']]}): {device['max_input_channels']} in, "
            f"{device['max_output_channels']} out, {device['default_samplerate']:.0f} Hz"
        )
    return rows


def _named(text: str | None) -> int | str | None:
    return int(text) if text is not None and text.isdecimal() else text


def rate_for(output: str | None, source: str | None, hears: bool, wanted: int) -> int:
    """The rate that a device runs at: the wanted one where it can, else its own.

    Raises:
        UsageError: there is no such device.
        VqsynthError: sound devices cannot be used here.
    """
    sd = need("sounddevice")
    own = int(_query(sd, output, "output")["default_samplerate"])
    if hears:
        _query(sd, source, "input")
    try:
        sd.check_output_settings(_named(output), samplerate=wanted)
        if hears:
            sd.check_input_settings(_named(source), samplerate=wanted)
    except sd.PortAudioError:
        return own
    return wanted


def _query(sd: Any, name: str | None, kind: str) -> Any:
    try:
        return sd.query_devices(_named(name), kind)
    except (ValueError, sd.PortAudioError) as error:
        have = "; ".join(device["name"] for device in sd.query_devices()) or "none"
        raise UsageError(
            f"there is no such {kind} device ({str(error).splitlines()[0]}); there are: {have}",
            field=kind,
            value=name or "default",
        ) from error


class SoundDevice:
    """A stream of a device, or of two.

    Args:
        exchange: called for every block with input [n] (the mean of its first two channels) or None, and output.
        block: samples.
        rate: Hz.
        output: its number or a part of its name; None is the system's.
        source: of the input, likewise.
        hears: whether there is an input.
        xrun: called when the driver reports an over- or underflow.

    Attributes:
        name: of the output.
        hardware: samples of delay that the driver states, of input and output together.

    Raises:
        UsageError: there is no such device.
        VqsynthError: it cannot be opened.
    """

    def __init__(
        self,
        exchange: Exchange,
        block: int,
        rate: int,
        output: str | None = None,
        source: str | None = None,
        hears: bool = True,
        xrun: Any = None,
    ) -> None:
        sd = need("sounddevice")
        out = _query(sd, output, "output")
        channels = min(2, int(out["max_output_channels"]))
        self.name, self.block, self.rate = str(out["name"]), block, rate
        self._exchange, self._xrun = exchange, xrun
        self._called, self._urgent = time.monotonic(), False
        self._mono = np.zeros(block, np.float32)
        shared: dict[str, Any] = {"samplerate": rate, "blocksize": block, "dtype": "float32", "latency": "low"}
        try:
            if hears:
                heard = min(2, int(_query(sd, source, "input")["max_input_channels"]))
                devices = (_named(source), _named(output))
                self._stream = sd.Stream(device=devices, channels=(heard, channels), callback=self._both, **shared)
                self.hardware = round(sum(self._stream.latency) * rate)
            else:
                self._stream = sd.OutputStream(device=_named(output), channels=channels, callback=self._out, **shared)
                self.hardware = round(self._stream.latency * rate)
            self._stream.start()
        except (sd.PortAudioError, ValueError) as error:
            raise VqsynthError(
                f"{self.name} could not be opened at {rate} Hz ({error}); choose another device"
            ) from error

    def _both(self, indata: np.ndarray, outdata: np.ndarray, frames: int, when: Any, status: Any) -> None:
        self._call(indata.mean(1), outdata, frames, status)

    def _out(self, outdata: np.ndarray, frames: int, when: Any, status: Any) -> None:
        self._call(None, outdata, frames, status)

    def _call(self, heard: np.ndarray | None, outdata: np.ndarray, frames: int, status: Any) -> None:
        self._called = time.monotonic()
        if not self._urgent:
            self._urgent = True
            run_first()
        if status and self._xrun is not None:
            self._xrun()
        if frames != len(self._mono):
            self._mono = np.zeros(frames, np.float32)
        self._exchange(heard, self._mono)
        outdata[:] = self._mono[:, None]

    @property
    def alive(self) -> bool:
        """Whether it still asks for blocks."""
        return bool(self._stream.active) and time.monotonic() - self._called < SILENT_SECONDS

    def close(self) -> bool:
        """Stop, and give the device back; whether its driver let go of it.

        PortAudio waits for ever for a JACK server that is gone: it is left waiting, and so cannot be used again.
        """
        sd = need("sounddevice")

        def end() -> None:
            for way in (self._stream.abort, self._stream.close):
                with contextlib.suppress(sd.PortAudioError):  # it may be gone already
                    way()

        thread = threading.Thread(target=end, daemon=True, name="vqsynth-close")
        thread.start()
        thread.join(CLOSE_SECONDS)
        if thread.is_alive():
            # It would wait at the end of the program, too.
            atexit.unregister(sd._exit_handler)
        return not thread.is_alive()


def look_again() -> None:
    """Have PortAudio look for devices anew, as one came back."""
    sd = need("sounddevice")
    sd._terminate()
    sd._initialize()
