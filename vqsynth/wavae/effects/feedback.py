"""Feedback shaping, offline: curves and a seed in, sound, figure and report out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vqsynth.control.limits import check_seed
from vqsynth.errors import UsageError, VqsynthError, collect_warnings
from vqsynth.storage.atomic import check_apart, json_text, together, write_text
from vqsynth.storage.sound_file import check_output, open_sound
from vqsynth.streaming.band_pass import SEGMENT
from vqsynth.version import versions
from vqsynth.wavae.effects.feedback_curves import Drawn, length, read_loop_curve
from vqsynth.wavae.effects.feedback_loop import BLOCK, BREATH_DB, CEILING_DB, FeedbackLoop
from vqsynth.wavae.effects.way_back import FLOOR_LUFS

if TYPE_CHECKING:
    from vqsynth.wavae.domain import Domain

SECONDS = 20.0
"""Length when neither the user, a curve nor the input says."""
SHORTEST, LONGEST = 0.1, 3600.0
START_SECONDS, START_DB = 0.2, -30.0
"""The burst of white noise that a loop without input starts from; root mean square."""
_FADE_SECONDS = 0.005

Progress = Callable[[str, float], None]
"""Told what is being done and the share done, 0..1."""


@dataclasses.dataclass(frozen=True)
class FeedbackSettings:
    """How a loop runs.

    Attributes:
        frequency: of the band in Hz, a curve; see :data:`vqsynth.wavae.effects.feedback_curves.Drawn`.
        q: quality of the band, a curve likewise.
        feedback: gain of a pass, a curve likewise.
        duration: seconds; None takes that of the longest curve file, else of the input, else 20.
        block: samples of a block; the loop's delay is one block.
        delay_ms: added to it.
        breath_db: noise in the band relative to the signal.
        seed: of all noise.
        bits: ``16``, ``24`` or ``32f``.
    """

    frequency: Drawn = "sin"
    q: Drawn = 5.0
    feedback: Drawn = 2.0
    duration: float | None = None
    block: int = BLOCK
    delay_ms: float = 0.0
    breath_db: float = BREATH_DB
    seed: int = 0
    bits: str = "16"


@dataclasses.dataclass
class Feedback:
    """A finished run.

    Attributes:
        audio: float32 [samples].
        report: what ``OUT.json`` holds.
        files: everything that was written.
        curves: frequency (Hz), q and feedback at every 64th sample, each [ceil(samples / 64)].
    """

    audio: np.ndarray
    sample_rate: int
    curves: dict[str, np.ndarray]
    report: dict[str, Any]
    files: list[Path]


@together()
def feedback(
    domain: Domain,
    settings: FeedbackSettings = FeedbackSettings(),
    source: str | Path | np.ndarray | None = None,
    output: str | Path | None = None,
    figure: bool = True,
    progress: Progress | None = None,
) -> Feedback:
    """Run the loop of :mod:`vqsynth.wavae.effects.feedback_loop` and listen to the model.

    Args:
        domain: the model.
        settings: of the loop.
        source: a recording, or audio [samples] at the model's rate, mixed into the model's input; without it the
            loop starts from a short burst of noise.
        output: WAV or FLAC file; beside it go ``.json`` and, with ``figure``, ``.png``.
        figure: whether to draw.
        progress: called with the share that is done, 0 to 1.

    Raises:
        UsageError: a setting or a curve that makes no sense; the message says what is possible.
        VqsynthError: a file cannot be read or written.
    """
    with collect_warnings() as warnings:
        check_seed(settings.seed)
        rate = domain.config.sample_rate
        if output is not None:
            check_output(output, settings.bits)
            check_apart(output, source if isinstance(source, (str, Path)) else None)
        drawn = {
            name: read_loop_curve(name, getattr(settings, name), settings.seed, rate)
            for name in ("frequency", "q", "feedback")
        }
        loop = FeedbackLoop(
            domain, block=settings.block, delay_ms=settings.delay_ms, breath_db=settings.breath_db, seed=settings.seed
        )
        entering = _input(source, rate, settings.seed)
        default = SECONDS if source is None else len(entering) / rate
        seconds = settings.duration if settings.duration is not None else length(list(drawn.values()), default)
        if not SHORTEST <= seconds <= LONGEST:
            raise UsageError(f"give {SHORTEST:g} to {LONGEST:g} s", field="duration", value=f"{seconds:g}")
        samples = round(seconds * rate)
        curves = {name: curve.sample(samples, rate) for name, curve in drawn.items()}
        audio = _run(loop, entering, curves, samples, progress)
        from vqsynth.wavae.effects.feedback_report import measure

        report = {
            "model": domain.name,
            "settings": {**dataclasses.asdict(settings), **{n: c.text for n, c in drawn.items()}, "duration": seconds},
            "input": str(source) if isinstance(source, (str, Path)) else "noise burst" if source is None else "given",
            "sample_rate": rate,
            "samples": samples,
            "pass_samples": loop.pass_length,
            "model_delay_samples": loop.model_latency,
            "training_lufs": domain.level,
            "output_ceiling_db": CEILING_DB,
            "noise_floor_lufs": FLOOR_LUFS,
            "curves": {
                name: {"low": float(values.min()), "high": float(values.max())} for name, values in curves.items()
            },
            "measured": measure(audio, rate, curves["frequency"], curves["feedback"], loop.pass_length),
            "versions": versions(),
            "warnings": warnings,
        }
        done = Feedback(audio, rate, curves, report, [])
        if output is not None:
            _write(done, Path(output), settings.bits, figure)
        return done


def burst(rate: int, seed: int) -> np.ndarray:
    """The noise that a loop without input starts from. Shape: [START_SECONDS * rate]."""
    noise = np.random.default_rng([seed, 1]).standard_normal(round(START_SECONDS * rate))
    return 10 ** (START_DB / 20) * noise * np.hanning(len(noise))


def _input(source: str | Path | np.ndarray | None, rate: int, seed: int) -> np.ndarray:
    """What is mixed into the model's input. Shape: [samples]."""
    if source is None:
        return burst(rate, seed)
    if isinstance(source, np.ndarray):
        if source.ndim != 1 or not np.isfinite(source).all():
            raise VqsynthError("the input must be one row of finite samples")
        return source
    from vqsynth.corpus.files import read_mono

    return read_mono(source, rate)


