"""The engine without a device: a sound and a script in, a sound out, faster than realtime."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from vqsynth.errors import UsageError
from vqsynth.live.engine import Engine
from vqsynth.live.messages import Message
from vqsynth.live.models.voice import Voice, load_voice
from vqsynth.live.script import read_script
from vqsynth.storage.atomic import check_apart, together
from vqsynth.storage.sound_file import check_output, open_sound

BLOCK = 512
AFTER = 2.0
"""Seconds that go on after the last message, where there is no input."""
LONGEST = 6 * 3600.0


@dataclasses.dataclass
class Played:
    """What was done.

    Attributes:
        seconds: of sound.
        latency: samples by which the sound trails the input, at the end.
        sample_rate: in Hz.
        peak: highest sample.
        refused: messages that could not be done.
        faults: blocks that a model could not play.
        notices: what went wrong.
    """

    seconds: float
    latency: int
    sample_rate: int
    peak: float
    refused: int
    faults: int
    notices: list[str]


def play(
    engine: Engine, audio: np.ndarray, events: Iterable[tuple[float, Message]] = (), block: int = BLOCK
) -> Iterator[np.ndarray]:
    """Run an engine over a sound at its rate, with messages at their seconds. Shape: [samples] -> [block] each."""
    waiting = deque(sorted(events, key=lambda event: event[0]))
    for start in range(0, len(audio), block):
        while waiting and round(waiting[0][0] * engine.sample_rate) < start + block:
            seconds, message = waiting.popleft()
            engine.post(message, round(seconds * engine.sample_rate))
        yield engine.process(audio[start : start + block])


@together()
def play_file(
    name: str,
    source: str | Path | None,
    output: str | Path,
    script: str | Path | None = None,
    *,
    block: int = BLOCK,
    duration: float | None = None,
    seed: int = 0,
    bits: str = "16",
    fast: bool = False,
    progress: Callable[[str, float], None] | None = None,
) -> Played:
    """Play a sound through the engine into a file: what a device would have been given, its delay included.

    Args:
        name: of the model.
        source: a sound file; None: no input, the model is played by the script alone.
        output: WAV or FLAC.
        script: messages in time.
        block: samples of a block; any gives the same sound.
        duration: seconds; None takes the input's, or two more than the script's.
        seed: of all noise.
        bits: ``16``, ``24`` or ``32f``.
        fast: as for :func:`vqsynth.live.models.voice.load_voice`.
        progress: told what is being done and the share done.

    Raises:
        UsageError: an argument makes no sense.
        VqsynthError: a file cannot be read or written.
    """
    check_output(output, bits)
    check_apart(output, source, script)
    if not 1 <= block <= 65_536:
        raise UsageError("give 1 to 65536 samples", field="block", value=block)
    events = read_script(script) if script is not None else []
    if source is None and duration is None and not events:
        raise UsageError("without an input and a script there is nothing to play; give one, or a duration")

    def load(name: str) -> Voice:
        return load_voice(name, source is not None, seed, fast)

    voice = load(name)
    engine = Engine(voice, load, seed)
    if source is not None:
        from vqsynth.corpus.files import read_mono

        audio = read_mono(source, voice.sample_rate)
    else:
        audio = np.zeros(0, np.float32)
    seconds = duration
    if seconds is None:
        seconds = len(audio) / voice.sample_rate if source is not None else events[-1][0] + AFTER
    if not 0 < seconds <= LONGEST:
        raise UsageError(f"give above 0 to {LONGEST:g} s", field="duration", value=f"{seconds:g}")
    samples = round(seconds * voice.sample_rate)
    audio = np.pad(audio[:samples], (0, max(0, samples - len(audio))))
    with open_sound(output, voice.sample_rate, bits) as sound:
        for done in play(engine, audio, events, block):
            sound.write(done)
            if progress is not None:
                progress("playing", sound.samples / samples)
    return Played(
        samples / voice.sample_rate,
        engine.latency,
        voice.sample_rate,
        sound.peak,
        engine.refused,
        engine.faults,
        list(engine.notices),
    )
