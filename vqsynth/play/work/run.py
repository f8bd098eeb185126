"""A training in a process of its own, and what it sends of itself."""

from __future__ import annotations

import signal
import time
from typing import Any


class Sends:
    """A reporter that sends what it hears through a pipe.

    Args:
        sender: end of the pipe.
    """

    def __init__(self, sender: Any) -> None:
        self._send, self._told = sender.send, 0.0

    def phase(self, text: str, share: float | None) -> None:
        """A stage outside of the steps."""
        if share is None or time.monotonic() - self._told > 0.25:
            self._told = time.monotonic()
            self._send(("phase", (text, share)))

    def step(self, step: Any) -> None:
        """A training step; validations are sent whenever they come."""
        if step.validation is None and time.monotonic() - self._told < 0.25:
            return
        self._told = time.monotonic()
        losses = {name: float(value) for name, value in step.losses.items()}
        phase = str(step.state.get("phase", "training"))
        self._send(("step", (step.number, float(step.share), phase, losses, step.validation)))

    def say(self, text: str) -> None:
        """One line to keep."""
        self._send(("say", text))


def _stops_once(number: int, frame: object) -> None:
    # A second signal must not end the writing of the checkpoint.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def run(sender: Any, recordings: str, folder: str, asked: dict[str, Any], resume: bool, finish: bool) -> None:
    """Train: the same calls as those of the commands."""
    from vqsynth.play.answers import described
    from vqsynth.training.trainer import Interrupted

    end: tuple[str, dict[str, str] | None] = ("done", None)
    again = resume or finish
    start = None if again else asked["start_from"]
    try:
        signal.signal(signal.SIGINT, _stops_once)
        sender.send(("phase", ("starting", None)))
        if asked["model"] == "wavae":
            from vqsynth.wavae.training.settings import WavaeSettings
            from vqsynth.wavae.training.train import train_domain

            settings = None if again else WavaeSettings(seconds=asked["seconds"], seed=asked["seed"])
            train_domain(recordings, folder, None, settings, "auto", resume, finish, False, "", Sends(sender), start)
        else:
            from vqsynth.library.train import train_timbre
            from vqsynth.vqvae.training.settings import VqvaeSettings

            own = None if again else VqvaeSettings(seconds=asked["seconds"], seed=asked["seed"])
            train_timbre(recordings, folder, None, own, "auto", resume, finish, False, "", Sends(sender), start)
    except (Interrupted, KeyboardInterrupt):
        end = ("stopped", None)
    except Exception as error:
        end = ("failed", described(error)[1])
    sender.send(("end", end))
    sender.close()
