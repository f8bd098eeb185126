"""Training from the page: files, the check's report, a run in a process of its own that can be stopped and goes on."""

from __future__ import annotations

import io
import multiprocessing
import os
import re
import secrets
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import soundfile
from pydantic import Field

from vqsynth.corpus.check import LEFT_OUT, FileReport
from vqsynth.corpus.check import check as check_corpus
from vqsynth.corpus.files import SUFFIXES
from vqsynth.play.answers import Body, Refused, clean, plain
from vqsynth.play.jobs import Tell
from vqsynth.play.sounds import check_header
from vqsynth.play.work.run import run

SET_BYTES, SET_SECONDS, SET_FILES = 2 << 30, 3 * 3600.0, 2000
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
HOMES = {"wavae": Path("codebooks/wavae"), "timbre": Path("codebooks")}
"""Where the commands put what they train, and look for it."""
_LINES, _HISTORY = 50, 400
_END_SECONDS = 8.0
"""That a run may take to write its checkpoint when the server ends."""


class Start(Body):
    """A run."""

    name: str = Field(max_length=40)
    seconds: float = Field(default=120.0, ge=5, le=24 * 3600)
    model: Literal["wavae", "timbre"] = "wavae"
    start_from: str | None = Field(default="base", alias="from", max_length=40)
    seed: int = Field(default=0, ge=0, le=2**53)


