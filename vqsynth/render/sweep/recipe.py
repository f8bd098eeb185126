"""Sweep recipes: lists of what to vary, and their product.

A recipe is a TOML file, or options of the same names. A list is one dimension of the product, a single value
holds for all: ``timbres, descriptors, targets, ranges, seeds`` and ``durations, gains, matchers, refines, holds,
lives, takes`` (the singular works too). ``seeds = "0:10"`` is 0 to 9.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vqsynth import descriptors
from vqsynth.control import targets
from vqsynth.errors import UsageError, nearest_names
from vqsynth.library import timbre as folder
from vqsynth.storage.reading import is_file, read_toml, sha256

SINGULAR = {
    "timbres": "timbre",
    "descriptors": "descriptor",
    "targets": "target",
    "ranges": "range",
    "seeds": "seed",
    "durations": "duration",
    "gains": "gain",
    "matchers": "matcher",
    "refines": "refine",
    "holds": "hold",
    "lives": "life",
    "takes": "take",
}
DEFAULTS: dict[str, list[Any]] = {
    "descriptors": ["centroid"],
    "targets": ["sin"],
    "ranges": [None],
    "seeds": [0],
    "durations": [12.0],
    "gains": [None],
    "matchers": ["auto"],
    "refines": [None],
    "holds": ["auto"],
    "lives": [1.0],
    "takes": [0],
}
MAXIMUM = 100_000


@dataclasses.dataclass(frozen=True)
class Item:
    """One render of a sweep: its settings, and a name that no other settings have."""

    name: str
    settings: Mapping[str, Any]


def read_recipe(name: str) -> dict[str, Any]:
    """Read a recipe by path or by the name of one that ships.

    Raises:
        UsageError: there is none of this name.
        VqsynthError: not TOML.
    """
    return read_toml(targets.find_sweep(name))


def parse_seeds(text: str) -> list[int]:
    """Seeds of ``3``, ``1,5,8`` or ``0:10`` (0 to 9).

    Raises:
        UsageError: neither.
    """
    seeds: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,18})\s*(?::\s*(\d{1,18})\s*)?", part)
        if match is None:
            raise UsageError("write numbers such as 1,5,8 or a range such as 0:10", field="seeds", value=text)
        start, end = int(match.group(1)), match.group(2)
        some = range(start, int(end)) if end else range(start, start + 1)
        if len(seeds) + len(some) > MAXIMUM:
            raise UsageError(f"more than {MAXIMUM} seeds; give fewer", field="seeds", value=text)
        seeds += some
    if not seeds:
        raise UsageError("holds no seed; the end of a range is not part of it", field="seeds", value=text)
    return seeds


def expand(recipe: Mapping[str, Any]) -> list[Item]:
    """The product of a recipe's lists, in their order, the last varying fastest.

    Raises:
        UsageError: an unknown key, an empty list, an unknown timbre, or too many renders.
    """
    plural = {singular: key for key, singular in SINGULAR.items()}
    lists = dict(DEFAULTS)
    for key, value in recipe.items():
        known = plural.get(key, key)
        if known not in SINGULAR:
            raise UsageError(f"recipe key {key}: unknown; {nearest_names(key, SINGULAR)}")
        if known in ("seeds", "takes") and isinstance(value, str):
            value = parse_seeds(value)
        values = list(value) if isinstance(value, (list, tuple)) else [value]
        if not values:
            raise UsageError(f"recipe key {key}: its list is empty; give at least one value")
        lists[known] = [_checked(key, known, v) for v in values]
    if "timbres" not in lists:
        raise UsageError("no timbre to sweep; give `timbres` or a recipe with timbres")
    for name in lists["descriptors"]:
        descriptors.get(name)
    total = 1
    for values in lists.values():
        total *= len(values)
    if total > MAXIMUM:
        raise UsageError(f"the product of these lists is {total} renders, more than {MAXIMUM}; shorten a list")
    marks = {name: _timbre_mark(name) for name in dict.fromkeys(lists["timbres"])}
    files = {t: _file_mark(str(t)) for t in {*map(str, lists["targets"]), *map(str, lists["gains"])}}
    items: dict[str, Item] = {}
    for chosen in itertools.product(*(lists[key] for key in SINGULAR)):
        settings = dict(zip(SINGULAR.values(), chosen))
        contents = [files[str(settings[key])] for key in ("target", "gain")]
        # The folder may move: the timbre is known by its weights.
        marked = {**settings, "timbre": marks[settings["timbre"]], "files": contents}
        item = Item(_name(settings, marked), settings)
        items.setdefault(item.name, item)
    return list(items.values())


def _checked(key: str, known: str, value: Any) -> Any:
    kinds: dict[str, Any] = {
        "seeds": int,
        "durations": (int, float),
        "refines": (int, type(None)),
        "gains": (int, float, str, type(None)),
        "targets": (str, int, float),
        "holds": (str, int, float, type(None)),
        "ranges": (str, type(None)),
        "lives": (int, float),
        "takes": int,
    }
    if isinstance(value, bool) or not isinstance(value, kinds.get(known, str)):
        raise UsageError(f"recipe key {key}: {value!r} does not fit here; see targets/README.md for examples")
    if known == "durations" and not 0 < value < 1e6:
        raise UsageError(f"recipe key {key}: {str(value)[:20]} s; give a duration above 0")
    return float(value) if known == "durations" else str(value) if known == "targets" else value


def _timbre_mark(name: str) -> str:
    """Checksum of a timbre's files: a timbre that was trained or analyzed anew is rendered anew."""
    files = folder.load(name).card.get("files", {})
    return hashlib.sha256(
        json.dumps({k: files.get(k) for k in (folder.MODEL, folder.TABLE, folder.UNITS)}).encode()
    ).hexdigest()


def _file_mark(target: str) -> str:
    """Checksum of the file that a target means, if it means one."""
    path = Path(target)
    if not is_file(path):
        found = targets.available().get(Path(target).stem)
        if found is None:
            return ""
        path = found
    return sha256(path)


def _name(settings: Mapping[str, Any], marked: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(marked, sort_keys=True).encode()).hexdigest()[:8]
    target = settings["target"]
    parts = [Path(settings["timbre"]).name, settings["descriptor"], Path(target).stem if marked["files"][0] else target]
    if settings["range"]:
        parts.append(settings["range"].replace(":", "-"))
    text = "_".join(re.sub(r"[^A-Za-z0-9.+#-]+", "-", str(part)) for part in parts)
    return f"{text}_s{settings['seed']}_{digest}"
