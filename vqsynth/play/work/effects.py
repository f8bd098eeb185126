"""Sounds through models: transfer, and feedback."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from vqsynth.play.answers import Body, Refused, clean
from vqsynth.play.jobs import Tell
from vqsynth.play.models import Models
from vqsynth.play.sessions import WAV, Session, Sound
from vqsynth.play.sounds import store, written
from vqsynth.play.work.asked import Curve, curve_text, curve_written
from vqsynth.play.work.latent import Id, Name
from vqsynth.wavae.effects.feedback import FeedbackSettings, feedback
from vqsynth.wavae.effects.transfer import ADAPT, transfer


class Transfer(Body):
    """A sound through models."""

    sound: Id
    models: list[Name] = Field(min_length=1, max_length=16)
    adapt: float = Field(default=ADAPT, ge=0, le=1)
    pitch: str = Field(default="track", max_length=40)
    octaves: int | None = Field(default=None, ge=-8, le=8)
    seed: int = Field(default=0, ge=0, le=2**53)
    latest: Id | None = None


class Feedback(Body):
    """A loop."""

    model: Name
    frequency: Curve = "sin"
    q: Curve = 5.0
    feedback: Curve = 2.0
    duration: float = Field(default=10.0, ge=0.1, le=120)
    sound: Id | None = None
    seed: int = Field(default=0, ge=0, le=2**53)
    delay_ms: float = Field(default=0.0, ge=0, le=2000)
    latest: Id | None = None


def carry(models: Models, session: Session, asked: Transfer, tell: Tell) -> dict[str, Any]:
    """A sound through one or several models, ``timbre:NAME`` for those of the other kind."""
    if asked.pitch not in ("track", "free"):
        curve_text(asked.pitch, "pitch")
    if len(set(asked.models)) < len(asked.models):
        raise Refused(400, "name every model once", "models")
    source, made = session.sound(asked.sound), []
    for number, name in enumerate(asked.models):

        def part(task: str, share: float, number: int = number) -> None:
            tell(task, (number + share) / len(asked.models))

        part(f"through {name}", 0.0)
        folder = session.new_folder()
        shutil.copyfile(source.folder / WAV, folder / "source.wav")
        kind, _, own = name.rpartition(":")
        if kind not in ("", "timbre"):
            raise Refused(400, "write a wavae model's name, or timbre:NAME", "models", name)
        if kind:
            commands, rate = [_through_timbre(models, folder, own, asked)], models.timbre(own).config.sample_rate
        else:
            commands, rate = [_through_domain(models, folder, own, asked, part)], models.domain(own).config.sample_rate
        made.append(_keep(session, folder, f"{source.name} as {own}", rate, "transfer", commands, asked))
    return {"sounds": [sound.answer for sound in made]}


def loop(models: Models, session: Session, asked: Feedback, tell: Tell) -> dict[str, Any]:
    """Feedback."""
    tell("loading", 0.0)
    domain, folder = models.domain(asked.model), session.new_folder()
    texts = {name: curve_written(getattr(asked, name), name, folder) for name in ("frequency", "q", "feedback")}
    here = {name: str(folder / text) if (folder / text).is_file() else text for name, text in texts.items()}
    source = None
    if asked.sound is not None:
        source = folder / "source.wav"
        shutil.copyfile(session.sound(asked.sound).folder / WAV, source)
    drawn = here["frequency"], here["q"], here["feedback"]
    settings = FeedbackSettings(*drawn, duration=asked.duration, seed=asked.seed, delay_ms=asked.delay_ms, bits="32f")
    done = feedback(domain, settings, source, folder / WAV, False, tell)
    line = [
        "vqsynth",
        "wavae",
        "feedback",
        *([] if source is None else ["--input", "source.wav"]),
        "--model",
        asked.model,
    ]
    line += [f"--{name}={text}" for name, text in texts.items()] + ["--duration", repr(asked.duration)]
    line += ["--delay", repr(asked.delay_ms)] if asked.delay_ms else []
    line += ["--seed", str(asked.seed)] if asked.seed else []
    command = shlex.join([*line, "--bits", "32f", "--no-figure", "-o", WAV])
    (folder / "sound.json").unlink(missing_ok=True)  # it names folders
    sound = _keep(session, folder, f"feedback of {asked.model}", done.sample_rate, "feedback", [command], asked)
    step = max(1, len(done.curves["q"]) // 2000)
    return {"sound": sound.answer, "curves": {name: values[::step] for name, values in done.curves.items()}}


def _through_domain(models: Models, folder: Path, name: str, asked: Transfer, tell: Tell) -> str:
    domain = models.domain(name)
    (made,) = transfer(
        folder / "source.wav",
        [domain],
        folder / "source",
        strength=asked.adapt,
        pitch=asked.pitch,
        octaves=asked.octaves,
        seed=asked.seed,
        bits="32f",
        figure=False,
        progress=tell,
    )
    Path(made.output).rename(folder / WAV)
    line = ["vqsynth", "wavae", "transfer", "source.wav", "--to", name, "--adapt", repr(asked.adapt)]
    line += [f"--pitch={asked.pitch}"] if asked.pitch != "track" else []
    return shlex.join([*line, *_common(asked), "--no-figure", "-o", "made"])


def _through_timbre(models: Models, folder: Path, name: str, asked: Transfer) -> str:
    timbre = models.timbre(name)
    if asked.pitch not in ("track", "free"):
        raise Refused(400, "a timbre sings the sound's own melody; choose track or free", "pitch", asked.pitch)
    pitch: Literal["track", "codes"] = "track" if asked.pitch == "track" else "codes"
    with models.busy(name):
        timbre.transfer(
            folder / "source.wav", folder / WAV, pitch=pitch, octaves=asked.octaves, seed=asked.seed, bits="32f"
        )
    line = ["vqsynth", "transfer", "source.wav", "--timbre", name, "--pitch", pitch]
    return shlex.join([*line, *_common(asked), "-o", WAV])


def _common(asked: Transfer) -> list[str]:
    octaves = [] if asked.octaves is None else [f"--octaves={asked.octaves}"]
    return [*octaves, *(["--seed", str(asked.seed)] if asked.seed else []), "--bits", "32f"]


def _keep(session: Session, folder: Path, name: str, rate: int, origin: str, commands: list[str], asked: Body) -> Sound:
    """What a command's function wrote to the folder, as a sound of the window."""
    request = clean(asked.model_dump(exclude_defaults=True))
    return store(session, folder, written(folder / WAV), rate, name, origin, commands=commands, request=request)
