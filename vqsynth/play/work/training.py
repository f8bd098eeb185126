"""Training from the page: files, the check's report, a run in a process of its own that can be stopped and goes on."""

from __future__ import annotations

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

from pydantic import Field

from vqsynth.corpus.check import LEFT_OUT
from vqsynth.corpus.check import check as check_corpus
from vqsynth.play.answers import Body, Refused, clean, plain
from vqsynth.play.jobs import Tell
from vqsynth.play.sounds import check_header

SET_BYTES, SET_SECONDS, SET_FILES = 2 << 30, 3 * 3600.0, 2000
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
HOMES = {"wavae": Path("codebooks/wavae"), "timbre": Path("codebooks")}
"""Where the commands put what they train, and look for it."""
_LINES = 50


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
        folder: for the files.
        changed: called when something has moved.
        made: told kind and name of a finished model.
    """

    def __init__(
        self, session: str, folder: Path, changed: Callable[[Training], None], made: Callable[[str], None]
    ) -> None:
        self.id, self.session = secrets.token_urlsafe(12), session
        self.recordings = folder / "recordings"
        self.recordings.mkdir(parents=True)
        self.names: dict[str, str] = {}
        self.state, self.phase, self.step = "new", "", 0
        self.share: float | None = None
        self.losses: dict[str, float] = {}
        self.lines: list[str] = []
        self.error: dict[str, str] | None = None
        self.asked: Start | None = None
        self._changed, self._made = changed, made
        self._process: Any = None
        self._seconds, self._bytes = 0.0, 0
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
                "losses": self.losses,
                "lines": self.lines[-_LINES:],
                "previews": sorted(self._previews()),
                "model": self.asked.name if self.asked is not None and self.state == "done" else None,
                "error": self.error,
            }
        )

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
        """The corpus check's report of every file.

        Raises:
            VqsynthError: there is no audio.
        """
        reports = check_corpus(self.recordings, progress=lambda done, total: tell("checking", done / total))
        rows = []
        for report in reports:
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
        return {"files": rows, "seconds": sum(r.seconds for r in reports if r.decision != LEFT_OUT)}

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
        self.asked = asked
        self._run(False, False)

    def go_on(self, finish: bool) -> None:
        """Go on after a stop, or build from what there is.

        Raises:
            Refused: there is nothing to go on with.
        """
        if self.asked is None or self.state not in ("stopped", "failed"):
            raise Refused(400, "there is no stopped training here")
        self._run(not finish, finish)

    def stop(self) -> None:
        """Ask the run to keep its checkpoint and end."""
        process = self._process
        if self.state == "running" and process is not None and process.is_alive():
            os.kill(process.pid, signal.SIGINT)

    def preview(self, number: int) -> Path:
        """The file of a preview.

        Raises:
            Refused: 404.
        """
        found = self._previews().get(number)
        if found is None:
            raise Refused(404, "there is no such preview yet")
        return found

    def close(self) -> None:
        """End a run for good."""
        process = self._process
        if process is not None and process.is_alive():
            process.terminate()

    @property
    def folder(self) -> Path | None:
        """Of the model."""
        return None if self.asked is None else HOMES[self.asked.model] / self.asked.name

    def _previews(self) -> dict[int, Path]:
        folder = self.folder
        files = [] if folder is None else sorted((folder / "training" / "previews").glob("*.wav"))
        return dict(enumerate(files, 1))

    def _run(self, resume: bool, finish: bool) -> None:
        context = multiprocessing.get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        assert self.asked is not None
        arguments = (sender, str(self.recordings), str(self.folder), self.asked.model_dump(), resume, finish)
        self._process = context.Process(target=run, args=arguments, daemon=True)
        self.state, self.error, self.phase = "running", None, "starting"
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
            if kind == "end":
                ended, self.error = value
            elif kind == "phase":
                self.phase, self.share = value
            elif kind == "step":
                self.step, self.share, self.phase, self.losses = value
            else:
                self.lines.append(plain(value))
            if time.monotonic() - told > 0.2 or kind == "end":
                told = time.monotonic()
                self._changed(self)
        process.join()
        self.state = ended
        if ended == "failed" and self.error is None:
            self.error = {"error": "the training ended unexpectedly; resume goes on from its last checkpoint"}
        if ended == "done" and self.asked is not None:
            self._made(self.asked.name)
        self._changed(self)


def installed(model: str) -> dict[str, Path]:
    """Models of a kind."""
    from vqsynth.interface.timbre import Timbre
    from vqsynth.wavae.domain import Domain

    return Domain.installed() if model == "wavae" else Timbre.installed()


class _Sends:
    """A reporter that sends what it hears through a pipe."""

    def __init__(self, sender: Any) -> None:
        self._send, self._told = sender.send, 0.0

    def phase(self, text: str, share: float | None) -> None:
        self._send(("phase", (text, share)))

    def step(self, step: Any) -> None:
        if time.monotonic() - self._told > 0.25:
            self._told = time.monotonic()
            losses = {name: float(value) for name, value in step.losses.items()}
            self._send(("step", (step.number, float(step.share), str(step.state.get("phase", "training")), losses)))

    def say(self, text: str) -> None:
        self._send(("say", text))


def run(sender: Any, recordings: str, folder: str, asked: dict[str, Any], resume: bool, finish: bool) -> None:
    """A training in a process of its own: the same calls as those of the commands."""
    from vqsynth.play.answers import described
    from vqsynth.training.trainer import Interrupted

    end: tuple[str, dict[str, str] | None] = ("done", None)
    again = resume or finish
    start = None if again else asked["start_from"]
    try:
        if asked["model"] == "wavae":
            from vqsynth.wavae.training.settings import WavaeSettings
            from vqsynth.wavae.training.train import train_domain

            settings = None if again else WavaeSettings(seconds=asked["seconds"], seed=asked["seed"])
            train_domain(recordings, folder, None, settings, "auto", resume, finish, False, "", _Sends(sender), start)
        else:
            from vqsynth.library.train import train_timbre
            from vqsynth.vqvae.training.settings import VqvaeSettings

            own = None if again else VqvaeSettings(seconds=asked["seconds"], seed=asked["seed"])
            train_timbre(recordings, folder, None, own, "auto", resume, finish, False, "", _Sends(sender), start)
    except (Interrupted, KeyboardInterrupt):
        end = ("stopped", None)
    except Exception as error:
        end = ("failed", described(error)[1])
    sender.send(("end", end))
    sender.close()
