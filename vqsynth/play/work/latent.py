"""The continuous model: sounds to paths, edits, mixtures, sound again; transfer and feedback."""

from __future__ import annotations

import dataclasses
import shlex
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from vqsynth.play.answers import CURVE_POINTS, Body, Refused
from vqsynth.play.jobs import Tell
from vqsynth.play.models import Models
from vqsynth.play.sessions import WAV, Session
from vqsynth.play.sounds import store
from vqsynth.play.work.asked import curve_text
from vqsynth.wavae.effects import decoding
from vqsynth.wavae.effects.input import encode_recording
from vqsynth.wavae.paths import mixing, plane
from vqsynth.wavae.paths import operators as bend
from vqsynth.wavae.paths.latent_path import LatentPath
from vqsynth.wavae.paths.path_file import save as save_path

PATH_SECONDS = 600.0
DECODED_BYTES = 64 << 20
"""Of a decode, kept for the next one: some four minutes."""
Name = Annotated[str, Field(max_length=80)]
Id = Annotated[str, Field(max_length=40)]
Axes = Annotated[list[int], Field(min_length=1, max_length=4096)] | None


class Encode(Body):
    """A sound to be encoded."""

    model: Name
    sound: Id
    pitch: Literal["track", "free"] = "track"
    level: Literal["match", "raw"] = "match"
    latest: Id | None = None


class Step(Body):
    """One edit."""

    op: Literal[
        "draw",
        "scale",
        "bias",
        "randomize",
        "smooth",
        "reverse",
        "transpose",
        "pitch-scale",
        "loudness-scale",
        "loudness-offset",
        "loudness",
        "pitch",
        "voicing",
    ]
    axis: int | None = Field(default=None, ge=0)
    control: Literal["loudness", "pitch", "voicing", "centroid"] | None = None
    start: int = Field(default=0, ge=0)
    values: Annotated[list[float], Field(min_length=1, max_length=CURVE_POINTS)] | None = None
    axes: Axes = None
    amount: float | None = None
    seed: int = Field(default=0, ge=0, le=2**53)
    value: str | float | None = None


class Edit(Body):
    """Edits, in their order."""

    steps: list[Step] = Field(min_length=1, max_length=256)


class Mix(Body):
    """A place between paths."""

    paths: list[Id] = Field(min_length=2, max_length=4)
    point: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    trajectory: Annotated[list[list[float]], Field(min_length=2, max_length=CURVE_POINTS)] | None = None
    weights: Annotated[list[list[float]], Field(min_length=1, max_length=CURVE_POINTS)] | None = None
    latents: bool = True
    controls: bool = True
    length: float | Literal["longest", "shortest"] = "longest"


class Random(Body):
    """A path that walks around the mean."""

    model: Name
    seconds: float = Field(default=4.0, gt=0.05, le=120)
    seed: int = Field(default=0, ge=0, le=2**53)
    amount: float = Field(default=1.0, ge=0, le=10)
    like: Id | None = None


class Decode(Body):
    """A path to be heard."""

    seed: int = Field(default=0, ge=0, le=2**53)
    gain_db: float = Field(default=0.0, ge=-100, le=60)
    name: Name | None = None
    latest: Id | None = None


def described(id: str, path: LatentPath) -> dict[str, Any]:
    """A path as JSON."""
    return {
        "id": id,
        "model": path.domain,
        "frames": len(path),
        "seconds": path.samples / path.sample_rate,
        "samples": path.samples,
        "rate": path.rate,
        "axes": path.z.shape[1],
        "controls": list(path.names),
        "operations": list(path.operations),
    }


def units(path: LatentPath) -> np.ndarray:
    """Principal coordinates in standard deviations. Shape: [frames, latent_dim] float32."""
    return (path.coordinates / np.maximum(path.pca.std, 1e-9)).astype(np.float32)


def encode(models: Models, session: Session, asked: Encode, tell: Tell) -> dict[str, Any]:
    """A sound's path."""
    tell("loading", 0.0)
    domain, sound = models.domain(asked.model), session.sound(asked.sound)
    tell("encoding", 0.1)
    _, path, _ = encode_recording(sound.folder / WAV, domain, asked.level, asked.pitch)
    path = dataclasses.replace(path, domain=asked.model)
    return {"path": described(session.add_path(path), path)}


