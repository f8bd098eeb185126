"""A session kept: what was heard, what was said and when, so that it can be played again offline."""

from __future__ import annotations

import contextlib
import queue
import threading
from pathlib import Path

import numpy as np

from vqsynth.live.engine import Engine
from vqsynth.live.messages import Message
from vqsynth.live.script import write_script
from vqsynth.storage.sound_file import SoundWriter, check_output, open_sound


def beside(output: Path) -> tuple[Path, Path]:
    """Names of the input's sound and of the script that go with a recording."""
    return output.with_name(f"{output.stem}_input.wav"), output.with_suffix(".txt")


class Recorder:
    """Writes OUT.wav, and beside it OUT.txt (messages) and OUT_input.wav (what came in), in a thread of its own.

    ``vqsynth live NAME --offline OUT_input.wav AGAIN.wav --osc-script OUT.txt`` gives the same sound.

    Args:
        engine: that is listened to, from its first sample on.
        output: WAV, in single precision.
        fast: whether timbres were loaded so.

    Raises:
        UsageError: the name does not end in .wav.
        VqsynthError: the files cannot be written.
    """

    def __init__(self, engine: Engine, output: str | Path, fast: bool = False) -> None:
        self.output, self.engine = Path(output), engine
        check_output(self.output, "32f")
        self.name, self.fast = engine.voice.name, fast
        self._events: list[tuple[float, Message]] = []
        self._blocks: queue.SimpleQueue[tuple[np.ndarray, np.ndarray] | None] = queue.SimpleQueue()
        self._stack = contextlib.ExitStack()
        rate = engine.sample_rate
        self._made = self._stack.enter_context(open_sound(self.output, rate, "32f"))
        self._came: SoundWriter | None = None
        if engine.voice.hears:
            self._came = self._stack.enter_context(open_sound(beside(self.output)[0], rate, "32f"))
        engine.applied = self._said
        self._thread = threading.Thread(target=self._write, daemon=True, name="vqsynth-record")
        self._thread.start()

    def take(self, came: np.ndarray, made: np.ndarray) -> None:
        """A block of the engine. Shape: 2 x [n]."""
        self._blocks.put((came, made))

    def _said(self, position: int, message: Message) -> None:
        self._events.append((position / self.engine.sample_rate, message))

    def _write(self) -> None:
        while (block := self._blocks.get()) is not None:
            if self._came is not None:
                self._came.write(block[0])
            self._made.write(block[1])

    def close(self) -> None:
        """Finish the files.

        Raises:
            VqsynthError: they could not be written.
        """
        self.engine.applied = None
        self._blocks.put(None)
        self._thread.join()
        sound, script = beside(self.output)
        source = sound.name if self._came is not None else "none"
        seconds = self._made.samples / self.engine.sample_rate
        again = (
            f"vqsynth live {self.name} --offline {source} AGAIN.wav --osc-script {script.name} "
            f"--duration {seconds:.7f} --seed {self.engine.seed} --bits 32f{' --fast' * self.fast}"
        )
        self._stack.close()
        write_script(script, self._events, [again])