class Training:
    """A set of files, and what is trained from them.

    Args:
        session: whose it is.
        folder: of its own, for the files.
        changed: called when something has moved.
        made: told kind and name of a finished model.
    """

    def __init__(
        self, session: str, folder: Path, changed: Callable[[Training], None], made: Callable[[str], None]
    ) -> None:
        self.id, self.session, self.home = secrets.token_urlsafe(12), session, folder
        self.recordings = folder / "recordings"
        self.recordings.mkdir(parents=True)
        self.names: dict[str, str] = {}
        self.state, self.phase, self.step = "new", "", 0
        self.share: float | None = None
        self.losses: dict[str, float] = {}
        self.history: list[tuple[float, float, str]] = []
        self.validations: list[tuple[float, float]] = []
        self.lines: list[str] = []
        self.error: dict[str, str] | None = None
        self.asked: Start | None = None
        self._changed, self._made = changed, made
        self._process: Any = None
        self._seconds, self._bytes = 0.0, 0
        self._stops = self._stepping = False
        self._lock = threading.Lock()

    @property
    def answer(self) -> dict[str, Any]:
        """As JSON."""
        return clean(
            {
                "id": self.id,
                "state": self.state,
                "phase": self.phase,
                "share": self.share,
                "step": self.step,
                "left": self._left,
                "losses": self.losses,
                "history": self.history,
                "held_out": self.validations,
                "lines": self.lines[-_LINES:],
                "previews": [
                    {"number": number, "step": int(path.stem.rpartition("_")[2])}
                    for number, path in self._previews().items()
                ],
                "files": len(self.names),
                "can_go_on": self.can_go_on,
                "name": None if self.asked is None else self.asked.name,
                "kind": None if self.asked is None else self.asked.model,
                "model": self.asked.name if self.asked is not None and self.state == "done" else None,
                "error": self.error,
            }
        )

    @property
    def can_go_on(self) -> bool:
        """Whether it has stopped, and has a checkpoint."""
        folder = self.folder
        if folder is None or self.state not in ("stopped", "failed"):
            return False
        return (folder / "training" / "checkpoint.safetensors").is_file()

    @property
    def _left(self) -> float | None:
        """Seconds of training that are left; None before the first step and after the last."""
        if self.asked is None or self.share is None or not self.step or not self._stepping:
            return None
        return self.asked.seconds * (1.0 - self.share)

    def add(self, source: Path, name: str, size: int) -> int:
        """Take a file; its name is a label. How many there are now.

        Raises:
            Refused: the set is full, or the file no sound.
        """
        if self.state == "running":
            raise Refused(400, "a training runs with this set; stop it first")
        try:
            seconds = check_header(source, SET_SECONDS).seconds
        except Refused as error:
            if error.status == 413:
                raise
            seconds = 0.0  # the check says what is wrong with it
        with self._lock:
            too_many = len(self.names) >= SET_FILES or self._bytes + size > SET_BYTES
            if too_many or self._seconds + seconds > SET_SECONDS:
                raise Refused(
                    413, f"a set may have {SET_FILES} files, {SET_BYTES >> 30} GB and 3 hours; use the command"
                )
            self._seconds, self._bytes = self._seconds + seconds, self._bytes + size
            suffix = Path(name).suffix.lower()
            stored = f"{len(self.names):05d}{suffix if re.fullmatch(r'[.][a-z0-9]{1,5}', suffix) else '.wav'}"
            self.names[stored] = name
        shutil.move(source, self.recordings / stored)
        return len(self.names)

    def check(self, tell: Tell) -> dict[str, Any]:
        """The corpus check's report of every file."""
        sounds = [name for name in self.names if Path(name).suffix in SUFFIXES]
        found: list[FileReport] = []
        if sounds:
            found = check_corpus(self.recordings, progress=lambda done, total: tell("checking", done / total))
        rows = []
        for report in found:
            reason = report.reason
            for stored, name in self.names.items():
                reason = reason.replace(stored, name)
            rows.append(
                {
                    "name": self.names.get(report.path.name, report.path.name),
                    "decision": report.decision,
                    "reason": reason,
                    "seconds": report.seconds,
                    "level": report.level,
                    "note": report.note,
                    "pitch": None if report.pitch_low is None else [report.pitch_low, report.pitch_high],
                }
            )
        others = [name for stored, name in self.names.items() if stored not in sounds]
        rows += [{"name": n, "decision": LEFT_OUT, "reason": "no sound file", "seconds": 0.0} for n in others]
        return {"files": rows, "seconds": sum(r.seconds for r in found if r.decision != LEFT_OUT)}

    def start(self, asked: Start) -> None:
        """Begin a run.

        Raises:
            Refused: a name that is none or taken, or one runs already.
        """
        if not NAME.fullmatch(asked.name):
            raise Refused(400, "a name has small letters, digits, - and _", "name", asked.name)
        if asked.name in installed(asked.model):
            raise Refused(400, "there is a model of this name; choose another", "name", asked.name)
        if asked.start_from is not None and asked.start_from not in installed(asked.model):
            raise Refused(400, "there is no model of this name to start from", "from", asked.start_from)
        if not self.names:
            raise Refused(400, "send recordings first")
        if (HOMES[asked.model] / asked.name / "training" / "checkpoint.safetensors").is_file():
            raise Refused(
                400, "an unfinished training has this name; go on with it, or choose another", "name", asked.name
            )
        self.asked = asked
        self._run(False, False)

    def go_on(self, finish: bool) -> None:
        """Go on after a stop, or build from what there is.

        Raises:
            Refused: there is nothing to go on with.
        """
        if not self.can_go_on:
            raise Refused(400, "there is no stopped training here")
        self._run(not finish, finish)

    def stopped_before(self, asked: Start) -> None:
        """Be a training of an earlier day, whose prepared recordings lie with its checkpoint."""
        self.asked, self.state, self.phase = asked, "stopped", "stopped"

    def stop(self) -> None:
        """Ask the run to keep its checkpoint and end."""
        process = self._process
        # One that has only just begun would die of the signal: it gets it with its first word.
        self._stops = True
        if self.state == "running" and self.phase and process is not None and process.is_alive():
            os.kill(process.pid, signal.SIGINT)

    def preview(self, number: int, suffix: str = ".wav") -> Path:
        """The file of a preview, ``.wav`` or ``.png``.

        Raises:
            Refused: 404.
        """
        found = self._previews().get(number)
        if found is None or not found.with_suffix(suffix).is_file():
            raise Refused(404, "there is no such preview yet")
        return found.with_suffix(suffix)

    def heard(self, number: int, part: str) -> bytes:
        """A preview as a WAV file: all of it, its ``recording``, or what the ``model`` makes of that.

        Raises:
            Refused: 404.
        """
        path = self.preview(number)
        if part not in ("recording", "model"):
            return path.read_bytes()
        audio, rate = soundfile.read(path, dtype="float32")
        # Both are as long, with a quarter of a second between.
        length = (len(audio) - rate // 4) // 2
        file = io.BytesIO()
        soundfile.write(file, audio[:length] if part == "recording" else audio[-length:], rate, "PCM_16", format="WAV")
        return file.getvalue()

    def close(self) -> None:
        """End a run; its checkpoint is kept."""
        process = self._process
        if process is None or not process.is_alive():
            return
        self.stop()
        process.join(_END_SECONDS)
        if process.is_alive():
            process.terminate()

    def forget(self) -> None:
        """End it, and remove its recordings."""
        self.close()
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def folder(self) -> Path | None:
        """Of the model."""
        return None if self.asked is None else HOMES[self.asked.model] / self.asked.name

    def _previews(self) -> dict[int, Path]:
        folder = self.folder
        files = [] if folder is None else sorted((folder / "training" / "previews").glob("step_*.wav"))
        return dict(enumerate(files, 1))

    def _run(self, resume: bool, finish: bool) -> None:
        context = multiprocessing.get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        assert self.asked is not None
        arguments = (sender, str(self.recordings), str(self.folder), self.asked.model_dump(), resume, finish)
        self._process = context.Process(target=run, args=arguments, daemon=True)
        self.state, self.error, self.phase, self._stops, self._stepping = "running", None, "", False, False
        self._process.start()
        sender.close()
        threading.Thread(target=self._listen, args=(receiver, self._process), daemon=True).start()

    def _listen(self, receiver: Any, process: Any) -> None:
        ended, told = "failed", 0.0
        while True:
            try:
                kind, value = receiver.recv()
            except (EOFError, OSError):
                break
            first, self.phase = not self.phase, self.phase or "starting"
            if first and self._stops:
                self.stop()
            if kind == "end":
                ended, self.error = value
            elif kind == "phase":
                self.phase, self.share = value
                self._stepping = False
            elif kind == "step":
                self._stepped(*value)
            else:
                self.lines.append(plain(value))
            if time.monotonic() - told > 0.2 or kind == "end":
                told = time.monotonic()
                self._changed(self)
        process.join()
        self._stepping = False
        self.state = ended
        if ended == "failed" and self.error is None:
            self.error = {"error": "the training ended unexpectedly; resume goes on from its last checkpoint"}
        if ended == "done" and self.asked is not None:
            self._made(self.asked.name)
        self._changed(self)

    def _stepped(self, step: int, share: float, phase: str, losses: dict[str, float], validation: float | None) -> None:
        self.step, self.share, self.phase, self.losses, self._stepping = step, share, phase, losses, True
        if losses:
            self.history.append((share, losses.get("total", sum(losses.values())), phase))
        if len(self.history) > _HISTORY:
            del self.history[::2]
        if validation is not None and np.isfinite(validation):
            self.validations.append((share, validation))


def installed(model: str) -> dict[str, Path]:
    """Models of a kind."""
    from vqsynth.interface.timbre import Timbre
    from vqsynth.wavae.domain import Domain

    return Domain.installed() if model == "wavae" else Timbre.installed()
