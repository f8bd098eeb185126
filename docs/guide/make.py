"""The sounds and pictures of the user's guide: every page's commands are run, and what the page links to is kept.

python docs/guide/make.py [PAGE ...]
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

HERE = Path(__file__).resolve().parent
PAGES = sorted(path for path in HERE.glob("*.md") if path.name != "README.md")
LINK = re.compile(r"\((sounds|pictures)/([\w.-]+)\)")
WIDEST = 1400
"""Pixels of a picture."""


@dataclass(frozen=True)
class Step:
    """A block of a page: a command, a program, a file that the reader writes, or a line that is only shown.

    Attributes:
        kind: ``command``, ``program``, ``file`` or ``shown``.
        text: of it.
        name: of the file.
    """

    kind: str
    text: str
    name: str = ""


def steps(page: Path) -> Iterator[Step]:
    """What a page asks for, in its order."""
    for language, name, text in re.findall(
        r"^```(\w+)(?: (\S+))?\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S
    ):
        if name:
            yield Step("file", text, name)
        elif language == "python":
            yield Step("program", text)
        else:
            kind = "command" if language == "bash" else "shown"
            for line in text.splitlines():
                yield Step(kind, line.split("  #")[0].strip())


def follow(page: Path, folder: Path) -> None:
    """Do all that a page says, in a folder.

    Raises:
        RuntimeError: something failed; the message has what it printed.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    for step in steps(page):
        if step.kind == "file":
            (folder / step.name).write_text(step.text, encoding="utf-8")
        if step.kind not in ("command", "program"):
            continue
        command = [sys.executable, "-c", step.text] if step.kind == "program" else step.text.split()
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PATH": path, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=400,
        )
        if done.returncode:
            raise RuntimeError(f"{page.name}: {step.text}\n{done.stdout}\n{done.stderr}")


def keep(page: Path, folder: Path) -> None:
    """Take what the page links to out of the folder: sounds as Ogg Vorbis, pictures no wider than needed."""
    for kind, name in LINK.findall(page.read_text(encoding="utf-8")):
        target = HERE / kind / name
        target.parent.mkdir(exist_ok=True)
        suffix = ".wav" if kind == "sounds" else ".png"
        source = next(path for path in sorted(folder.rglob(f"{target.stem}{suffix}")))
        if kind == "sounds":
            audio, rate = soundfile.read(source, dtype="float32")
            write_ogg(target, audio, rate)
        else:
            picture = Image.open(source).convert("RGB")
            picture.thumbnail((WIDEST, WIDEST))
            picture.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(target, optimize=True)


def write_ogg(path: Path, audio: np.ndarray, rate: int) -> None:
    """Write Ogg Vorbis, in pieces: libsndfile takes no long ones at once."""
    with soundfile.SoundFile(path, "w", rate, 1, format="OGG", subtype="VORBIS") as sound:
        for start in range(0, len(audio), 4096):
            sound.write(audio[start : start + 4096])


def main() -> None:
    """Make all, or some pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", type=Path, metavar="PAGE", help="without any: all")
    for page in parser.parse_args().pages or PAGES:
        with tempfile.TemporaryDirectory() as folder:
            follow(page.resolve(), Path(folder))
            keep(page.resolve(), Path(folder))
        sys.stdout.write(f"{page.name}\n")


if __name__ == "__main__":
    main()
