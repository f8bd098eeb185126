"""The engine: sound and messages in, sound out, in blocks of any size; the same with a device and without one."""

from __future__ import annotations

import dataclasses
import heapq
import itertools
import math
import threading
from collections import deque
from collections.abc import Callable

import numpy as np
import torch

from vqsynth.errors import VqsynthError
from vqsynth.live.controls import Controls
from vqsynth.live.gauge import Gauge, reached
from vqsynth.live.loop import Loop
from vqsynth.live.messages import Message
from vqsynth.live.models.voice import Voice
from vqsynth.streaming.limiter import Limiter
from vqsynth.streaming.module import scripted

FADE = 2048
"""Samples in which one model takes over from another."""
GLIDE = 256
"""Samples in which the gain moves."""
LOUDEST_INPUT = 4.0
MOST_WAITING = 4096
"""Messages that may wait; more are dropped and counted."""
CEILING_DB = -0.5


@dataclasses.dataclass
class Part:
    """A voice that takes over.

    Attributes:
        voice: the model.
        loop: its feedback.
        place: samples of the fade that are over; below 0 its sound has not come yet.
    """

    voice: Voice
    loop: Loop
    place: int = 0


class Notices(deque[str]):
    """The latest lines of trouble for people.

    Attributes:
        total: how many there were in all.
    """

    def __init__(self) -> None:
        super().__init__(maxlen=20)
        self.total = 0

    def append(self, text: str) -> None:
        """Add a line."""
        self.total += 1
        super().append(text)


