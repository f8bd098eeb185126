"""All that can be set while an engine runs, as it stands now."""

from __future__ import annotations

import math
from typing import cast

from vqsynth.dsp.loudness import UNIT_LUFS
from vqsynth.dsp.notes import midi_to_hz
from vqsynth.live.messages import Message

FULL_VELOCITY = 100 / 127
"""Velocity of a note that has the usual loudness, -20 LUFS."""
DRONE = 0.6
"""Velocity of what plays without a note."""
MOST_HELD = 32
FEEDBACK = (800.0, 5.0, 0.0)


class Controls:
    """What was said so far, message by message.

    A note sounds until it is ended; of several the last one does. Where none was ever played, a descriptor that is
    asked for starts a drone.

    Attributes:
        changes: grows with every change.
        descriptors: values asked for, in their units.
        held: notes that are held, the last one last: MIDI number and velocity.
        latents: axes that are held, in deviations.
        scale: factor of every axis, and of some.
        bias: likewise, in deviations.
        feedback: band in Hz, Q, gain of a pass.
    """

    def __init__(self) -> None:
        self.changes = 0
        self.reset()

    def reset(self) -> None:
        """All as at the start."""
        self.changes += 1
        self.descriptors: dict[str, float] = {}
        self.held: list[tuple[float, float]] = []
        self.played = self.stopped = False
        self.bend, self.gain_db, self.life = 0.0, 0.0, 1.0
        self.latents: dict[int, float] = {}
        self.scale: tuple[float, dict[int, float]] = (1.0, {})
        self.bias: tuple[float, dict[int, float]] = (0.0, {})
        self.feedback = FEEDBACK

    @property
    def pitch(self) -> float | None:
        """Hz that are asked for, or None."""
        if self.held:
            return midi_to_hz(self.held[-1][0] + self.bend)
        asked = self.descriptors.get("f0")
        return None if asked is None else asked * 2 ** (self.bend / 12)

    @property
    def velocity(self) -> float:
        """Of the note that sounds, or of the drone; 0 where there is neither."""
        if self.held:
            return self.held[-1][1]
        drones = bool(self.descriptors or self.latents) and not (self.played or self.stopped)
        return DRONE if drones else 0.0

    @property
    def loudness(self) -> float | None:
        """LUFS that are asked for, or None: as a descriptor, else by a note's velocity (40 log10)."""
        asked = self.descriptors.get("loudness")
        return _loudness_of(self.held[-1][1]) if asked is None and self.held else asked

    @property
    def alone(self) -> float | None:
        """LUFS of a voice that hears nothing, or None: it is silent."""
        if self.velocity == 0:
            return None
        return _loudness_of(self.velocity) if self.loudness is None else self.loudness

    def asked(self) -> dict[str, float]:
        """Descriptors that a listener should measure now, by name."""
        wanted = dict(self.descriptors)
        wanted.pop("loudness", None)
        if self.pitch is not None:
            wanted["f0"] = self.pitch
        if self.loudness is not None:
            wanted["loudness"] = self.loudness + self.gain_db
        return wanted

    def apply(self, message: Message) -> None:
        """Do what a message says."""
        self.changes += 1
        getattr(self, f"_{message.address[1:]}", self._ignore)(message)

    def _ignore(self, message: Message) -> None:
        pass

    def _descriptor(self, message: Message) -> None:
        name = str(message.part)
        self.stopped = False
        if message.values:
            self.descriptors[name] = cast(float, message.values[0])
        else:
            self.descriptors.pop(name, None)

    def _note(self, message: Message) -> None:
        self.played = True
        if message.values == ("off",):
            self.held.clear()
            return
        note, velocity = cast(tuple[float, float], message.values)
        self.held = [other for other in self.held if abs(other[0] - note) > 1e-6][-MOST_HELD:]
        if velocity > 0:
            self.held.append((note, velocity))

    def _stop(self, message: Message) -> None:
        self.held.clear()
        self.stopped = True

    def _bend(self, message: Message) -> None:
        self.bend = cast(float, message.values[0])

    def _gain(self, message: Message) -> None:
        self.gain_db = cast(float, message.values[0])

    def _life(self, message: Message) -> None:
        self.life = cast(float, message.values[0])

    def _latent(self, message: Message) -> None:
        axis = cast(int, message.part)
        if message.values:
            self.latents[axis] = cast(float, message.values[0])
        else:
            self.latents.pop(axis, None)

    def _scale(self, message: Message) -> None:
        self.scale = _of_axes(self.scale, message)

    def _bias(self, message: Message) -> None:
        self.bias = _of_axes(self.bias, message)

    def _feedback(self, message: Message) -> None:
        self.feedback = cast(tuple[float, float, float], message.values)

    def _reset(self, message: Message) -> None:
        self.reset()

    def messages(self) -> list[Message]:
        """Messages that lead from the start to here: what ``/state`` answers."""
        said = [Message("/gain", None, (self.gain_db,)), Message("/life", None, (self.life,))]
        said += [Message("/bend", None, (self.bend,)), Message("/feedback", None, self.feedback)]
        said += [Message("/descriptor", name, (value,)) for name, value in self.descriptors.items()]
        said += [Message("/note", None, note) for note in self.held]
        said += [Message("/latent", axis, (value,)) for axis, value in self.latents.items()]
        for address, (every, some) in (("/scale", self.scale), ("/bias", self.bias)):
            said += [Message(address, None, (every,))]
            said += [Message(address, axis, (value,)) for axis, value in some.items()]
        return said


def _loudness_of(velocity: float) -> float:
    return UNIT_LUFS + 40 * math.log10(max(velocity, 0.01) / FULL_VELOCITY)


def _of_axes(before: tuple[float, dict[int, float]], message: Message) -> tuple[float, dict[int, float]]:
    value = cast(float, message.values[0])
    if message.part is None:
        return value, {}
    return before[0], {**before[1], cast(int, message.part): value}
