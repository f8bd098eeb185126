"""What is timed. Each job returns table rows and, if it has one, a text of its own."""

from __future__ import annotations

import dataclasses
import functools
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.speed.timing import command, median_seconds
from benchmarks.tables import markdown

SECONDS = 24.0
CLIPS = 64
CLIP_SECONDS = 0.3


@dataclasses.dataclass
class Row:
    """One timing.

    Attributes:
        seconds: median.
        goal: what is to be reached, in words, and whether it is.
        other: what it is compared with.
        ratio: how many times as long this one takes.
    """

    what: str
    seconds: float
    goal: str = ""
    reached: bool | None = None
    other: str = ""
    ratio: float = float("nan")

    def cells(self) -> list[str]:
        seconds = f"{1000 * self.seconds:.0f} ms" if self.seconds < 1 else f"{self.seconds:.1f} s"
        verdict = {None: "", True: "pass", False: "short"}[self.reached]
        return [self.what, seconds, self.goal, verdict, self.other, "" if np.isnan(self.ratio) else f"{self.ratio:.3g}"]

    def record(self) -> dict[str, object]:
        return dataclasses.asdict(self)


Result = tuple[list[Row], str]


def help_text(timbre: str, runs: int) -> Result:
    """``vqsynth --help`` against an interpreter that does nothing."""
    empty = median_seconds(command(["-c", "pass"]), runs)
    seconds = median_seconds(command(["-m", "vqsynth", "--help"]), runs)
    return [
        Row(
            "`vqsynth --help`",
            seconds,
            "under 0.5 s",
            seconds < 0.5,
            f"`python -c pass`, {1000 * empty:.0f} ms",
            seconds / empty,
        )
    ], ""


def whole_command(timbre: str, runs: int) -> Result:
    """``vqsynth render --target sin``, from nothing to sound, figure and report."""
    bare = median_seconds(command(["-c", "import torch, librosa, matplotlib.pyplot"]), min(runs, 3))
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["-m", "vqsynth", "render", timbre, "--target", "sin", "-o", str(Path(folder) / "out.wav")]
        seconds = median_seconds(command(arguments), min(runs, 3))
    other = f"importing torch, librosa and matplotlib alone, {bare:.1f} s"
    return [
        Row("`vqsynth render --target sin`, all of it", seconds, "under 10 s", seconds < 10, other, seconds / bare)
    ], ""


def render(timbre: str, runs: int) -> Result:
    """A render of 24 s after load, without figure, against realtime and against a plain STFT and back."""
    import librosa

    import vqsynth

    loaded = vqsynth.load(timbre)
    rows = []
    audio, _ = loaded.render(centroid="sin", duration=SECONDS)
    plain = median_seconds(lambda: librosa.istft(librosa.stft(audio, n_fft=2048, hop_length=512), hop_length=512), runs)
    other = f"`librosa.istft(stft)` of the same sound, {1000 * plain:.0f} ms"
    cases = {
        "default": {},
        "`path`, trims off": {"refine": 0},
        "`nearest`": {"matcher": "nearest", "refine": 0},
    }
    for name, settings in cases.items():
        sine = functools.partial(loaded.render, centroid="sin", duration=SECONDS, **settings)
        seconds = median_seconds(sine, runs)
        times = SECONDS / seconds
        goal, reached = ("30 times realtime", times >= 30) if name == "default" else ("", None)
        rows.append(
            Row(
                f"24 s centroid sine, {name}: {times:.0f} times realtime",
                seconds,
                goal,
                reached,
                other,
                seconds / plain,
            )
        )
    return rows, ""


def analyze(timbre: str, runs: int) -> Result:
    """``vqsynth analyze`` of a whole codebook, against pYIN alone on the same codes' sounds."""
    import librosa
    import torch

    from vqsynth.library import timbre as folder

    loaded = folder.load(timbre)
    codes = loaded.config.n_codes
    with tempfile.TemporaryDirectory() as parent:
        copy = Path(parent) / loaded.path.name
        shutil.copytree(loaded.path, copy, ignore=shutil.ignore_patterns("training"))
        seconds = median_seconds(command(["-m", "vqsynth", "analyze", str(copy)]), 1, warm=0)
    frames = round(CLIP_SECONDS * loaded.config.frame_rate)
    synthesizer, rate = loaded.model.synthesizer(), loaded.config.sample_rate
    chosen = np.random.default_rng(0).choice(codes, CLIPS, replace=False)
    clips = [synthesizer.render(loaded.model.decode(np.full(frames, code)), torch.ones(frames)) for code in chosen]

    def pyin() -> None:
        for clip in clips:
            librosa.pyin(clip, fmin=50, fmax=2100, sr=rate, frame_length=2048, hop_length=512)

    librosa.pyin(clips[0], fmin=50, fmax=2100, sr=rate, frame_length=2048, hop_length=512)
    tracked = median_seconds(pyin, 1, warm=0) * codes / CLIPS
    other = f"pYIN alone on {codes:,} clips of {CLIP_SECONDS} s: {tracked:.0f} s, extrapolated from {CLIPS}"
    return [
        Row(
            f"`vqsynth analyze`, {codes:,} codes, six descriptors",
            seconds,
            "under 40 s",
            seconds < 40,
            other,
            seconds / tracked,
        )
    ], ""


def index(timbre: str, runs: int) -> Result:
    """Search among a million units: the table of ``benchmarks/index.py``."""
    script = Path(__file__).resolve().parents[1] / "index.py"
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"error: {script} failed:\n{done.stderr}")
    return [], "Index search (`python benchmarks/index.py`; goal: under 5 ms a frame):\n\n" + done.stdout.strip()


def units(timbre: str, runs: int) -> Result:
    """Play from a million units: the table of ``benchmarks/units.py``."""
    command = [sys.executable, "-m", "benchmarks.units", "--timbre", timbre]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).resolve().parents[2])
    if done.returncode:
        raise SystemExit(f"error: benchmarks.units failed:\n{done.stderr}")
    title = "Played from the timbre's units, and from a million (`python -m benchmarks.units`, one thread; goal: "
    return [], f"{title}under 5 ms a frame and 1 GB):\n\n{done.stdout.strip()}"


def training(timbre: str, runs: int) -> Result:
    """How long the installed timbres were trained and how well they reconstruct: their cards; nothing is timed."""
    import vqsynth

    header = ["timbre", "training", "steps", "on", "log-spectral distance", "f0, held out", "codes used", "perplexity"]
    rows = []
    for card in vqsynth.available():
        trained, quality = card.get("training", {}), card.get("quality", {})
        device, threads, processes = (
            trained.get("device", "-"),
            trained.get("threads", "-"),
            trained.get("processes", 1),
        )
        where = f"{device}, {threads} threads, {processes} processes"
        f0 = f"{quality['f0_cents_median']} c" if "f0_cents_median" in quality else "-"
        rows.append(
            [
                card["timbre"]["name"],
                f"{trained.get('seconds', 0) / 60:.1f} min",
                trained.get("steps", "-"),
                where,
                f"{quality.get('log_spectral_distance_db', '-')} dB",
                f0,
                quality.get("used_codes", "-"),
                quality.get("perplexity", "-"),
            ]
        )
    return (
        [],
        "Training of the installed timbres, and reconstruction of held-out recordings, from their cards:\n\n"
        + markdown(header, rows),
    )


JOBS: dict[str, Callable[[str, int], Result]] = {
    "help": help_text,
    "command": whole_command,
    "render": render,
    "analyze": analyze,
    "index": index,
    "units": units,
    "training": training,
}
