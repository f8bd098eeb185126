"""The renders that are judged: four kinds of each timbre, as the suite makes them by default, and without life."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import inspect
import io
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.life.measures import Measured, measure
from benchmarks.life.sound import MEAN
from benchmarks.tracking.cases import note_name
from benchmarks.tracking.measure import Score, compare
from benchmarks.tracking.measure import measure as estimate

if TYPE_CHECKING:
    from vqsynth import Timbre

KINDS = ("centroid", "f0", "melody", "held")
VARIANTS: dict[str, dict[str, Any]] = {"default": {}, "life 0": {"life": 0.0}}
RANGE = "p10:p90"
SECONDS, HELD_SECONDS = 24.0, 12.0
MELODY = (
    # beats of 0.5 s: begins, lasts, semitones from the middle note, velocity
    *((0, 3, 0, 90), (3, 1, 2, 84), (4, 2.0, 4, 96), (6, 2, 0, 80)),  # detached, rather slow
    *((9, 0.5, 7, 100), (9.5, 0.5, 5, 92), (10, 0.5, 4, 92), (10.5, 0.5, 2, 88), (11, 3, 0, 96)),  # fast after a rest
    *((15, 1, -3, 84), (16, 1, -3, 90), (17, 1, -3, 96), (18, 2, -3, 70)),  # one note, four times
    *((21, 2.1, -5, 76), (23, 2.1, 0, 88), (25, 2.1, 4, 100), (27, 4, 7, 108)),  # slurred: each reaches into the next
    *(
        (32, 0.4, 12, 80),
        (32.5, 0.4, 11, 80),
        (33, 0.4, 9, 84),
        (33.5, 0.4, 7, 84),
        (34, 0.4, 5, 88),
        (34.5, 0.4, 4, 88),
    ),
    *((35, 1, 2, 92), (36, 1, -1, 92), (37, 7, 0, 80)),  # the last one is held
)
BEAT = 0.5


@dataclasses.dataclass(frozen=True)
class Case:
    """One render: ``kind`` of :data:`KINDS`, ``variant`` of :data:`VARIANTS`."""

    timbre: str
    kind: str
    variant: str = "default"


@dataclasses.dataclass
class Result:
    """What a render measures.

    Attributes:
        scores: descriptor -> agreement of its 0.5 s mean with the target's, by librosa and Praat.
        speed: seconds of sound a second of work, everything loaded.
    """

    case: Case
    measured: Measured | None
    scores: dict[str, Score]
    speed: float
    error: str = ""


def run(case: Case, keep: Path | None = None) -> Result:
    """Render a case and measure the file; an error of the suite becomes part of the result.

    Args:
        case: what is rendered.
        keep: folder in which the render stays, as ``VARIANT/TIMBRE/KIND.wav``.
    """
    import vqsynth

    timbre = vqsynth.load(case.timbre)
    settings = VARIANTS[case.variant]
    if not set(settings) <= set(inspect.signature(timbre.render).parameters):
        return Result(case, None, {}, np.nan, f"renders have no option {', '.join(settings)}")
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        home = Path(folder) if keep is None else keep / case.variant.replace(" ", "_") / case.timbre
        home.mkdir(parents=True, exist_ok=True)
        path = home / f"{case.kind}.wav"
        asked = what(timbre, case.kind, Path(folder))
        try:
            timbre.render(**(asked | {"duration": 0.5}), **settings, figure=False)  # loads what is loaded once
            begin = time.perf_counter()
            timbre.render(**asked, **settings, output=path, figure=False)
            elapsed = time.perf_counter() - begin
        except vqsynth.VqsynthError as error:
            return Result(case, None, {}, np.nan, str(error).replace(f"{folder}/", ""))
        measured = measure(path)
        scores = {case.kind: score(path, case.kind)} if case.kind in ("centroid", "f0") else {}
        return Result(case, measured, scores, asked["duration"] / elapsed)


def what(timbre: Timbre, kind: str, folder: Path) -> dict[str, Any]:
    """Arguments of ``render`` for a kind; a melody's file is written into ``folder``."""
    middle = note_name(float(timbre.table.percentile("f0", 50)))
    if kind == "melody":
        path = folder / "melody.mid"
        write_melody(path, round(69 + 12 * np.log2(float(timbre.table.percentile("f0", 50)) / 440)))
        return {"f0": str(path), "duration": BEAT * max(begin + lasts for begin, lasts, *_ in MELODY) + 0.5}
    if kind == "held":
        return {"f0": middle, "duration": HELD_SECONDS}
    return {kind: ("sin", RANGE), "duration": SECONDS}


def write_melody(path: Path, middle: int) -> None:
    """Write :data:`MELODY` around a MIDI note as a file of one track."""
    import mido

    events = []
    for begin, lasts, semitones, velocity in MELODY:
        note = middle + semitones
        events.append((begin, 1, mido.Message("note_on", note=note, velocity=velocity)))
        events.append((begin + lasts, 0, mido.Message("note_off", note=note)))
    file = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=round(BEAT * 1e6))])
    now = 0
    for beat, _, message in sorted(events, key=lambda event: event[:2]):
        tick = round(480 * beat)
        track.append(message.copy(time=tick - now))
        now = tick
    file.tracks.append(track)
    file.save(str(path))


def score(path: Path, name: str) -> Score:
    """Agreement of the 0.5 s means of a rendered file and of its target, which the file beside it holds."""
    import soundfile

    with open(path.with_suffix(".csv"), newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    grid = np.array([float(row["time"]) for row in rows])
    wanted = np.array([float(row[f"target_{name}"] or "nan") for row in rows])
    audio, rate = soundfile.read(path, dtype="float32")
    times, values = estimate(name, audio, rate, float(np.nanmin(wanted)), float(np.nanmax(wanted)))
    smooth = np.exp(mean_over(grid, np.log(wanted)))
    found = np.exp(mean_over(times, np.log(values)))
    return compare(times, found, lambda at: np.exp(np.interp(at, grid, np.log(smooth))), skip=MEAN / 2)


def mean_over(times: np.ndarray, values: np.ndarray, seconds: float = MEAN) -> np.ndarray:
    """Moving mean of ``values [frames]`` at ``times [frames]`` s; of what is known, NaN where that is under a half."""
    known = np.isfinite(values)
    total = np.concatenate(([0.0], np.cumsum(np.where(known, values, 0.0))))
    count = np.concatenate(([0], np.cumsum(known)))
    first = np.searchsorted(times, times - seconds / 2 - 1e-9)
    last = np.searchsorted(times, times + seconds / 2 + 1e-9)
    number = count[last] - count[first]
    return np.where(2 * number >= last - first, (total[last] - total[first]) / np.maximum(number, 1), np.nan)
