"""One run of tests on a faulty copy of the package."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_LOADED = ["numpy", "torch", "scipy.signal", "librosa", "soundfile", "pytest", "pydantic", "typer"]


def run_tests(folder: str, tests: list[str]) -> None:
    """Run tests on the package in ``folder`` and end the process: 0 where they pass."""
    os.chdir(folder)
    sys.path.insert(0, folder)
    sys.dont_write_bytecode = True
    os.environ["PYTHONPATH"] = folder
    os.environ["OMP_NUM_THREADS"] = "1"
    import pytest

    quiet = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no"]
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        code = int(pytest.main([*quiet, *tests]))
    os._exit(code)


def copy_of(root: Path, package: str, folder: Path) -> None:
    """Copy a package into ``folder``; all else that stands beside it is linked."""
    for entry in root.iterdir():
        if entry.name != package and not entry.name.startswith("."):
            (folder / entry.name).symlink_to(entry)
    shutil.copytree(root / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))


def survives(source: str, file: Path, tests: list[str], timeout: float, root: Path = ROOT) -> bool:
    """Whether the tests pass with ``source`` in place of ``file`` (relative to ``root``)."""
    forks = "forkserver" in multiprocessing.get_all_start_methods()
    context: Any = multiprocessing.get_context("forkserver" if forks else "spawn")
    context.set_forkserver_preload(_LOADED if root == ROOT else ["pytest"])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        copy_of(root, file.parts[0], folder)
        (folder / file).write_text(source, encoding="utf-8")
        process = context.Process(target=run_tests, args=(str(folder), tests))
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            process.join()
        return process.exitcode == 0
