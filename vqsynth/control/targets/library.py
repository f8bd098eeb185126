"""Targets and sweep recipes that ship, or that the user keeps in a folder, found by name."""

from __future__ import annotations

import os
from pathlib import Path

from vqsynth.errors import UsageError, nearest_names
from vqsynth.storage.reading import is_file, is_folder

SUFFIXES = (".toml", ".csv", ".mid", ".midi")
SWEEPS = "sweeps"


def folders() -> list[Path]:
    """Folders searched, first first: $VQSYNTH_TARGETS, ./targets, those of the package or checkout."""
    package = Path(__file__).resolve().parents[2]
    places = [Path(place) for place in os.environ.get("VQSYNTH_TARGETS", "").split(os.pathsep) if place]
    places += [Path("targets"), package / "_data" / "targets"]
    if (package.parent / "targets" / SWEEPS).is_dir():  # a checkout, not some other thing in site-packages
        places.append(package.parent / "targets")
    return [place for place in places if is_folder(place)]


def available() -> dict[str, Path]:
    """Return the targets found: name (the file's, without suffix) -> path."""
    return _listing("", SUFFIXES)


def available_sweeps() -> dict[str, Path]:
    """Return the sweep recipes found: name -> path."""
    return _listing(SWEEPS, (".toml",))


def find_sweep(name: str) -> Path:
    """Return the path of a sweep recipe given by path or by name.

    Raises:
        UsageError: there is none; the message has the nearest names.
    """
    path = Path(name)
    if is_file(path):
        return path
    recipes = available_sweeps()
    if path.stem in recipes and path.name in (path.stem, f"{path.stem}.toml"):
        return recipes[path.stem]
    raise UsageError(f"{name}: no such sweep recipe; {nearest_names(path.stem, recipes)}")


def _listing(below: str, suffixes: tuple[str, ...]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in folders():
        place = folder / below
        for path in sorted(place.iterdir()) if place.is_dir() else []:
            if path.suffix.lower() in suffixes and is_file(path):
                found.setdefault(path.stem, path)
    return found
