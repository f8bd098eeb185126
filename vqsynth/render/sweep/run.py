"""Many renders at once: in processes on this machine, or on a dask cluster.

A render is done when its four files are there, each of which is written whole or not at all; their name holds a
checksum of everything that decides the sound, so a sweep that is started again does what is missing and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vqsynth.errors import UsageError, VqsynthError, collect_warnings
from vqsynth.render.sweep.manifest import RenderOutcome, read_manifest, write_manifest
from vqsynth.render.sweep.recipe import Item
from vqsynth.storage.atomic import output_folder
from vqsynth.storage.lock import locked
from vqsynth.storage.sound_file import native_name

if TYPE_CHECKING:
    from vqsynth.library.timbre import Timbre

CONNECT_SECONDS = 10
"""For which a cluster is asked for."""
_MANIFEST_SECONDS = 5.0
_local = threading.local()


def sweep(
    items: Sequence[Item],
    folder: str | Path,
    jobs: int = -1,
    dask: str | None = None,
    bits: str = "16",
    progress: Callable[[int, int, int], None] | None = None,
) -> list[RenderOutcome]:
    """Render all items into ``folder``, with ``manifest.csv`` and ``contact_sheet.png``.

    Args:
        items: what is rendered.
        folder: where it goes.
        jobs: processes on this machine; -1 is one a core. Each uses one thread.
        dask: address of a dask scheduler, whose workers must see the same folders; ``jobs`` is then ignored.
        bits: ``16``, ``24`` or ``32f``.
        progress: told (done, failed, total) after every render.

    Returns:
        An outcome for every item, in their order.

    Raises:
        VqsynthError: the folder cannot be made, another sweep is writing there, or the cluster cannot be reached.
            Failures of single renders do not raise; they are in the outcomes and the manifest.
    """
    folder = Path(folder)
    with output_folder(folder), locked(folder, "sweep"):
        return _sweep(items, folder, jobs, dask, bits, progress or (lambda done, failed, total: None))


def _sweep(
    items: Sequence[Item],
    folder: Path,
    jobs: int,
    dask: str | None,
    bits: str,
    report: Callable[[int, int, int], None],
) -> list[RenderOutcome]:
    """:func:`sweep` in a folder that is there and locked."""
    before = read_manifest(folder)
    outcomes = {item.name: outcome for item in items if (outcome := finished(item, folder, before.get(item.name, {})))}
    todo = [item for item in items if item.name not in outcomes]
    report(len(outcomes), 0, len(items))
    failed, written = 0, time.monotonic()
    try:
        with contextlib.closing(_run(todo, folder, jobs, dask, bits)) as results:
            for outcome in results:
                outcomes[outcome.name] = outcome
                failed += bool(outcome.error)
                report(len(outcomes), failed, len(items))
                if time.monotonic() - written > _MANIFEST_SECONDS:
                    write_manifest(folder, items, outcomes)
                    written = time.monotonic()
    finally:
        # A cluster that does not answer leaves nothing.
        if outcomes or before or not todo:
            write_manifest(folder, items, outcomes)
    from vqsynth.figures.contact_sheet import draw_contact_sheets

    draw_contact_sheets(folder, [item.name for item in items])
    return [outcomes[item.name] for item in items]


def finished(item: Item, folder: Path, row: Mapping[str, str]) -> RenderOutcome | None:
    """The outcome of an item that was rendered before, or None; ``row`` is its row of the old manifest."""
    try:
        report = json.loads((folder / f"{item.name}.json").read_text(encoding="utf-8"))
        if not _whole(folder / f"{item.name}.wav", report["settings"]):
            return None
        seconds = float(row.get("render_seconds") or 0.0)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return RenderOutcome(item.name, report, warnings=row.get("warnings", ""), seconds=seconds, fresh=False)


def _whole(path: Path, settings: Mapping[str, Any]) -> bool:
    """Whether a render's files are complete: the sound has its length, curves and figure have their ends."""
    import soundfile

    try:
        info = soundfile.info(native_name(path))
    except soundfile.SoundFileError:
        return False
    rate = int(settings["sample_rate"])
    if (info.samplerate, info.frames) != (rate, max(1, round(float(settings["duration"]) * rate))):
        return False
    return _ends(path.with_suffix(".csv"), b"time,", b"\n") and _ends(
        path.with_suffix(".png"), b"\x89PNG\r\n", b"IEND\xaeB`\x82"
    )


