"""All sets of recordings and their trainings: whose they are, which of them runs, what was left unfinished."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from vqsynth.errors import VqsynthError
from vqsynth.library.timbre import CARD as TIMBRE_CARD
from vqsynth.play.answers import Refused
from vqsynth.play.work.training import HOMES, NAME, Start, Training
from vqsynth.storage.reading import read_toml
from vqsynth.training.prepared import is_prepared
from vqsynth.training.run_folder import RunFolder
from vqsynth.wavae.domain import CARD as WAVAE_CARD

OF_A_WINDOW, SETS = 4, 16
_CARDS = {"wavae": WAVAE_CARD, "timbre": TIMBRE_CARD}


class Sets:
    """Trainings outlive the window that began them: another one may take over what nobody watches.

    Args:
        folder: for the recordings.
        watched: whether a window is open.
        changed: called when something has moved.
        made: told the name of a finished model.
    """

    def __init__(
        self,
        folder: Path,
        watched: Callable[[str], bool],
        changed: Callable[[Training], None],
        made: Callable[[str], None],
    ) -> None:
        self.folder = folder
        self._watched, self._changed, self._made = watched, changed, made
        self._sets: dict[str, Training] = {}
        self._number = 0

    def new(self, session: str) -> Training:
        """An empty set; the oldest of too many, that does not run, goes.

        Raises:
            Refused: there are too many.
        """
        mine = [training for training in self._sets.values() if training.session == session]
        for sets, most in ((mine, OF_A_WINDOW), (list(self._sets.values()), SETS)):
            idle = [training for training in sets if training.state != "running"]
            if len(sets) >= most and not idle:
                raise Refused(429, "there are too many sets of recordings; wait for a training to end")
            if len(sets) >= most:
                self._sets.pop(idle[0].id).forget()
        self._number += 1
        training = Training(session, self.folder / f"set{self._number}", self._changed, self._made)
        self._sets[training.id] = training
        return training

    def get(self, session: str, id: str) -> Training:
        """A set of a window.

        Raises:
            Refused: 404.
        """
        training = self._sets.get(id)
        if training is None or training.session != session:
            raise Refused(404, "there is no such set of recordings in this window")
        return training

    def runs_in(self, session: str) -> bool:
        """Whether a window's training is running."""
        return any(t.state == "running" and t.session == session for t in list(self._sets.values()))

    def leaves(self, session: str) -> bool:
        """Whether a window has a training that another one may take over."""
        return any(t.session == session and (t.state == "running" or t.can_go_on) for t in self._sets.values())

    def only_one(self) -> None:
        """See that none is running.

        Raises:
            Refused: one is.
        """
        if any(training.state == "running" for training in self._sets.values()):
            raise Refused(429, "a training is running; stop it, or wait for its end")

    def listed(self, session: str) -> dict[str, Any]:
        """A window's sets, and unfinished models that nobody watches, as JSON."""
        mine = [training.answer for training in self._sets.values() if training.session == session]
        others = [t for t in self._sets.values() if t.session != session and (t.state == "running" or t.can_go_on)]
        free: dict[tuple[str, str], str] = {
            (t.asked.model, t.asked.name): t.state
            for t in others
            if t.asked is not None and not self._watched(t.session)
        }
        known: set[tuple[str, str]] = {
            (t.asked.model, t.asked.name) for t in self._sets.values() if t.asked is not None
        }
        for kind, home in HOMES.items():
            for settings in sorted(home.glob("*/training/settings.toml")):
                name = settings.parent.parent.name
                if (kind, name) not in known and self._left_over(kind, name):
                    free[kind, name] = "stopped"
        rows = [{"model": kind, "name": name, "state": state} for (kind, name), state in sorted(free.items())]
        return {"sets": mine, "unfinished": rows}

    def take_over(self, session: str, kind: str, name: str) -> Training:
        """Make a training this window's: one that nobody watches, or one of an earlier day.

        Raises:
            Refused: there is none, or a window watches it.
        """
        for training in self._sets.values():
            if training.asked is None or (training.asked.model, training.asked.name) != (kind, name):
                continue
            if training.session != session and self._watched(training.session):
                raise Refused(409, "another window of this browser shows this training; go on there, or close it")
            training.session = session
            return training
        if not NAME.fullmatch(name) or not self._left_over(kind, name):
            raise Refused(404, "there is no unfinished training of this name", "name", name)
        training = self.new(session)
        training.stopped_before(Start.model_validate({"name": name, "model": kind, "seconds": _seconds(kind, name)}))
        return training

    def _left_over(self, kind: str, name: str) -> bool:
        run = _run(kind, name)
        finished = (run.folder / _CARDS[kind]).is_file()
        return not finished and run.settings.is_file() and run.checkpoint.is_file() and is_prepared(run.corpus)

    def close(self) -> None:
        """End what runs."""
        for training in self._sets.values():
            training.close()


def _run(kind: str, name: str) -> RunFolder:
    return RunFolder(HOMES[kind] / name, _CARDS[kind], "name")


def _seconds(kind: str, name: str) -> float:
    """How long a run was to last; of one that was to take so many steps nobody knows."""
    try:
        found = read_toml(_run(kind, name).settings)["training"]["seconds"]
        return min(max(float(found), 5.0), 24 * 3600.0)
    except (VqsynthError, ValueError, KeyError, TypeError):
        return 600.0