def _run(
    loop: FeedbackLoop, entering: np.ndarray, curves: dict[str, np.ndarray], samples: int, progress: Progress | None
) -> np.ndarray:
    """Block by block until the limiter has given all samples. Shape: [samples]."""
    block, late = loop.block, loop.latency
    audio = np.zeros(-(-(samples + late) // block) * block, np.float32)
    entering = np.pad(entering[: len(audio)], (0, max(0, len(audio) - len(entering))))
    last = len(curves["frequency"]) - 1
    for start in range(0, len(audio), block):
        here = slice(start, start + block)
        at = np.minimum(np.arange(start, start + block) // SEGMENT, last)
        audio[here] = loop.push(entering[here], *(curves[name][at] for name in ("frequency", "q", "feedback")))
        if progress is not None:
            progress("feeding back", min(1.0, (start + block) / len(audio)))
    audio = audio[late : late + samples]
    fade = min(samples, round(_FADE_SECONDS * loop.sample_rate))
    audio[samples - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return audio


def _write(done: Feedback, output: Path, bits: str, figure: bool) -> None:
    """Sound, figure and report; the report, which says that all is there, comes last."""
    json_text(done.report)  # told before the work of writing if it cannot be
    with open_sound(output, done.sample_rate, bits) as sound:
        sound.write(done.audio)
    done.files += [output, output.with_suffix(".json")]
    if figure:
        from vqsynth.figures.feedback import draw

        done.files.append(output.with_suffix(".png"))
        draw(done.files[-1], done.audio, done.sample_rate, done.curves, done.report["model"])
    write_text(output.with_suffix(".json"), json_text(done.report))