def random(models: Models, session: Session, asked: Random) -> dict[str, Any]:
    """A path that walks smoothly around the mean of the model's recordings."""
    domain = models.domain(asked.model)
    config, rate = domain.config, domain.config.sample_rate
    if asked.like is not None:
        base = _fitting(session.path(asked.like), asked.model)
    else:
        samples = round(asked.seconds * rate)
        low, high = domain.pitch_range or (220.0, 440.0)
        held = {"loudness": -20.0, "pitch": float(np.sqrt(low * high)), "voicing": 1.0, "centroid": 1500.0}
        frames = domain.model.frames_of(samples)
        silence = domain.encode(np.zeros(samples, np.float32))
        controls = np.tile(np.array([held[name] for name in config.controls], np.float32), (frames, 1))
        base = dataclasses.replace(silence, controls=controls, domain=asked.model)
    mean = np.tile(base.pca.mean, (len(base), 1)).astype(np.float32)
    path = bend.randomize(dataclasses.replace(base, z=mean, operations=()), asked.amount, seed=asked.seed)
    return {"path": described(session.add_path(path), path)}


def edit(session: Session, id: str, asked: Edit) -> dict[str, Any]:
    """A bent path; the old one stays."""
    path = session.path(id)
    for step in asked.steps:
        path = _step(path, step)
    return {"path": described(session.add_path(path), path)}


def mix(models: Models, session: Session, asked: Mix) -> dict[str, Any]:
    """A path between others."""
    paths = [session.path(id) for id in asked.paths]
    for path in paths[1:]:
        _fitting(path, paths[0].domain)
    if isinstance(asked.length, float) and asked.length > PATH_SECONDS:
        raise Refused(400, f"give at most {PATH_SECONDS:g} s", "length", asked.length)
    model = models.domain(paths[0].domain).model
    paths = mixing.reconcile(paths, asked.length, model.frames_of)
    weights = _weights(asked, paths[0], len(paths))
    mixed = mixing.mix(paths, weights)
    if not asked.latents:
        mixed = dataclasses.replace(mixed, z=paths[0].z)
    if not asked.controls:
        mixed = dataclasses.replace(mixed, controls=paths[0].controls)
    mixed = dataclasses.replace(mixed, operations=(f"mix of {len(paths)}",))
    return {"path": described(session.add_path(mixed), mixed), "weights": weights[0]}


def decode(models: Models, session: Session, id: str, asked: Decode, tell: Tell) -> dict[str, Any]:
    """The sound of a path, with what was decoded before where it is the same."""
    tell("loading", 0.0)
    path = session.path(id)
    domain = models.domain(path.domain)
    audio, done, reused = decoding.decode(path, domain, asked.seed, session.decoded, tell)
    session.decoded = done if done.nbytes <= DECODED_BYTES else None
    audio = audio * np.float32(10 ** (asked.gain_db / 20))
    folder = session.new_folder()
    save_path(folder / "path.npz", path)
    line = ["vqsynth", "wavae", "decode", "path.npz", "--model", path.domain]
    line += ["--gain", repr(asked.gain_db)] if asked.gain_db else []
    line += ["--seed", str(asked.seed)] if asked.seed else []
    rate = path.sample_rate
    sound = store(
        session,
        folder,
        audio,
        rate,
        asked.name or f"{path.domain} path",
        "decode",
        commands=[shlex.join([*line, "--bits", "32f", "-o", WAV])],
        request={"path": id, **asked.model_dump(exclude_defaults=True)},
        curves={"time": path.times.tolist(), **{n: c.tolist() for n, c in zip(path.names, path.controls.T)}},
    )
    return {"sound": sound.answer, "reused_seconds": reused}


def _fitting(path: LatentPath, model: str) -> LatentPath:
    if path.domain != model:
        raise Refused(400, f"the paths must be of one model, {model}; encode the sound with it", "paths", path.domain)
    return path


