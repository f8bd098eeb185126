"""What a whole corpus amounts to: totals, the gaps between its notes, and advice before training."""

from __future__ import annotations

import csv
import dataclasses
import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vqsynth.corpus.check import LEFT_OUT, USED, VARIED, FileReport
from vqsynth.dsp.notes import note_name
from vqsynth.storage.atomic import atomic_path

GAP_SEMITONES = 3.0
_TUNING_SEMITONES = 0.25  # notes are seldom in tune to the cent
_ENOUGH_SECONDS = 60.0
_LEVEL_SPREAD_DB = 20.0
_RANGE_SEMITONES = 7.0


@dataclass(frozen=True)
class Summary:
    """Counts per decision, seconds of sound, pitch range in Hz, and what to know before training.

    ``seconds`` is of all readable files, ``seconds_kept`` of used and varied ones, ``seconds_sounding`` of
    those without silence. ``gaps`` are (lower Hz, upper Hz, semitones) between neighbouring single notes.
    """

    counts: dict[str, int]
    seconds: float
    seconds_kept: float
    seconds_sounding: float
    pitch_range: tuple[float, float] | None
    gaps: list[tuple[float, float, float]]
    advice: list[str]


def summarise(reports: list[FileReport], sample_rate: int = 44100) -> Summary:
    """Sum up the reports of :func:`vqsynth.corpus.check.check`; ``sample_rate`` is the training rate in Hz."""
    kept = [r for r in reports if r.decision != LEFT_OUT]
    counts = {d: sum(r.decision == d for r in reports) for d in (USED, VARIED, LEFT_OUT)}
    sounding = sum(r.seconds * (1 - r.silence) for r in kept)
    notes = sorted(r.note for r in kept if r.note is not None)
    pairs = [(low, high, 12 * float(np.log2(high / low))) for low, high in itertools.pairwise(notes)]
    gaps = [pair for pair in pairs if pair[2] > GAP_SEMITONES + _TUNING_SEMITONES]
    pitched = [r for r in kept if r.voiced >= 0.2]
    lows = [r.pitch_low for r in pitched if r.pitch_low is not None]
    highs = [r.pitch_high for r in pitched if r.pitch_high is not None]
    pitch_range = (min(lows), max(highs)) if lows and highs else None
    return Summary(
        counts,
        sum(r.seconds for r in reports),
        sum(r.seconds for r in kept),
        sounding,
        pitch_range,
        gaps,
        _advice(kept, reports, sounding, gaps, pitch_range, sample_rate),
    )


def _advice(
    kept: list[FileReport],
    reports: list[FileReport],
    sounding: float,
    gaps: list[tuple[float, float, float]],
    pitch_range: tuple[float, float] | None,
    sample_rate: int,
) -> list[str]:
    if not kept:
        return ["No file can be used: nothing to train on. See the reasons above."]
    advice = []
    if sounding < _ENOUGH_SECONDS:
        advice.append(
            f"Only {sounding:.0f} s of sound: a timbre wants {_ENOUGH_SECONDS:.0f} s or more; "
            "training works with less but knows fewer sounds."
        )
    notes = sum(r.decision == VARIED for r in kept)
    if gaps:
        where = ", ".join(f"{note_name(low)} to {note_name(high)} ({size:.1f})" for low, high, size in gaps[:8])
        more = f" and {len(gaps) - 8} more" if len(gaps) > 8 else ""
        advice.append(
            f"Gaps between pitches over {GAP_SEMITONES:.0f} semitones: {where}{more}. "
            "The notes on both sides will be varied to fill them; add notes there for a truer sound."
        )
    elif notes > 1:
        advice.append(f"The {notes} single notes lie close together; they will be varied to fill what is between.")
    if pitch_range is None:
        advice.append("No pitch found: the timbre will follow brightness and width, but not f0 targets.")
    elif 12 * np.log2(pitch_range[1] / pitch_range[0]) < _RANGE_SEMITONES:
        low, high = map(note_name, pitch_range)
        advice.append(f"Narrow pitch range, {low} to {high}: f0 targets outside it will be out of reach.")
    dull = [r for r in kept if r.sample_rate < 0.9 * sample_rate]
    if dull:
        top = min(r.sample_rate for r in dull) / 2000
        advice.append(
            f"{len(dull)} of {len(kept)} files have a rate below {sample_rate} Hz and hold nothing above "
            f"{top:.1f} kHz: the timbre will be as dull, and mixed with brighter recordings they teach two timbres."
        )
    levels = [r.level for r in kept if r.level is not None]
    if len(levels) > 1 and max(levels) - min(levels) > _LEVEL_SPREAD_DB:
        advice.append(
            f"Levels differ by {max(levels) - min(levels):.0f} dB between files; the model is free of loudness, "
            "but check that the quietest are not noise."
        )
    clipped = [r for r in reports if r.clipped > 0.001]
    if clipped:
        advice.append(f"{len(clipped)} files have flat tops: record or export them again at a lower level.")
    return advice


def write_csv(path: str | Path, reports: list[FileReport]) -> None:
    """Write one row a file, whole or not at all.

    Raises:
        VqsynthError: the folder is missing or cannot be written to.
    """
    columns = [field.name for field in dataclasses.fields(FileReport)]
    with atomic_path(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(columns)
        for report in reports:
            writer.writerow(["" if (v := getattr(report, c)) is None else v for c in columns])
