"""Patches in a real Pure Data, headless and faster than realtime.

A stand-in takes the place of nn~ and records what it gets.
"""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

Event = tuple[float, str]
"""Seconds, and a message: the name that it is sent to, and what it says."""
LIMIT, SETTLE, TRIES = 300.0, 5.0, 4
"""Seconds of the clock: most that a run may take, and for files to be completed; runs until they are."""
NO_PROBLEM = ("priority", "watchdog", "nn-", "writesf waiting", "(head", "done waiting", "scheduler")
"""Lines of the console that are about the machine, or come from the stand-in."""


def installed() -> str | None:
    """The path of Pure Data."""
    return shutil.which("pd")


def stand_in(inlets: int, outlets: int) -> str:
    """An abstraction for nn~: all goes straight through; signals are written to METHOD.wav, messages to the console."""
    boxes, wires = [], []

    def add(text: str) -> int:
        boxes.append(text)
        return len(boxes) - 1

    came = [add(f"#X obj {20 + 60 * k} 20 inlet~{' fwd' if not k else ''};") for k in range(inlets)]
    went = [add(f"#X obj {20 + 60 * k} 300 outlet~;") for k in range(outlets)]
    file = add(f"#X obj 20 200 writesf~ {inlets};")
    wires += [(came[k], 0, file, k) for k in range(inlets)]
    wires += [(came[k], 0, went[k], 0) for k in range(min(inlets, outlets))]
    wires.append((came[0], 1, add("#X obj 300 100 print nn-\\$2;"), 0))
    steps = ["loadbang", "symbol \\$2", "makefilename %s.wav"]
    chain = [add(f"#X obj 500 {60 + 26 * k} {step};") for k, step in enumerate(steps)]
    chain += [add("#X msg 500 150 open -bytes 4 \\$1 \\, start;"), file]
    wires += [(a, 0, b, 0) for a, b in itertools.pairwise(chain)]
    stop = add("#X msg 700 150 stop;")
    wires += [(add("#X obj 700 100 r stand-in-stop;"), 0, stop, 0), (stop, 0, file, 0)]
    lines = ["#N canvas 0 0 900 400 12;", *boxes, *(f"#X connect {a} {b} {c} {d};" for a, b, c, d in wires)]
    return "\n".join(lines) + "\n"


def driver(events: Sequence[Event], seconds: float) -> str:
    """A patch that turns sound on, says what is to be said when it is due, and at the end that it is over."""
    lines = ["#N canvas 0 0 600 400 12;", "#X obj 10 10 loadbang;", "#X obj 300 10 r driver-over;"]
    lines.append("#X obj 300 40 print driver-over;")
    wires, number = ["#X connect 1 0 2 0;"], 3
    timed = [(0.0, "pd dsp 1"), *events, (seconds, "stand-in-stop bang"), (seconds + 0.1, "driver-over bang")]
    for when, said in timed:
        lines.append(f"#X obj 10 {30 + 10 * number} delay {1000 * when:.6f};")
        lines.append(f"#X msg 200 {30 + 10 * number} \\; {said};")
        wires += [f"#X connect 0 0 {number} 0;", f"#X connect {number} 0 {number + 1} 0;"]
        number += 2
    return "\n".join([*lines, *wires]) + "\n"


def play(
    patch: Path, folder: Path, events: Sequence[Event], seconds: float, ports: int = 24, rate: int = 44_100
) -> str:
    """Open a patch in Pure Data, with the stand-in, for some seconds of its own time.

    Args:
        patch: the file.
        folder: for the stand-in, the driver and what the stand-in records.
        events: messages that are sent meanwhile.
        seconds: of sound.
        ports: inlets and outlets of the stand-in.
        rate: Hz.

    Returns:
        What the console says.
    """
    (folder / "nn~.pd").write_text(stand_in(ports, ports))
    (folder / "driver.pd").write_text(driver(events, seconds))
    # Faster than realtime, a file may be closed before the thread that opens it had its turn.
    opened = [name for _, said in events for name in re.findall(r"open .*?(\S+\.wav)", said)]
    for _ in range(TRIES):
        for old in folder.glob("*.wav"):
            old.unlink()
        said = _run(patch, folder, rate)
        if _complete(folder) and all((folder / name).exists() for name in opened):
            break
    return said


def _run(patch: Path, folder: Path, rate: int) -> str:
    """One run of Pure Data: what the console says."""
    options = ["-nogui", "-batch", "-noaudio", "-noprefs", "-r", str(rate), "-path", str(folder)]
    command = ["pd", *options, "-open", str(patch), "-open", str(folder / "driver.pd")]
    said = []
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True) as process:
        limit = threading.Timer(LIMIT, process.kill)
        limit.start()
        try:
            for line in process.stdout or ():
                if line.startswith("driver-over"):
                    break
                said.append(line)
            else:
                raise RuntimeError(f"Pure Data ended by itself: {''.join(said)}")
            # Files are completed by threads of their own, which an end of the program would cut short.
            patience = time.monotonic() + SETTLE
            while not _complete(folder) and time.monotonic() < patience:
                time.sleep(0.02)
        finally:
            limit.cancel()
            process.kill()
    return "".join(said)


def _complete(folder: Path) -> bool:
    """Whether there are recordings, and all have their length in the header."""
    files = list(folder.glob("*.wav"))
    try:
        return bool(files) and all(soundfile.info(file).frames for file in files)
    except soundfile.LibsndfileError:
        return False


def problems(console: str) -> list[str]:
    """Lines of a console that say that something is wrong."""
    lines = [line.strip() for line in console.splitlines() if line.strip()]
    return [line for line in lines if not any(word in line for word in NO_PROBLEM)]


def recorded(path: Path) -> np.ndarray:
    """What was written. Shape: [channels, samples] float32."""
    return soundfile.read(path, dtype="float32", always_2d=True)[0].T
