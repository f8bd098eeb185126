"""MIDI ports, through mido and python-rtmidi."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from vqsynth.errors import UsageError, VqsynthError
from vqsynth.live.messages import Message
from vqsynth.live.ports.extra import need
from vqsynth.live.ports.midi_player import MidiPlayer, as_controllers, read_map


def port_names() -> tuple[list[str], list[str]]:
    """Names of MIDI inputs and outputs.

    Raises:
        VqsynthError: MIDI cannot be used here.
    """
    need("rtmidi")
    import mido

    try:
        return mido.get_input_names(), mido.get_output_names()
    except Exception as error:  # rtmidi raises its own kinds, and SystemError
        raise VqsynthError(f"MIDI is not at hand ({error}); on Linux it needs /dev/snd/seq") from error


def _find(part: str, names: list[str], field: str) -> str:
    fitting = [name for name in names if part.lower() in name.lower()]
    if not fitting:
        raise UsageError(
            f"no MIDI port has this in its name; there are: {', '.join(names) or 'none'}", field=field, value=part
        )
    return fitting[0]


class MidiPort:
    """An input that plays, and an output that shows descriptors.

    Args:
        take: called with every message for the engine.
        source: part of the input's name; None for none.
        target: part of the output's name; None for none.
        mapping: file of the controllers' mapping; one that is not there yet is made when something is learned.
        mpe: every note has a channel of its own.

    Raises:
        UsageError: there is no such port.
        VqsynthError: MIDI cannot be used here, or the mapping not be read.
    """

    def __init__(
        self,
        take: Callable[[Message], object],
        source: str | None,
        target: str | None,
        mapping: str | Path | None = None,
        mpe: bool = False,
    ) -> None:
        known = read_map(mapping) if mapping is not None and Path(mapping).exists() else None
        self.player = MidiPlayer(known, mpe, mapping)
        self._take, self._shown = take, {}  # type: ignore[var-annotated]
        inputs, outputs = port_names()
        import mido

        self._in: Any = None
        self._out: Any = None
        try:
            if source is not None:
                self._in = mido.open_input(_find(source, inputs, "midi_in"), callback=self._hear)
            if target is not None:
                self._out = mido.open_output(_find(target, outputs, "midi_out"))
        except OSError as error:
            raise VqsynthError(f"a MIDI port could not be opened ({error}); is another program using it?") from error

    def _hear(self, message: Any) -> None:
        for said in self.player.hear(message):
            self._take(said)

    def show(self, measured: dict[str, float]) -> None:
        """Send measured descriptors as controllers, those that changed."""
        if self._out is None:
            return
        import mido

        for number, value in as_controllers(measured).items():
            if self._shown.get(number) != value:
                self._shown[number] = value
                self._out.send(mido.Message("control_change", control=number, value=value))

    def close(self) -> None:
        """Give the ports back."""
        for port in (self._in, self._out):
            if port is not None:
                port.close()