def _weights(asked: Mix, path: LatentPath, count: int) -> np.ndarray:
    """Weights of the corners. Shape: [frames, paths], rows that sum to 1."""
    given = [name for name in ("point", "trajectory", "weights") if getattr(asked, name) is not None]
    if len(given) != 1:
        raise Refused(400, "give one of point, trajectory and weights", "point")
    frames = len(path)
    if asked.weights is not None:
        rows = {len(row) for row in asked.weights}
        if rows != {count} or len(asked.weights) not in (1, frames):
            raise Refused(400, f"give one row of {count} weights, or {frames} of them", "weights")
        weights = np.broadcast_to(np.array(asked.weights, np.float64), (frames, count))
        total = weights.sum(1, keepdims=True)
        if (weights < 0).any() or (total < 1e-6).any():
            raise Refused(400, "weights must be 0 or more, not all of them 0", "weights")
        return weights / total
    if asked.trajectory is not None:
        if any(len(point) != 3 for point in asked.trajectory):
            raise Refused(400, "write points of a trajectory as [time, x, y]", "trajectory")
        points = np.array(asked.trajectory, np.float64)
        if (np.diff(points[:, 0]) < 0).any():
            raise Refused(400, "times of a trajectory must rise", "trajectory")
        x, y = plane.along(points, path.times)
    else:
        x, y = (np.full(frames, value) for value in asked.point or (0.0, 0.0))
    if min(x.min(), y.min()) < 0 or max(x.max(), y.max()) > 1:
        raise Refused(400, "x and y must be 0 to 1", given[0])
    # Fewer corners share what those that are missing would weigh.
    weights = plane.corner_weights(x, y)[:, :count]
    total = weights.sum(1, keepdims=True)
    weights = np.where(total > 1e-9, weights / np.maximum(total, 1e-9), 1.0 / count)
    return weights / weights.sum(1, keepdims=True)


def _step(path: LatentPath, step: Step) -> LatentPath:
    """One edit."""
    axes = step.axes
    for axis in [*(axes or []), *([] if step.axis is None else [step.axis])]:
        if not 0 <= axis < path.z.shape[1]:
            raise Refused(400, f"the axes are 0 to {path.z.shape[1] - 1}", "axis", axis)
    if step.op == "draw":
        return _draw(path, step)
    if step.op in ("loudness", "pitch", "voicing"):
        if step.value is None:
            raise Refused(400, "give a shape, a note or a number", "value")
        text = curve_text(step.value if isinstance(step.value, str) else f"{step.value:.9g}", "value")
        operator = {"loudness": bend.with_loudness, "pitch": bend.with_pitch, "voicing": bend.with_voicing}
        return operator[step.op](path, text)
    if step.op == "reverse":
        return bend.reverse(path, axes)
    if step.amount is None:
        raise Refused(400, f"{step.op} needs an amount", "amount")
    if step.op == "randomize":
        return bend.randomize(path, step.amount, axes, seed=step.seed)
    if step.op == "smooth":
        return bend.smooth(path, int(step.amount), axes)
    if step.op in ("scale", "bias"):
        return (bend.scale if step.op == "scale" else bend.bias)(path, step.amount, axes)
    controls = {
        "transpose": bend.transpose,
        "pitch-scale": bend.scale_pitch,
        "loudness-scale": bend.scale_loudness,
        "loudness-offset": bend.offset_loudness,
    }
    return controls[step.op](path, step.amount)


def _draw(path: LatentPath, step: Step) -> LatentPath:
    """Values of some frames, of an axis or a control."""
    if step.values is None or (step.axis is None) == (step.control is None):
        raise Refused(400, "give an axis or a control, and values", "values")
    stop = step.start + len(step.values)
    if stop > len(path):
        raise Refused(400, f"frames {step.start} to {stop - 1} lie beyond the path's {len(path)}", "start", step.start)
    if step.control is not None and step.control not in path.names:
        raise Refused(400, f"this model's controls are {', '.join(path.names)}", "control", step.control)
    if step.axis is not None:
        curve = units(path)[:, step.axis].astype(np.float64)
        curve[step.start : stop] = step.values
        bent = bend.curve(path, curve, step.axis)
        # What was not drawn stays to the last bit, so that its sound need not be made again.
        z = path.z.copy()
        z[step.start : stop] = bent.z[step.start : stop]
        return dataclasses.replace(bent, z=z)
    assert step.control is not None
    curve = path.controls[:, path.names.index(step.control)].astype(np.float64)
    curve[step.start : stop] = step.values
    operator = {
        "loudness": bend.with_loudness,
        "pitch": bend.with_pitch,
        "voicing": bend.with_voicing,
        "centroid": bend.with_centroid,
    }
    return operator[step.control](path, curve)
