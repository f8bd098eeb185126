"""The house: which room may know which, read from the source; imports within functions and for types count too."""

from __future__ import annotations

import ast
import functools
import graphlib
from pathlib import Path

import pytest

import vqsynth

PACKAGE = Path(vqsynth.__file__).parent
ROOMS = (
    ("errors", "version"),
    ("storage",),
    ("dsp",),
    ("streaming",),
    ("descriptors",),
    ("corpus",),
    ("figures", "listening"),
    ("training",),
    ("vqvae",),
    ("units",),
    ("library",),
    ("control",),
    ("wavae", "render"),
    ("interface",),
    ("export",),
    ("live",),
    ("patches",),
    ("play",),
    ("__init__",),
    ("cli",),
    ("__main__",),
)
"""From the ground up: a room knows those below it, and none beside it."""
MOST_MODULES, MOST_LINES = 12, 330


def module_name(path: Path) -> str:
    """The dotted name of a file, that of its package for an ``__init__``."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py")) if "_data" not in path.parts}


def room(name: str) -> str:
    """The room of a module; the package itself is ``__init__``."""
    return [*name.split("."), "__init__"][1]


@functools.cache
def imports(name: str) -> frozenset[str]:
    """Modules of this package that a module imports anywhere in its text."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name} imports relatively"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            # ``from package import module`` is of the module, ``from module import name`` of the module it is in.
            found |= {target if target in MODULES else str(node.module) for target in whole}
    return frozenset(found & MODULES.keys())


def test_every_room_has_its_floor():
    placed = [name for floor in ROOMS for name in floor]
    assert sorted(placed) == sorted({room(name) for name in MODULES})


def test_the_reader_sees_all_imports():
    assert "vqsynth.wavae.network.model" in imports("vqsynth.wavae.domain")  # for types, and within a function
    assert "vqsynth.errors" in imports("vqsynth.storage.atomic")


@pytest.mark.parametrize("name", MODULES)
def test_arrows_point_down(name):
    floors = {placed: number for number, floor in enumerate(ROOMS) for placed in floor}
    own = room(name)
    wrong = [target for target in sorted(imports(name)) if room(target) != own and floors[room(target)] >= floors[own]]
    assert not wrong, f"{name} imports {wrong}"


def test_there_are_no_circles():
    graph = {name: imports(name) - {name} for name in MODULES}
    list(graphlib.TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("folder", sorted({path.parent for path in MODULES.values()}), ids=lambda path: path.name)
def test_rooms_are_of_a_size_to_know_by_heart(folder):
    modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MOST_MODULES
    assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", MODULES)
def test_modules_are_short_and_say_what_they_are(name):
    text = MODULES[name].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    assert ast.get_docstring(ast.parse(text))
