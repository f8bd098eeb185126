"""How well a render did: its sound measured again, compared with what was asked for, written down."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vqsynth import descriptors
from vqsynth.control.resolve import ResolvedTarget
from vqsynth.corpus.blocks import pieces
from vqsynth.errors import VqsynthError
from vqsynth.storage.atomic import atomic_path, json_text, write_text
from vqsynth.storage.sound_file import open_sound
from vqsynth.storage.spool import AudioSpool
from vqsynth.vqvae.config import ModelConfig

BLOCK_SECONDS, MARGIN_SECONDS = 26.0, 1.5


def measure_sound(
    sound: AudioSpool,
    names: Sequence[str],
    config: ModelConfig,
    scale: float = 1.0,
    bits: str | None = None,
    threads: int = 1,
) -> dict[str, np.ndarray]:
    """Measure descriptors of a whole sound, as a file of ``bits`` will hold it, in bounded memory.

    Returns:
        name -> float64 [1 + samples // hop_length] in the descriptor's unit, NaN where it cannot be measured
        (unvoiced, silent).
    """
    frames = 1 + sound.samples // config.hop_length
    values = {name: np.full(frames, np.nan) for name in names}
    block, margin = (round(s * config.frame_rate) for s in (BLOCK_SECONDS, MARGIN_SECONDS))
    for piece in pieces(sound.blocks(scale, bits), config.hop_length, block, margin):
        found = descriptors.measure(
            names, piece.audio, config.sample_rate, config.n_fft, config.hop_length, threads=threads
        )
        for name, measurement in found.items():
            measured = np.where(measurement.valid, measurement.values, np.nan)
            values[name][piece.frames] = measured[piece.keep]
    return values


MEAN_SECONDS = 0.5
"""Span over which what a player does around a target is averaged out."""


def sliding_mean(values: np.ndarray, use: np.ndarray, log: bool, frame_rate: float) -> np.ndarray:
    """Mean over half a second around each frame that counts, of octaves where equal ratios sound equal.

    Shape: values, use (bool) [frames] -> [frames], NaN where nothing counts
    """
    half = max(1, round(MEAN_SECONDS * frame_rate)) // 2
    scaled = np.log2(np.maximum(values, 1e-9)) if log else values
    sums = np.concatenate([[0.0], np.cumsum(np.where(use, scaled, 0.0))])
    counts = np.concatenate([[0], np.cumsum(use)])
    at = np.arange(len(values))
    low, high = np.maximum(at - half, 0), np.minimum(at + half + 1, len(values))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(use, (sums[high] - sums[low]) / (counts[high] - counts[low]), np.nan)
    return np.exp2(mean) if log else mean


def compare(goal: ResolvedTarget, measured: np.ndarray, frame_rate: float) -> dict[str, Any]:
    """Agreement of one descriptor with its target over the frames where it counts, and of their half-second means.

    Pearson's r is None for a target that does not move. Decibels are compared by difference, everything else
    by relative error; a pitch also in cents.
    """
    known = np.isfinite(measured)
    use = goal.mask & known
    counted = int(goal.mask.sum())
    result: dict[str, Any] = {
        "target": goal.target,
        "unit": goal.unit,
        "held": goal.held,
        "weight": goal.weight,
        "range": goal.range,
        "low": goal.low,
        "high": goal.high,
        "reach_low": goal.reach[0],
        "reach_high": goal.reach[1],
        "frames": counted,
        "measured_frames": int(use.sum()),
    }
    target, found = (sliding_mean(x, use, goal.log, frame_rate)[use] for x in (goal.values, measured))
    result["mean"] = _agreement(goal, target, found, counted)
    return {**result, **_agreement(goal, goal.values[use], measured[use], counted)}


def _agreement(goal: ResolvedTarget, target: np.ndarray, found: np.ndarray, counted: int) -> dict[str, Any]:
    """Correlation and error over the frames that count. Shape: 2 x [n]."""
    result: dict[str, Any] = {}
    moves = len(target) > 2 and target.std() > 1e-3 * abs(target.mean()) and found.std() > 0
    result["pearson"] = float(np.corrcoef(target, found)[0, 1]) if moves else None
    if goal.unit in ("LUFS", "dB"):
        result["median_error_db"] = float(np.median(np.abs(found - target))) if len(target) else None
    else:
        result["median_relative_error"] = float(np.median(np.abs(found / target - 1))) if len(target) else None
    if goal.name == "f0":
        cents = 1200 * np.abs(np.log2(found / target))
        result["median_cents"] = float(np.median(cents)) if len(cents) else None
        result["within_20_cents"] = float(np.sum(cents <= 20) / max(1, counted))
        result["voiced_fraction"] = float(len(found) / max(1, counted))
    return result


def roughness(codes: np.ndarray, codebook: np.ndarray, real: float | None) -> dict[str, float | None]:
    """Mean latent jump a frame, and that of real playing (None where the card has none)."""
    total, block = 0.0, 65_536
    for start in range(0, len(codes) - 1, block):
        vectors = codebook[codes[start : start + block + 1]]
        total += float(np.linalg.norm(np.diff(vectors, axis=0), axis=1).sum())
    value = total / max(1, len(codes) - 1)
    return {"value": value, "real_playing": real, "ratio": value / real if real else None}


def usage(trims: dict[str, np.ndarray], rounds: int) -> dict[str, Any]:
    """How much the trims were used: means of absolute values, and the share of frames at a limit."""
    from vqsynth.render.synthesise import BEND_LIMIT
    from vqsynth.render.trim import TILT_LIMIT

    tilt, bend = np.abs(trims["tilt_db_per_octave"]), np.abs(trims["bend_cents"])
    return {
        "rounds": rounds,
        "mean_tilt_db_per_octave": float(tilt.mean()),
        "mean_curve_db_per_octave2": float(np.abs(trims["curve_db_per_octave2"]).mean()),
        "mean_bend_cents": float(bend.mean()),
        "tilt_at_limit": float(np.mean(tilt > 0.999 * TILT_LIMIT)),
        "bend_at_limit": float(np.mean(np.isclose(bend, BEND_LIMIT, rtol=1e-3))),
    }


def curves(
    times: np.ndarray,
    resolved: Sequence[ResolvedTarget],
    measured: dict[str, np.ndarray],
    codes: np.ndarray,
    gain_db: np.ndarray,
    trims: dict[str, np.ndarray],
    frame_rate: float,
) -> dict[str, np.ndarray]:
    """Everything that moves in a render, by the names of the table's columns, each [frames]."""
    found = {"time": times}
    found |= {f"target_{goal.name}": np.where(goal.mask, goal.values, np.nan) for goal in resolved}
    found |= {f"measured_{name}": values for name, values in measured.items()}
    found |= {
        f"mean_{goal.name}": sliding_mean(
            measured[goal.name], goal.mask & np.isfinite(measured[goal.name]), goal.log, frame_rate
        )
        for goal in resolved
    }
    return {**found, "code": codes, "gain_db": gain_db, **trims}


def write(
    path: Path,
    sound: AudioSpool,
    scale: float,
    config: ModelConfig,
    bits: str,
    figure: bool,
    resolved: Sequence[ResolvedTarget],
    measured: dict[str, np.ndarray],
    found: dict[str, np.ndarray],
    report: dict[str, Any],
) -> None:
    """Write the sound and what goes beside it; the report, which says that all is there, comes last."""
    with open_sound(path, config.sample_rate, bits) as file:
        for block in sound.blocks(scale):
            file.write(block)
    if figure:
        from vqsynth.figures.render import draw

        asked = ", ".join(f"{goal.name} {Path(goal.target).name}" for goal in resolved)
        means = {name: found[f"mean_{name}"] for name in measured} if "played" in report else {}
        title = f"{report['timbre']}: {asked}"
        draw(
            path.with_suffix(".png"),
            sound,
            config.sample_rate,
            config.n_fft,
            resolved,
            measured,
            found["time"],
            title,
            means,
        )
    write_csv(path.with_suffix(".csv"), found)
    write_json(path.with_suffix(".json"), report)


def write_json(path: Path, report: dict[str, Any]) -> None:
    """Write the report, whole or not at all."""
    write_text(path, json_text(report))


def write_csv(path: Path, curves: dict[str, np.ndarray]) -> None:
    """Write curves [frames] as columns; NaN becomes an empty cell.

    Raises:
        VqsynthError: a curve is infinite, or the file cannot be written.
    """
    for name, values in curves.items():
        if np.isinf(values).any():
            raise VqsynthError(
                f"{path}: was not written, since {name} is infinite; give smaller targets, weights or gains"
            )
    formats = {
        name: "%d" if values.dtype.kind in "iu" else "%.4f" if name == "time" else "%.6g"
        for name, values in curves.items()
    }
    line = ",".join(formats.values())
    with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, lineterminator="\n").writerow(curves)
        columns = list(curves.values())
        for start in range(0, len(columns[0]), 8192):
            rows = zip(*(values[start : start + 8192].tolist() for values in columns))
            handle.write("".join(line % row + "\n" for row in rows).replace("nan", ""))