class Engine:
    """A voice, its feedback, a gain and a limiter, played by messages.

    Blocks of any sizes give the same sound; a message takes effect at its own sample. One thread calls
    :meth:`process`; any thread may :meth:`post`.

    Args:
        voice: that plays first.
        load: gives the voice of a name, for ``/model``; None: it cannot be changed.
        seed: of the noise of the loop.
        background: load in a thread of its own, as a device needs it; else the sound waits.

    Attributes:
        position: samples processed.
        controls: as they stand.
        gauge: of the output.
        refused: messages dropped because too many were waiting, or because the voice cannot do them.
        faults: blocks that a voice could not play.
        notices: what went wrong, for people; the newest last.
        applied: called with position and message when a message takes effect.
    """

    def __init__(
        self, voice: Voice, load: Callable[[str], Voice] | None = None, seed: int = 0, background: bool = False
    ) -> None:
        self.voice, self.load, self.seed, self.background = voice, load, seed, background
        self.sample_rate, self.position = voice.sample_rate, 0
        self.controls, self.gauge = Controls(), Gauge(voice.sample_rate)
        self.refused = self.faults = 0
        self.notices = Notices()
        self.applied: Callable[[int, Message], None] | None = None
        self.loop = Loop(voice, seed)
        limiter = Limiter(voice.sample_rate, 10 ** (CEILING_DB / 20))
        self.limiter = scripted(limiter, torch.zeros(1, 512, dtype=torch.float64))
        self.limiter_latency = limiter.latency
        self._inbox: deque[tuple[int | None, Message | Part]] = deque()
        self._due: list[tuple[int, int, Message | Part]] = []
        self._order = itertools.count()
        self._gain, self._from, self._glide = 1.0, 1.0, GLIDE
        self._coming: Part | None = None
        self._waiting: Part | None = None

    @property
    def latency(self) -> int:
        """Samples by which the output trails the input."""
        return self.voice.latency + self.limiter_latency

    def post(self, message: Message, at: int | None = None) -> bool:
        """Have a message take effect at a sample of the stream, or at once; whether there was room for it."""
        if len(self._inbox) + len(self._due) >= MOST_WAITING:
            self.refused += 1
            return False
        self._inbox.append((at, message))
        return True

    def process(self, audio: np.ndarray) -> np.ndarray:
        """Go on by a block. Shape: [n] -> [n] float32."""
        while self._inbox:
            at, message = self._inbox.popleft()
            heapq.heappush(self._due, (self.position if at is None else at, next(self._order), message))
        audio = np.clip(np.nan_to_num(np.asarray(audio, np.float32), posinf=0, neginf=0), -LOUDEST_INPUT, LOUDEST_INPUT)
        out, start = np.zeros(len(audio), np.float32), 0
        while start < len(audio):
            while self._due and self._due[0][0] <= self.position:
                self._apply(heapq.heappop(self._due)[2])
            count = min(len(audio) - start, self.loop.room)
            if self._due:
                count = min(count, self._due[0][0] - self.position)
            out[start : start + count] = self._segment(audio[start : start + count])
            start += count
            self.position += count
        self.gauge.write(out)
        return out

    def asked(self) -> dict[str, float]:
        """Descriptors that are asked for and that the voice follows."""
        wanted = self.controls.asked() if self.controls.velocity > 0 or self.voice.hears else {}
        return {name: value for name, value in wanted.items() if name in self.voice.follows}

    def reached(self) -> dict[str, bool]:
        """Of what is asked for, what is there."""
        return reached(self.asked(), self.gauge.read())

    def _segment(self, audio: np.ndarray) -> np.ndarray:
        """Samples between two events and within a block of the loop."""
        entering = (audio + self.loop.back(len(audio))).astype(np.float32)
        made = self._play(self.voice, entering)
        if self._coming is not None:
            made = self._fade(made, entering)
        self.loop.take(made, audio, self.controls.feedback)
        heard = torch.from_numpy(made.astype(np.float64) * self._gains(len(made)))[None]
        with torch.inference_mode():
            return self.limiter(heard)[0].numpy()

    def _play(self, voice: Voice, audio: np.ndarray) -> np.ndarray:
        try:
            made = voice.push(audio, self.controls)
            if np.isfinite(made).all():
                return made
            reason = "it made values that are no numbers"
        except Exception as error:
            # Whatever a model does, the sound of the others goes on.
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        self.faults += 1
        if self.faults < 10:
            self.notices.append(f"{voice.name} could not play a block ({reason}); it begins anew")
        voice.reset()
        return np.zeros(len(audio), np.float32)

    def _fade(self, made: np.ndarray, entering: np.ndarray) -> np.ndarray:
        """The next voice takes over, after its delay, with constant power."""
        part = self._coming
        assert part is not None
        other = self._play(part.voice, entering)
        share = np.clip((part.place + np.arange(1, len(made) + 1)) / FADE, 0, 1) * (math.pi / 2)
        part.place += len(made)
        if part.place >= FADE:
            part.loop.follow(self.loop)
            self.voice, self.loop, self._coming = part.voice, part.loop, None
            if self._waiting is not None:
                self._swap(self._waiting)
        return (np.cos(share) * made + np.sin(share) * other).astype(np.float32)

    def _gains(self, count: int) -> np.ndarray:
        """Shape: -> [count]."""
        wanted = 10 ** (self.controls.gain_db / 20)
        if wanted != self._gain:
            self._from = self._from + (self._gain - self._from) * min(1.0, self._glide / GLIDE)
            self._gain, self._glide = wanted, 0
        way = np.minimum(1.0, (self._glide + np.arange(1, count + 1)) / GLIDE)
        self._glide = min(GLIDE, self._glide + count)
        return self._from + (self._gain - self._from) * way

    def _apply(self, message: Message | Part) -> None:
        if not isinstance(message, Message):
            self._swap(message)
            return
        if message.address == "/model":
            self._change(str(message.values[0]))
            return
        if message.address in ("/latent", "/scale", "/bias") and not self._has_axis(message):
            self.refused += 1
            self.notices.append(f"{self.voice.name} has no axis for {message.text()}")
            return
        if message.address == "/descriptor" and message.values and message.part not in self.voice.follows:
            self.refused += 1
            self.notices.append(f"{self.voice.name} does not follow {message.part}")
            return
        self.controls.apply(message)
        self._tell(message)

    def _tell(self, message: Message) -> None:
        if self.applied is not None:
            self.applied(self.position, message)

    def _has_axis(self, message: Message) -> bool:
        return self.voice.axes > 0 and (message.part is None or int(message.part) < self.voice.axes)

    def _change(self, name: str) -> None:
        if self.load is None:
            self.refused += 1
        elif self.background:
            threading.Thread(target=self._load, args=(name,), daemon=True, name="vqsynth-load").start()
        else:
            self._load(name)

    def _load(self, name: str) -> None:
        assert self.load is not None
        try:
            voice = self.load(name)
            if voice.sample_rate != self.sample_rate:
                raise VqsynthError(f"{name} has a rate of {voice.sample_rate} Hz, this engine {self.sample_rate} Hz")
            part = Part(voice, Loop(voice, self.seed))
        except (VqsynthError, OSError) as error:
            self.refused += 1
            self.notices.append(str(error))
            return
        if self.background:
            self._inbox.append((None, part))
        else:
            self._swap(part)

    def _swap(self, part: Part) -> None:
        if self._coming is not None:
            self._waiting = part  # of several that come during a fade, the last one
            return
        self._waiting, self._coming = None, part
        part.place = -part.voice.latency
        self._tell(Message("/model", None, (part.voice.name,)))
