"""Files written whole or not at all, alone or in groups, into folders that are made for them."""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import json
import math
import os
import re
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vqsynth.errors import UsageError, VqsynthError

if TYPE_CHECKING:
    from torch import Tensor

_HOST = re.sub(r"[^A-Za-z0-9]+", "_", socket.gethostname())[:40] or "host"
_TEMPORARY = re.compile(r"\.vqsynth-tmp-([A-Za-z0-9_]+)-(\d+)-")
_swept: set[tuple[int, Path]] = set()
"""Process and folder in which stale temporaries were looked for: once is enough, folders can be large."""


@dataclasses.dataclass
class _Group:
    """Files that appear together: target -> temporary, and lists of folders that were made for them, deepest first."""

    files: dict[Path, Path] = dataclasses.field(default_factory=dict)
    folders: list[list[Path]] = dataclasses.field(default_factory=list)


_group: contextvars.ContextVar[_Group | None] = contextvars.ContextVar("group", default=None)


@contextlib.contextmanager
def output_folder(folder: str | Path) -> Iterator[Path]:
    """Make a folder and its parents for what the block writes; if it fails, those made here and left empty go again.

    Args:
        folder: may be there already.

    Yields:
        The folder.

    Raises:
        VqsynthError: the folder cannot be made.
    """
    folder = Path(folder)
    missing = []
    for place in (folder, *folder.parents):
        if os.path.lexists(place):
            break
        missing.append(place)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _remove_empty(missing)
        raise VqsynthError(
            f"{folder}: this folder cannot be made ({error.strerror}); choose another output folder"
        ) from error
    group = _group.get()
    if group is not None:
        group.folders.append(missing)
    try:
        yield folder
    except BaseException:
        _remove_empty(missing)
        raise


def check_folder(folder: str | Path) -> None:
    """Check, before any work is done, that a folder is there or could be made, and can be written to.

    Raises:
        VqsynthError: it cannot.
    """
    folder = Path(folder)
    there = next((place for place in (folder, *folder.parents) if os.path.lexists(place)), Path())
    if not there.is_dir():
        raise VqsynthError(f"{folder}: this folder cannot be made ({there} is a file); choose another output folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise VqsynthError(f"{folder}: cannot write here (Permission denied); choose another output folder")


def check_apart(output: str | Path, *inputs: str | Path | None) -> None:
    """Check that an output is none of the inputs, whatever links lead there.

    Args:
        output: what would be written; need not exist.
        inputs: what is read; None is passed over, and what is not the name of a file.

    Raises:
        UsageError: it is one of them.
    """
    for source in inputs:
        if source is None:
            continue
        try:
            same = os.path.realpath(source) == os.path.realpath(output) or os.path.samefile(source, output)
        except (OSError, ValueError):  # not there, or not the name of a file at all
            continue
        if same:
            raise UsageError(
                f"is the input {source}, which would be replaced; choose another name", field="output", value=output
            )


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that replaces it when the block ends well.

    The temporary keeps the suffix, because writers choose the format by it. Folders that are missing are made.
    Within :func:`together` the replacement waits for the end of the group.

    Raises:
        VqsynthError: the folder cannot be made or written to, or the disk is full.
    """
    path = Path(path)
    with output_folder(path.parent) as folder:
        _remove_stale(folder)
        try:
            handle, name = tempfile.mkstemp(
                prefix=f".vqsynth-tmp-{_HOST}-{os.getpid()}-", suffix=path.suffix, dir=folder
            )
        except OSError as error:
            raise VqsynthError(
                f"{folder}: cannot write here ({error.strerror}); choose another output folder"
            ) from error
        os.close(handle)
        temporary = Path(name)
        waiting = False
        try:
            yield temporary
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(temporary, 0o666 & ~umask)
            group = _group.get()
            if group is None:
                os.replace(temporary, path)
            else:
                if path in group.files:
                    group.files.pop(path).unlink()
                group.files[path], waiting = temporary, True
        except OSError as error:
            raise VqsynthError(f"{path}: could not be written ({error.strerror or error})") from error
        finally:
            if not waiting:
                temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def together() -> Iterator[None]:
    """Files that are written in the block appear at its end, in the order in which they were written, or not at all.

    A group within a group belongs to it.

    Raises:
        VqsynthError: a file cannot take its place.
    """
    if _group.get() is not None:
        yield
        return
    group = _Group()
    token = _group.set(group)
    try:
        yield
        _place(group.files)
    except BaseException:
        for temporary in group.files.values():
            temporary.unlink(missing_ok=True)
        for folders in reversed(group.folders):
            _remove_empty(folders)
        raise
    finally:
        _group.reset(token)


def _place(files: dict[Path, Path]) -> None:
    """Let every temporary replace its target."""
    for path in files:
        if path.is_dir():
            raise VqsynthError(f"{path}: could not be written (Is a directory); choose another name")
    for path, temporary in files.items():
        try:
            os.replace(temporary, path)
        except OSError as error:
            raise VqsynthError(f"{path}: could not be written ({error.strerror or error})") from error


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all; bytes of names that are not UTF-8 as JSON has them, ``\\udc..``."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def json_text(content: Any) -> str:
    """JSON for people to read, of numbers that are finite; checked before anything is written.

    Raises:
        VqsynthError: a number is not finite; the message names it.
    """
    try:
        return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    except ValueError as error:
        name, value = next(_not_finite(content), ("a number", ""))
        raise VqsynthError(
            f"nothing was written: {name} came out as {value}; give smaller targets, weights or gains"
        ) from error


def save_tensors(path: str | Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write named tensors as safetensors, whole or not at all.

    Raises:
        VqsynthError: the folder is not writable, or the disk is full.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    with atomic_path(path) as temporary:
        try:
            save_file(
                {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, temporary, metadata
            )
        except SafetensorError as error:
            raise VqsynthError(f"{path}: could not be written ({error}); free some space on the disk") from error


def _not_finite(content: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Names and values of the numbers in ``content`` that are not finite."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _not_finite(value, f"{name}.{key}" if name else str(key))
    elif isinstance(content, (list, tuple)):
        for number, value in enumerate(content):
            yield from _not_finite(value, f"{name}[{number}]")
    elif isinstance(content, float) and not math.isfinite(content):
        yield name, content


def _remove_empty(folders: list[Path]) -> None:
    """Remove folders, deepest first, as far as they are empty."""
    for folder in folders:
        try:
            folder.rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            return


def _remove_stale(folder: Path) -> None:
    """Remove temporaries of this machine's processes that have ended, once a process and folder."""
    key = os.getpid(), Path(os.path.abspath(folder))
    if key in _swept:
        return
    _swept.add(key)
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = _TEMPORARY.match(entry.name)
            if found and found.group(1) == _HOST and not _alive(int(found.group(2))):
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)


def _alive(process: int) -> bool:
    """Whether a process of this machine runs; on Windows, where asking would end it, always."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
