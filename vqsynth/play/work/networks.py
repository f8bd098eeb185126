"""Timbres as networks that run in the page: exported once, in a process of its own, and kept while the server runs."""

from __future__ import annotations

import json
import multiprocessing
import secrets
import threading
import time
from pathlib import Path
from typing import Any

from vqsynth.library.timbre import CARD, Timbre
from vqsynth.play.answers import Refused
from vqsynth.play.jobs import Tell

KEPT = 8
USUAL_SECONDS = 8.0
"""What an export takes, for its progress."""
BLOCKS = 64
"""Of the exporter's test of its memory."""
LONGEST_SECONDS = 300.0


class Networks:
    """Exported timbres.

    Args:
        folder: for the files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: dict[str, tuple[tuple[str, int], Path]] = {}
        self._lock, self._one = threading.Lock(), threading.Lock()

    def export(self, name: str, tell: Tell) -> dict[str, Any]:
        """The network of a timbre: its card, and the key to ask for its file.

        Raises:
            Refused: there is no such timbre.
            VqsynthError: it cannot be exported.
        """
        path = Timbre.installed().get(name)
        if path is None:
            raise Refused(404, "there is no timbre of this name", "timbre", name)
        what = (name, (path / CARD).stat().st_mtime_ns)
        with self._one:
            found = next((key for key, (of, _) in self._made.items() if of == what), None)
            if found is None:
                found = self._keep(what, self._export(name, path, tell))
            return {"key": found, "card": json.loads(self.file(found).with_suffix(".json").read_text("utf-8"))}

    def file(self, key: str) -> Path:
        """A network's file.

        Raises:
            Refused: 404.
        """
        with self._lock:
            if key not in self._made:
                raise Refused(404, "this network is not kept any more; load the timbre again")
            return self._made[key][1]

    def _keep(self, what: tuple[str, int], file: Path) -> str:
        key = file.stem
        with self._lock:
            self._made[key] = (what, file)
            while len(self._made) > KEPT:
                _, old = self._made.pop(next(iter(self._made)))
                for suffix in (".onnx", ".json"):
                    old.with_suffix(suffix).unlink(missing_ok=True)
        return key

    def _export(self, name: str, timbre: Path, tell: Tell) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"{secrets.token_urlsafe(12)}.onnx"
        context = multiprocessing.get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=run, args=(sender, str(timbre), str(file)), daemon=True)
        process.start()
        sender.close()
        begun = time.monotonic()
        try:
            while not receiver.poll(0.1):
                passed = time.monotonic() - begun
                if passed > LONGEST_SECONDS:
                    raise Refused(503, "the export took too long; try again when the machine has less to do")
                tell(f"exporting {name}, once", 0.95 * passed / (passed + USUAL_SECONDS / 2))
            status, error = receiver.recv()
        except EOFError:
            status, error = 500, {"error": f"the export of {name} ended unexpectedly; try again"}
        finally:
            if process.is_alive():
                process.terminate()
            process.join()
        if status:
            raise Refused(status, **_named(error))
        return file


def _named(error: dict[str, str]) -> dict[str, str]:
    return {"message" if key == "error" else key: text for key, text in error.items()}


def run(sender: Any, timbre: str, file: str) -> None:
    """Export, in a process of its own: its memory is tested, which others would disturb."""
    from vqsynth.play.answers import described

    end: tuple[int, dict[str, str]] = (0, {})
    try:
        from vqsynth.export.write import export

        export(timbre, file, kind="timbre", blocks=BLOCKS, life=True)
    except Exception as error:
        end = described(error)
    sender.send(end)
    sender.close()
