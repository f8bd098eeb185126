"""The discrete model: its map, its reach, its units, and renders of targets."""

from __future__ import annotations

import csv
import json
import math
import shlex
import shutil
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from vqsynth import descriptors
from vqsynth.control.request import Request
from vqsynth.interface.timbre import Timbre
from vqsynth.play.answers import Body, Refused, clean
from vqsynth.play.jobs import Tell
from vqsynth.play.models import Models
from vqsynth.play.sessions import WAV, Session, Sound
from vqsynth.play.sounds import store, written
from vqsynth.play.work.asked import Target, quantity
from vqsynth.render.code_file import CodeSequence
from vqsynth.storage.atomic import write_text
from vqsynth.units.store import Units

RENDER_SECONDS = 120.0
HEAR_SECONDS = 10.0
MOST_CHOSEN = 200_000


class Render(Body):
    """A render, as the page asks for it."""

    targets: dict[str, Target] = Field(min_length=1, max_length=6)
    weights: dict[str, float] = Field(default={}, max_length=6)
    duration: float = Field(default=4.0, ge=0.05, le=RENDER_SECONDS)
    gain: Target | None = None
    life: float = Field(default=1.0, ge=0, le=1)
    take: int = Field(default=0, ge=0, le=2**31 - 1)
    seed: int = Field(default=0, ge=0, le=2**53)
    matcher: Literal["auto", "played", "path", "nearest"] = "auto"
    articulation: Literal["auto", "legato", "detached"] = "auto"
    attack: float | None = Field(default=None, ge=0, le=10)
    hold: str = Field(default="auto", max_length=12)
    clamp: bool = False
    refine: int | None = Field(default=None, ge=0, le=8)
    without: list[str] = Field(default=[], max_length=5000)
    only: list[int] | None = Field(default=None, max_length=MOST_CHOSEN)
    voices: int | Literal["auto"] = "auto"
    stems: bool = False
    name: str | None = Field(default=None, max_length=80)
    latest: str | None = Field(default=None, max_length=40)


class Hear(Body):
    """A code or a unit to be heard."""

    code: int | None = Field(default=None, ge=0)
    unit: int | None = Field(default=None, ge=0)
    seconds: float = Field(default=1.0, gt=0, le=HEAR_SECONDS)
    latest: str | None = Field(default=None, max_length=40)


def render(models: Models, session: Session, name: str, asked: Render, tell: Tell) -> dict[str, Any]:
    """Render targets: the same call as the command's, into the window's folder.

    Raises:
        Refused: a target that is none.
        VqsynthError: a request that cannot be met.
    """
    for descriptor in asked.targets:
        if descriptor not in descriptors.names():
            raise Refused(400, f"choose {', '.join(descriptors.names())}", "targets", descriptor)
    if asked.hold not in ("auto", "none"):
        quantity(asked.hold, "hold")
    tell("loading", 0.0)
    timbre = models.timbre(name)
    folder = session.new_folder()
    texts = {d: target.written(d, folder, session) for d, target in asked.targets.items()}
    gain = None if asked.gain is None else asked.gain.written("gain", folder, session)
    gain_range = None if asked.gain is None else asked.gain.ends
    here = {text: str(folder / text) for text in (*texts.values(), gain) if text and (folder / text).is_file()}
    requests = [
        Request(d, here.get(text, text), asked.targets[d].ends, asked.weights.get(d, 1.0)) for d, text in texts.items()
    ]
    if asked.only is not None:
        write_text(folder / "only.csv", "unit\n" + "".join(f"{number}\n" for number in asked.only))
    played = timbre.units is not None and asked.matcher in ("auto", "played") and asked.life > 0
    for d in asked.weights:
        if d not in asked.targets:
            raise Refused(400, "this descriptor is not asked for; give it a target", "weights", d)
    with models.busy(name):
        _, report = timbre.render(
            targets=requests,
            duration=asked.duration,
            gain=here.get(gain, gain) if gain is not None else None,
            gain_range=gain_range,
            matcher=asked.matcher,
            life=asked.life,
            take=asked.take,
            articulation=asked.articulation,
            attack=asked.attack,
            without=asked.without,
            only=asked.only,
            sources=folder / "played.csv" if played else None,
            refine=asked.refine,
            hold=asked.hold,
            clamp=asked.clamp,
            seed=asked.seed,
            voices=asked.voices,
            stems=asked.stems,
            output=folder / WAV,
            figure=False,
            progress=tell,
        )
    report = clean(json.loads(json.dumps(report, default=str).replace(f"{folder}/", "")))
    (folder / "sound.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    stems = [
        _found(session, path.name, "render", path, timbre.config.sample_rate)
        for path in sorted(folder.glob("sound_*.wav"), key=lambda path: (len(path.name), path.name))
    ]
    sound = store(
        session,
        folder,
        written(folder / WAV),
        timbre.config.sample_rate,
        asked.name or f"{name} {', '.join(asked.targets)}",
        "render",
        licence=", ".join(sorted({str(s.get("licence", "not stated")) for s in timbre.card.get("source", [])})),
        commands=[command(name, asked, texts, gain, played)],
        request={"timbre": name, **asked.model_dump(exclude_defaults=True)},
        report=report,
        curves=_curves(folder / "sound.csv"),
        stems=[stem.id for stem in stems],
    )
    return {"sound": sound.answer, "report": report}


