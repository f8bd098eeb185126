"""What is rendered, and how one render is scored."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.tracking.measure import Score, compare, measure

if TYPE_CHECKING:
    from vqsynth.library.table import Table

DESCRIPTORS = ("centroid", "bandwidth", "f0")
TARGETS = ("sin", "arch", "line")
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "nearest": {"matcher": "nearest"},
    "path": {"matcher": "path", "refine": 0},
    "default": {},
    "path free": {"matcher": "path", "refine": 0, "hold": None},
    "default free": {"hold": None},
}
"""Where the pitch is free to go where it likes, percentiles are those of the whole table."""
RANGE = "p10:p90"
SECONDS = 24.0
QUARTILES = (25, 50, 75)


@dataclasses.dataclass(frozen=True)
class Case:
    """One render.

    Attributes:
        asked: descriptor -> target; the first one has the range ``range``.
        settings: of the render, in its own words.
    """

    timbre: str
    configuration: str
    asked: tuple[tuple[str, str], ...]
    settings: tuple[tuple[str, Any], ...] = ()
    range: str = RANGE
    seconds: float = SECONDS
    seed: int = 0


@dataclasses.dataclass
class Result:
    """Scores by descriptor, and what the render says of itself.

    Attributes:
        low: Hz, lower end of the range that the first descriptor was asked to cover.
        high: Hz, its upper end.
        trims: means over the frames.
        roughness: against real playing.
        flutter: median change of f0 from frame to frame, span: from its 5th to its
        95th percentile, in cents.
        codes: how many different ones were used.
    """

    case: Case
    scores: dict[str, Score]
    low: float
    high: float
    trims: dict[str, float]
    roughness: float
    flutter: float
    span: float = np.nan
    codes: int = 0
    error: str = ""

    def record(self) -> dict[str, object]:
        """One row of the CSV."""
        case = self.case
        row: dict[str, object] = {
            "timbre": case.timbre,
            "configuration": case.configuration,
            "low_hz": self.low,
            "high_hz": self.high,
            "seconds": case.seconds,
            "seed": case.seed,
            **self.trims,
            "roughness": self.roughness,
            "flutter_cents": self.flutter,
            "span_cents": self.span,
            "codes": self.codes,
            "error": self.error,
        }
        for number, (name, target) in enumerate(case.asked, 1):
            row[f"descriptor_{number}"], row[f"target_{number}"] = name, target
            if name in self.scores:
                row |= {f"{key}_{number}": value for key, value in dataclasses.asdict(self.scores[name]).items()}
        return {key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()}


def run(case: Case, pitch_method: str = "praat", table: Table | None = None) -> Result:
    """Render a case to a WAV file and measure the file. An error of the suite becomes part of the result.

    Args:
        case: what is rendered.
        pitch_method: ``praat`` or ``pyin``.
        table: used in place of the timbre's own.
    """
    import soundfile

    import vqsynth
    from vqsynth.control.request import Request
    from vqsynth.errors import VqsynthError
    from vqsynth.render.played.play import PlayedOptions
    from vqsynth.render.render import RenderSettings, render

    requests = [
        Request(name, target, case.range if i == 0 and case.range else None)
        for i, (name, target) in enumerate(case.asked)
    ]
    # How closely codes follow a curve is asked of codes: what players add is measured by benchmarks.life.
    chosen = {"played": PlayedOptions(life=0), **dict(case.settings)}
    settings = RenderSettings(duration=case.seconds, seed=case.seed, **chosen)
    timbre = vqsynth.load(case.timbre)
    if table is not None:
        timbre.__dict__["table"] = table  # where the folder's own would be kept once read
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        path = Path(folder) / "out.wav"
        try:
            done = render(timbre, requests, settings, output=path, figure=False)
        except VqsynthError as error:
            return Result(case, {}, np.nan, np.nan, {}, np.nan, np.nan, error=str(error))
        audio, sample_rate = soundfile.read(path, dtype="float32")
    resolved = {goal.name: goal for goal in done.resolved}
    grid = done.curves["time"]
    scores = {}
    for name, _ in case.asked:
        wanted = resolved[name].values
        found = measure(name, audio, sample_rate, float(wanted.min()), float(wanted.max()), pitch_method)
        scores[name] = compare(*found, lambda times, v=wanted: np.exp(np.interp(times, grid, np.log(v))))
    first = resolved[case.asked[0][0]]
    trims = {
        "bend_cents": float(np.abs(done.curves["bend_cents"]).mean()),
        "tilt_db_per_octave": float(np.abs(done.curves["tilt_db_per_octave"]).mean()),
        "curve_db_per_octave2": float(np.abs(done.curves["curve_db_per_octave2"]).mean()),
    }
    ratio = done.report["roughness"]["ratio"]
    return Result(
        case,
        scores,
        first.low,
        first.high,
        trims,
        np.nan if ratio is None else ratio,
        *movement(audio, sample_rate, pitch_method),
        len(np.unique(done.curves["code"])),
    )


def movement(audio: np.ndarray, sample_rate: int, pitch_method: str = "praat") -> tuple[float, float]:
    """How much the pitch moves, in cents: median change between neighbouring frames, and 5th to 95th percentile."""
    _, f0 = measure("f0", audio, sample_rate, 75.0, 2000.0, pitch_method)
    cents = 1200 * np.log2(f0)
    change = np.abs(np.diff(cents))
    if not np.isfinite(change).any():
        return np.nan, np.nan
    return float(np.nanmedian(change)), float(np.ptp(np.nanpercentile(cents, [5, 95])))


def tracking_cases(
    timbre: str, descriptors: tuple[str, ...] = DESCRIPTORS, targets: tuple[str, ...] = TARGETS
) -> list[Case]:
    """Every descriptor, target and configuration alone."""
    return [
        Case(timbre, configuration, ((descriptor, target),), tuple(settings.items()))
        for descriptor in descriptors
        for target in targets
        for configuration, settings in CONFIGURATIONS.items()
        if not ("free" in configuration and descriptor == "f0")
    ]


def held_cases(timbre: str) -> list[Case]:
    """A centroid sine while f0 holds a note: those nearest to the quartiles of the table's pitches."""
    import vqsynth

    table = vqsynth.load(timbre).table
    if "f0" not in table.names or not np.isfinite(table.column("f0")).any():
        return []
    notes = dict.fromkeys(note_name(f0) for f0 in np.atleast_1d(table.percentile("f0", np.array(QUARTILES))))
    return [Case(timbre, "default", (("centroid", "sin"), ("f0", note))) for note in notes]


def note_name(f0: float) -> str:
    """The equal-tempered note nearest to a frequency in Hz, such as ``Bb3``."""
    number = round(69 + 12 * np.log2(f0 / 440))
    return ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")[number % 12] + str(number // 12 - 1)
