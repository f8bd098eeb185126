"""Files written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from vqsynth.errors import VqsynthError

if TYPE_CHECKING:
    from torch import Tensor


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that replaces it when the block ends well.

    The temporary keeps the suffix, because writers choose the format by it.

    Raises:
        VqsynthError: the folder does not exist or cannot be written to, or the disk is full.
    """
    path = Path(path)
    folder = path.parent
    if not folder.is_dir():
        raise VqsynthError(f"{folder}: this output folder does not exist; create it first")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=folder)
    except OSError as error:
        raise VqsynthError(f"{folder}: cannot write here ({error.strerror}); choose another output folder") from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except OSError as error:
        raise VqsynthError(f"{path}: could not be written ({error.strerror or error})") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8, whole or not at all; bytes of names that are not UTF-8 as ``\\udc..``, as JSON has them."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def save_tensors(path: str | Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write named tensors as safetensors, whole or not at all.

    Raises:
        VqsynthError: the folder is missing or not writable, or the disk is full.
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