def command(name: str, asked: Render, texts: dict[str, str], gain: str | None, played: bool) -> str:
    """The line that does the same in the folder of the sound."""
    line = ["vqsynth", "render", name]
    for descriptor, text in texts.items():
        line += ["-d", descriptor, f"--target={text}"]
        if (ends := asked.targets[descriptor].ends) is not None:
            line += [f"--range={descriptor}={ends}"]
        if descriptor in asked.weights:
            line += ["-w", f"{descriptor}={asked.weights[descriptor]!r}"]
    line += ["--duration", repr(asked.duration)]
    if gain is not None and asked.gain is not None:
        line += [f"--gain={gain}"]
        if asked.gain.ends is not None:
            line += [f"--gain-range={asked.gain.ends}"]
    for field in ("life", "take", "seed", "matcher", "articulation", "attack", "hold", "refine", "voices"):
        value = getattr(asked, field)
        if value != Render.model_fields[field].default:
            line += [f"--{field}", str(value)]
    line += [word for recording in asked.without for word in ("--without", recording)]
    line += ["--only", "only.csv"] * (asked.only is not None)
    line += ["--clamp"] * asked.clamp + ["--stems"] * asked.stems
    line += ["--sources", "played.csv"] if played else []
    return shlex.join([*line, "--no-figure", "-o", "sound.wav"])


def hear(models: Models, session: Session, name: str, asked: Hear, tell: Tell) -> dict[str, Any]:
    """A code held for a while, or the playing around a unit.

    Raises:
        Refused: there is no such code or unit.
    """
    tell("loading", 0.0)
    timbre = models.timbre(name)
    config, units, place = timbre.config, timbre.units, None
    frames = max(2, round(asked.seconds * config.frame_rate))
    if (asked.code is None) == (asked.unit is None):
        raise Refused(400, "give a code or a unit", "code")
    if asked.unit is not None:
        if units is None or asked.unit >= len(units):
            raise Refused(404, "there is no such unit", "unit", asked.unit)
        sequence, place = _playing(timbre, units, asked.unit, frames)
    else:
        assert asked.code is not None
        if asked.code >= config.n_codes:
            raise Refused(404, "there is no such code", "code", asked.code)
        f0 = timbre.table.values["f0"][asked.code] if "f0" in timbre.table.names else math.nan
        codes = np.full(frames, asked.code, np.int32)
        level = np.full(frames, -20.0, np.float32)
        sequence = CodeSequence(codes, level, np.full(frames, f0 if f0 > 0 else 0.0, np.float32))
    with models.busy(name):
        audio, _ = timbre.decode(sequence)
    assert audio is not None
    label = f"code {asked.code}" if asked.unit is None else f"unit {asked.unit}"
    licence = None if place is None else place["licence"]
    sound = store(session, session.new_folder(), audio, config.sample_rate, f"{name} {label}", "unit", licence=licence)
    return {"sound": sound.answer, "place": place}


def _playing(timbre: Timbre, units: Units, unit: int, frames: int) -> tuple[CodeSequence, dict[str, Any]]:
    """What was played around a unit, and where that is."""
    number = int(units.recording_of(np.array([unit]))[0])
    first, last = int(units.start[number]), int(units.start[number + 1])
    start = max(first, min(unit - frames // 2, last - frames))
    here = slice(start, min(last, start + frames))
    sequence = CodeSequence(
        np.array(units.code[here]),
        np.asarray(units.loudness[here], np.float32),
        units.f0(here).astype(np.float32),
    )
    recording, rate = units.recordings[number], timbre.config.frame_rate
    begin = recording.first_second + (here.start - first) / rate
    source = units.sources[recording.source]
    end = begin + (here.stop - here.start) / rate
    return sequence, {
        "recording": recording.name,
        "start": begin,
        "end": end,
        "licence": source.get("licence"),
        "credit": source.get("credit"),
    }


def _curves(path: Path) -> dict[str, list[float | None]]:
    """The columns of a render's table that are numbers."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    found: dict[str, list[float | None]] = {}
    for name, *cells in zip(*rows):
        try:
            found[name] = [float(cell) if cell not in ("", "nan") else None for cell in cells]
        except ValueError:
            continue
    return found


def _found(session: Session, name: str, origin: str, path: Path, rate: int) -> Sound:
    """A file that a render wrote beside its sound, as a sound of its own."""
    folder = session.new_folder()
    shutil.copyfile(path, folder / WAV)
    return store(session, folder, written(path), rate, name, origin)