def _ends(path: Path, head: bytes, tail: bytes) -> bool:
    """Whether a file begins and ends as it should."""
    with open(path, "rb") as handle:
        if handle.read(len(head)) != head:
            return False
        handle.seek(-len(tail), os.SEEK_END)
        return handle.read() == tail


def _run(
    items: Sequence[Item], folder: Path, jobs: int, dask: str | None, bits: str
) -> Generator[RenderOutcome, None, None]:
    """Outcomes as they come."""
    if not items:
        return
    import joblib

    search = os.environ.get("VQSYNTH_CODEBOOKS", ""), os.environ.get("VQSYNTH_TARGETS", "")
    tasks = (joblib.delayed(render_item)(item, str(folder.resolve()), bits, str(Path.cwd()), search) for item in items)
    with contextlib.ExitStack() as stack:
        if dask is not None:
            stack.enter_context(_client(dask))
            stack.enter_context(joblib.parallel_config(backend="dask"))
            jobs = -1
        else:
            stack.enter_context(joblib.parallel_config(backend="loky", inner_max_num_threads=1))
        yield from joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)(tasks)


def _client(address: str) -> Any:
    """A client of the scheduler at ``address``, as a context."""
    try:
        from distributed import Client
    except ImportError as error:
        raise UsageError("needs the packages dask and distributed; install vqsynth[dask]", field="dask") from error
    try:
        client = Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise VqsynthError(
            f"no scheduler answers there ({error or 'no connection'}); start one with `dask scheduler`",
            field="dask",
            value=address,
        ) from error
    if not client.scheduler_info()["workers"]:
        client.close()
        raise VqsynthError(
            f"the scheduler has no workers; start some with `dask worker {address}`", field="dask", value=address
        )
    return client


def render_item(item: Item, folder: str, bits: str, cwd: str, search: tuple[str, str]) -> RenderOutcome:
    """Render one item, with one thread. Never raises: what went wrong is in the outcome."""
    import torch

    start = time.monotonic()
    torch.set_num_threads(1)
    outcome = RenderOutcome(item.name)
    with collect_warnings(log=False) as warnings:
        try:
            _adopt(cwd, search)
            outcome.report = _render(item, Path(folder) / f"{item.name}.wav", bits)
        except VqsynthError as error:
            outcome.error = str(error)
        except Exception as error:
            outcome.error = f"unexpected {type(error).__name__}: {error}"
    outcome.warnings = "; ".join(warnings)
    outcome.seconds = time.monotonic() - start
    return outcome


def _render(item: Item, path: Path, bits: str) -> dict[str, Any]:
    """Render to ``path`` and the files beside it; the report."""
    from vqsynth.control.resolve import Request
    from vqsynth.render.ensemble import render_voices
    from vqsynth.render.played.play import PlayedOptions
    from vqsynth.render.settings import RenderSettings

    settings = dict(item.settings)
    timbre = _timbre(settings.pop("timbre"))
    request = Request(settings.pop("descriptor"), settings.pop("target"), settings.pop("range"))
    played = PlayedOptions(life=float(settings.pop("life")), take=settings.pop("take"))
    return render_voices(timbre, [request], RenderSettings(bits=bits, played=played, **settings), output=path).report


def _adopt(cwd: str, search: tuple[str, str]) -> None:
    """Names mean in a worker what they mean where the sweep was started."""
    if os.path.isdir(cwd) and os.getcwd() != cwd:
        os.chdir(cwd)
    for name, value in zip(("VQSYNTH_CODEBOOKS", "VQSYNTH_TARGETS"), search):
        if value:
            os.environ[name] = value


def _timbre(name: str) -> Timbre:
    """The timbre, loaded once a thread: streaming layers carry state, so threads cannot share one."""
    from vqsynth.library import timbre as folder

    cache = _local.__dict__.setdefault("timbres", {})
    if name not in cache:
        cache[name] = folder.load(name)
    return cache[name]
