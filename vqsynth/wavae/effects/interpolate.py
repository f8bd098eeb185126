"""Interpolation between two recordings, or among four: sound, figure and demonstration.

Both sounds are encoded, their latent paths mixed frame by frame, and the mixture decoded.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vqsynth.control.level import check_gain
from vqsynth.control.limits import check_seed
from vqsynth.control.targets import parse_target
from vqsynth.errors import UsageError, collect_warnings, warn
from vqsynth.storage.atomic import check_apart, together
from vqsynth.storage.sound_file import check_output, open_sound
from vqsynth.wavae.effects.input import encode_recording
from vqsynth.wavae.effects.output import decode_file
from vqsynth.wavae.paths import plane
from vqsynth.wavae.paths.mixing import mix, ramp, reconcile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vqsynth.wavae.domain import Domain
    from vqsynth.wavae.paths.latent_path import LatentPath

PITCH = {"glide": "track", "free": "free"}
"""How the sounds are encoded."""
PAUSE_SECONDS = 0.5
"""Silence between the sounds of a demonstration."""


@dataclasses.dataclass
class Interpolated:
    """What was made.

    Attributes:
        seconds: length of the interpolation.
        frames: latent frames.
        files: everything that was written.
        sounds: what was interpolated, as it was encoded, then the interpolation, each [samples].
        weights: of the sounds, [frames, sounds].
        warnings: what went less than well.
    """

    seconds: float
    frames: int
    files: list[Path]
    sounds: list[np.ndarray]
    weights: np.ndarray
    warnings: list[str]


def crossfade(spec: str, times: np.ndarray, duration: float, seed: int = 0) -> np.ndarray:
    """Weight of B over time from a target: a shape over 0..1, a number or curve within it, or a recording's loudness.

    Shape: times [frames] s -> [frames]

    Raises:
        UsageError: the target cannot be read, or leaves 0..1.
    """
    from vqsynth.control.targets.recording import RecordingTarget

    target = parse_target(spec, descriptor="loudness", seed=seed)
    stretched = target.needs_range or isinstance(target, RecordingTarget)
    values = target.values(times, duration, *((0.0, 1.0) if stretched else (None, None)))
    if values.min() < 0 or values.max() > 1:
        raise UsageError(
            f"runs from {values.min():.4g} to {values.max():.4g}; a crossfade goes from 0 (all A) to 1 (all B)",
            field="curve",
            value=spec,
        )
    return values


def weights_of(
    path: LatentPath, sounds: int, curve: str | None, point: str | None, trajectory: str | Path | None, seed: int = 0
) -> np.ndarray:
    """Weights of two or four sounds. Shape: [frames, sounds].

    Raises:
        UsageError: options that do not fit the number of sounds, or that cannot be read.
    """
    frames, duration = len(path), path.samples / path.sample_rate
    if sounds == 2:
        share = ramp(frames) if curve is None else crossfade(curve, path.times, duration, seed)
        return np.stack([1 - share, share], -1)
    if point is not None:
        x, y = (np.full(frames, value) for value in plane.parse_point(point))
    else:
        assert trajectory is not None  # the request was checked
        points = plane.read_trajectory(trajectory)
        if points[-1, 0] > duration + 1 / path.rate:
            warn(
                f"{trajectory}: lasts {points[-1, 0]:.4g} s, the sound {duration:.4g} s; "
                f"the rest is not heard (`length={points[-1, 0]:.4g}`)"
            )
        x, y = plane.along(points, path.times)
    return plane.corner_weights(x, y)


def check_request(
    sources: Sequence[Path], output: Path, curve: str | None, point: str | None, trajectory: Path | None
) -> None:
    """Refuse what makes no sense, before any work is done.

    Raises:
        UsageError: not two or four sounds, options for another number, or an output that is an input.
    """
    if len(sources) not in (2, 4):
        raise UsageError(f"{len(sources)} sound(s): give two to go from A to B, or four with `point` or `trajectory`")
    if len(sources) == 2 and (point is not None or trajectory is not None):
        raise UsageError(
            "lies between four sounds, but there are two; give four, or use `curve`",
            field="point" if point is not None else "trajectory",
        )
    if len(sources) == 4:
        if curve is not None:
            raise UsageError(
                "is a crossfade of two sounds, but there are four; use `trajectory`", field="curve", value=curve
            )
        if (point is None) == (trajectory is None):
            raise UsageError("four sounds: give either `point=x,y` or `trajectory=plane.csv`")
        # Read now, so that a mistake is told before four sounds are encoded.
        if point is not None:
            plane.parse_point(point)
        if trajectory is not None:
            plane.read_trajectory(trajectory)
    for written in (output, demo_name(output)):
        check_apart(written, *sources, trajectory)


def demo_name(output: Path) -> Path:
    """Where the demonstration of an interpolation is written."""
    return output.with_name(f"{output.stem}_demo{output.suffix}")


@together()
def interpolate(
    sources: Sequence[Path],
    domain: Domain,
    output: Path,
    *,
    curve: str | None = None,
    point: str | None = None,
    trajectory: Path | None = None,
    length: str = "longest",
    level: str = "match",
    pitch: str = "glide",
    gain_db: float = 0.0,
    seed: int = 0,
    bits: str = "16",
    figure: bool = True,
    demo: bool = False,
    progress: Callable[[str, float], None] = lambda task, share: None,
) -> Interpolated:
    """Interpolate recordings into a WAV or FLAC file, with ``OUT.png`` and ``OUT_demo.wav`` beside it.

    Args:
        sources: two recordings, or four.
        domain: the model.
        output: the file.
        curve: another crossfade than n / N (:func:`crossfade`).
        point: between four sounds, ``x,y`` (:mod:`vqsynth.wavae.paths.plane`).
        trajectory: between four sounds, a file of points.
        length: as for :func:`vqsynth.wavae.paths.mixing.reconcile`.
        level: as for :func:`vqsynth.wavae.effects.input.encode_recording`.
        pitch: ``glide`` mixes the pitches of voices in octaves (:func:`vqsynth.wavae.paths.mixing.mix`), where the
            model controls them; ``free`` leaves pitch to the latents.
        gain_db: added to all that is heard.
        seed: of the noise, and of a curve that walks.
        bits: ``16``, ``24`` or ``32f``.
        figure: whether to draw.
        demo: whether to write A, B and the result one after the other.
        progress: told the task (encoding, decoding) and the share of it that is done.

    Raises:
        UsageError: the request makes no sense.
        VqsynthError: a file cannot be read or written, or is too short.
    """
    with collect_warnings() as warnings:
        check_request(sources, output, curve, point, trajectory)
        if pitch not in PITCH:
            raise UsageError("choose glide or free", field="pitch", value=pitch)
        check_output(output, bits)
        check_gain(gain_db)
        check_seed(seed)
        encoded = []
        for number, source in enumerate(sources, 1):
            encoded.append(encode_recording(source, domain, level, PITCH[pitch]))
            progress("encoding", number / len(sources))
        paths = reconcile([path for _, path, _ in encoded], length, domain.model.frames_of)
        weights = weights_of(paths[0], len(sources), curve, point, trajectory, seed)
        mixed = mix(paths, weights)
        sounds = [audio * np.float32(10 ** (gain_db / 20)) for audio, _, _ in encoded]
        sounds.append(decode_file(mixed, domain, output, seed, gain_db, bits))
        progress("decoding", 1.0)
        rate, files = domain.config.sample_rate, [output]
        if figure:
            files.append(output.with_suffix(".png"))
            draw(files[-1], sources, sounds, weights, mixed, length)
        if demo:
            files.append(demo_name(output))
            pause = np.zeros(round(PAUSE_SECONDS * rate), np.float32)
            with open_sound(files[-1], rate, bits) as sound:
                for number, part in enumerate(sounds):
                    sound.write(pause[: len(pause) * bool(number)])
                    sound.write(part)
        return Interpolated(len(sounds[-1]) / rate, len(mixed), files, sounds, weights, warnings)


def draw(
    path: Path,
    sources: Sequence[Path],
    sounds: Sequence[np.ndarray],
    weights: np.ndarray,
    mixed: LatentPath,
    length: str = "longest",
) -> Figure:
    """Draw mel spectrograms of the sounds and their interpolation, its pitch, the weights, and the plane of four.

    Raises:
        VqsynthError: the figure cannot be written.
    """
    from vqsynth.figures.mel import STRIP_HEIGHT, blank, draw_panels, draw_pitch, mel_panels, save

    letters, rate, samples = plane.NAMES[: len(sources)], mixed.sample_rate, len(sounds[-1])
    panels = []
    for letter, source, sound in zip(letters, sources, sounds):
        title = f"{letter}: {source.name}"
        if len(sound) > samples and length == "shortest":
            title += f" (the first {samples / rate:.2f} s of {len(sound) / rate:.2f} s)"
            sound = sound[:samples]
        elif len(sound) != samples:
            title += f" ({len(sound) / rate:.2f} s; its path is fitted to {samples / rate:.2f} s)"
        panels.append((title, sound))
    how = "A to B" if len(sources) == 2 else "between A, B, C and D"
    panels.append((f"{how}: interpolation of latent paths, {mixed.domain}", sounds[-1]))
    # Weights that stand still may lie on one another; their numbers do not.
    still = np.ptp(weights, 0).max() == 0
    names = [f"{letter} {weight:.3g}" if still else letter for letter, weight in zip(letters, weights[0])]
    strip = ("weight", mixed.times, dict(zip(names, weights.T)))
    if len(sources) == 2:
        figure = mel_panels(None, panels, mixed.sample_rate, strip=strip)
        shown: Sequence[Axes] = figure.axes
    else:
        figure = blank(14.0, 0.9 + 1.8 * (len(panels) + STRIP_HEIGHT))
        left, right = np.atleast_1d(np.asarray(figure.subfigures(1, 2, width_ratios=(2.4, 1))))
        shown = draw_panels(left, panels, mixed.sample_rate, strip=strip)
        x, y = weights[:, 1] + weights[:, 3], weights[:, 2] + weights[:, 3]
        place = right.add_gridspec(2, 1, height_ratios=(1, 1.1))[0]
        plane.draw_plane(right.add_subplot(place), x, y, mixed.times, [source.stem for source in sources])
    if mixed.pitched:
        draw_pitch(shown[len(panels) - 1], mixed.times, mixed.pitch, mixed.voicing)
    save(figure, path)
    return figure
