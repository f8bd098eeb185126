"""From what a descriptor should do to a sound that does it: resolved targets, codes, trims, sound, report."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from vqsynth import descriptors
from vqsynth.control.level import SILENCE_DB, gain_curve, loudness_target, read_gain
from vqsynth.control.melody import bridge
from vqsynth.control.request import Request
from vqsynth.control.resolve import ResolvedTarget, resolve
from vqsynth.control.score import dynamics_of
from vqsynth.control.targets import Target, parse_target
from vqsynth.dsp.loudness import UNIT_LUFS
from vqsynth.errors import UsageError, collect_warnings, warn
from vqsynth.render import report as reporting
from vqsynth.render.code_file import CodeSequence, load_codes, save_codes
from vqsynth.render.match import match
from vqsynth.render.played.play import play
from vqsynth.render.played.sources import write_sources
from vqsynth.render.settings import RenderSettings
from vqsynth.render.synthesise import BEND_LIMIT, Progress, synthesise
from vqsynth.storage.atomic import check_apart, together
from vqsynth.storage.sound_file import check_output
from vqsynth.storage.spool import AudioSpool
from vqsynth.version import versions

if TYPE_CHECKING:
    from vqsynth.library.timbre import Timbre
    from vqsynth.units.store import Units

PEAK = 0.99
REACH = 1 / 6
"""Octaves beyond its codes that a spectral trim may carry a descriptor."""
PLAYED_BEND_LIMIT = 3600.0
"""Cents that a unit's pitch may be bent: its filters are envelopes, which stay where they are."""
_STUCK = 0.05


@dataclasses.dataclass
class Rendering:
    """A finished render.

    Attributes:
        audio: float32 [samples], or None when it went elsewhere.
        report: what ``out.json`` holds.
        curves: name -> [frames]: time, target_*, measured_*, code, gain_db and the trims.
        resolved: what every descriptor was asked to do.
    """

    audio: np.ndarray | None
    path: Path | None
    report: dict[str, Any]
    curves: dict[str, np.ndarray]
    resolved: list[ResolvedTarget]


@together()
def render(
    timbre: Timbre,
    requests: Sequence[Request] = (),
    settings: RenderSettings = RenderSettings(),
    *,
    codes: str | Path | CodeSequence | None = None,
    keep_codes: str | Path | None = None,
    sources: str | Path | None = None,
    output: str | Path | None = None,
    into: AudioSpool | None = None,
    figure: bool = True,
    progress: Progress | None = None,
) -> Rendering:
    """Render descriptor targets in a timbre.

    Args:
        timbre: what sounds.
        requests: descriptors and their targets; a loudness is met by the gain.
        settings: everything but the requests.
        codes: play these codes (or their file) instead of matching.
        keep_codes: write the codes here (.npz).
        sources: write what was played when here (.csv).
        output: WAV or FLAC file; beside it go ``.csv``, ``.json`` and, with ``figure``, ``.png``.
        into: where the sound goes instead, as loud as it is, for somebody who mixes it.
        figure: whether to draw.
        progress: called with the share that is done, 0 to 1.

    Raises:
        UsageError: a request that cannot be met.
        VqsynthError: a file that cannot be read or written.
    """
    with collect_warnings() as warnings:
        settings.check()
        if output is not None:
            check_output(output, settings.bits)
            read = [codes, settings.gain, *(request.target for request in requests)]
            for suffix in ("", ".csv", ".json", ".png"):
                written = Path(output).with_suffix(suffix or Path(output).suffix)
                check_apart(written, sources, *(name for name in read if isinstance(name, (str, Path))))
        config, rate = timbre.config, timbre.config.sample_rate
        given = load_codes(codes, timbre) if isinstance(codes, (str, Path)) else codes
        if not requests and given is None:
            raise UsageError("nothing to render: give a descriptor with a target, or codes")
        requests = [read_request(request, settings, rate) for request in requests]
        gain = read_gain(settings.gain, settings.periods, settings.seed, rate)
        seconds = settings.seconds([*(r.target for r in requests), gain], given, config.frame_rate)
        samples = max(1, round(seconds * rate))
        frames = 1 + samples // config.hop_length
        times = np.arange(frames) / config.frame_rate
        units = _units(timbre, settings) if given is None else None
        resolved, level = _resolve_requests(timbre, requests, settings, given, units, times, seconds)
        if level is not None and gain is not None:
            raise UsageError("loudness is met by the gain: ask for one of the two")
        if level is not None:
            gain_db = np.maximum(level.values - UNIT_LUFS, SILENCE_DB)
        elif given is not None and gain is None:
            gain_db = _stretched(given.loudness, frames).astype(np.float64) - UNIT_LUFS
        else:
            gain_db = gain_curve(gain, settings.gain_range, requests, times, seconds)
        played = None
        if units is not None:
            # Units have attacks and releases of their own.
            dynamics = dynamics_of(requests, times) if gain is None and level is None else None
            gain_db = gain_db if dynamics is None else dynamics
            asked = gain is not None or level is not None or dynamics is not None
            played = play(timbre, units, resolved, requests, seconds, gain_db, asked, settings.played)
            resolved, sounded, sounded_db = played.resolved, played.targets, played.gain_db
            chosen = played.codes
        else:
            sounded, sounded_db = resolved, gain_db
            chosen = _match(timbre, resolved, settings, frames) if given is None else _stretched(given.codes, frames)
        bits = None if output is None else settings.bits
        spool = AudioSpool(samples, None if output is None else Path(output).parent) if into is None else None
        with spool or contextlib.nullcontext(into) as sound:
            assert sound is not None
            trims = synthesise(
                timbre.model,
                chosen,
                sounded_db,
                sounded,
                sound,
                bend=settings.bend and settings.rounds > 0,
                tilt=settings.tilt and settings.rounds > 0,
                rounds=max(0, settings.rounds - 1),
                seed=settings.seed,
                bits=bits,
                bend_limit=BEND_LIMIT if played is None else PLAYED_BEND_LIMIT,
                player=None if played is None else played.decoder,
                progress=progress,
            )
            scale = min(1.0, PEAK / max(sound.peak, 1e-9)) if into is None else 1.0
            if scale < 1:
                warn(
                    f"the sound peaks at {sound.peak:.2f}, "
                    f"so the whole render was turned down by {-20 * np.log10(scale):.1f} dB"
                )
            resolved = [*resolved, level] if level is not None else resolved
            measured = reporting.measure_sound(
                sound, [goal.name for goal in resolved], config, scale, bits, torch.get_num_threads()
            )
            report: dict[str, Any] = {
                "timbre": timbre.name,
                "versions": versions(),
                "seed": settings.seed,
                "settings": {**settings.plain(), "duration": seconds, "sample_rate": rate, "codes": _source(codes)},
                "descriptors": {
                    goal.name: reporting.compare(goal, measured[goal.name], config.frame_rate) for goal in resolved
                },
                "trims": reporting.usage(trims, settings.rounds),
                "roughness": reporting.roughness(chosen, timbre.model.codebook.numpy(), _roughness_real(timbre)),
                "level": {"peak": sound.peak * scale, "scaled_db": float(20 * np.log10(scale))},
                "warnings": warnings,
            }
            if played is not None:
                report["played"] = played.report
            if sources is not None and played is None:
                raise UsageError("nothing was played from recordings here", field="sources", value=sources)
            shaped = any(goal.name in ("centroid", "bandwidth") for goal in resolved)
            stuck = max(report["trims"]["tilt_at_limit"] * shaped, report["trims"]["bend_at_limit"])
            if stuck > _STUCK:
                warn(
                    f"the trims are at their limit in {stuck:.0%} of the frames: "
                    "this timbre cannot meet all that is asked for there"
                )
            done = Rendering(
                None,
                None,
                report,
                reporting.curves(times, resolved, measured, chosen, gain_db, trims, config.frame_rate),
                resolved,
            )
            if keep_codes is not None:
                save_codes(
                    keep_codes,
                    timbre,
                    CodeSequence(chosen, (sounded_db + UNIT_LUFS).astype(np.float32), _melody(sounded, frames)),
                )
            if sources is not None and played is not None and units is not None:
                write_sources(sources, units, played.performance.units, config.frame_rate)
            if into is not None:
                return done
            if output is None:
                return dataclasses.replace(done, audio=sound.read(0, samples) * np.float32(scale))
            reporting.write(
                Path(output), sound, scale, config, settings.bits, figure, resolved, measured, done.curves, report
            )
            return dataclasses.replace(done, path=Path(output))


def read_request(request: Request, settings: RenderSettings, sample_rate: int) -> Request:
    """The request with its target read, at the sample rate (Hz) of the timbre."""
    descriptor = descriptors.get(request.descriptor)
    if isinstance(request.target, Target):
        return request
    target = parse_target(
        request.target,
        descriptor=descriptor.name,
        unit=descriptor.unit,
        periods=settings.periods,
        seed=settings.seed,
        sample_rate=sample_rate,
    )
    return dataclasses.replace(request, target=target)


def _resolve_requests(
    timbre: Timbre,
    requests: Sequence[Request],
    settings: RenderSettings,
    given: CodeSequence | None,
    units: Units | None,
    times: np.ndarray,
    seconds: float,
) -> tuple[list[ResolvedTarget], ResolvedTarget | None]:
    """Targets of the codes and trims, and that of the gain."""
    free = settings.hold in (None, "none") or (
        settings.hold == "auto" and (settings.matcher == "nearest" or given is not None)
    )
    trims = settings.rounds > 0 and settings.tilt
    resolved = resolve(
        [r for r in requests if r.descriptor != "loudness"],
        timbre.table,
        times,
        seconds,
        hold=None if free else settings.hold,
        reach=REACH if trims else 0.02,
        clamp=settings.clamp,
        usual_pitch=None if units is None else _usual_pitch(units),
    )
    if given is not None and (given.f0 > 0).any() and not any(goal.name == "f0" for goal in resolved):
        f0 = _stretched(bridge(given.f0, len(given)), len(times)).astype(np.float64)
        sung = f0[f0 > 0]
        f0 = np.interp(np.arange(len(f0)), np.flatnonzero(f0 > 0), sung)
        ends = float(sung.min()), float(sung.max())
        mask = _stretched(given.f0, len(times)) > 0
        resolved.append(
            ResolvedTarget(
                "f0", "Hz", True, "the codes' melody", f0, mask, 1.0, *ends, ends, "the target's own", held=True
            )
        )
    level = next((loudness_target(r, times, seconds) for r in requests if r.descriptor == "loudness"), None)
    return resolved, level


def _units(timbre: Timbre, settings: RenderSettings) -> Units | None:
    """The units to play, or None where codes are matched.

    Raises:
        UsageError: units are asked for by name, and the timbre has none; or a recording that it does not have.
    """
    if settings.matcher not in ("auto", "played") or settings.played.life == 0:
        return None
    if timbre.units is None:
        if settings.matcher == "played":
            raise UsageError(
                f"{timbre.name} has no units; make them from its recordings with `vqsynth units build`, "
                "or choose the matcher path",
                field="matcher",
                value="played",
            )
        return None
    units = timbre.units.without(settings.played.without) if settings.played.without else timbre.units
    return units if settings.played.only is None else units.only(settings.played.only)


def _usual_pitch(units: Units) -> float | None:
    """Median of what the recordings play, in Hz."""
    f0 = units.f0()
    return float(np.median(f0[f0 > 0])) if (f0 > 0).any() else None


def _match(timbre: Timbre, resolved: Sequence[ResolvedTarget], settings: RenderSettings, frames: int) -> np.ndarray:
    codebook, transitions = timbre.model.codebook.numpy(), timbre.transitions
    return match(
        "nearest" if settings.matcher == "nearest" else "path",
        resolved,
        timbre.table,
        codebook,
        frames,
        _roughness_real(timbre),
        transitions,
        settings.path,
    )


def _roughness_real(timbre: Timbre) -> float | None:
    """Mean latent jump a frame in the recordings, if the card has it."""
    return timbre.card.get("quality", {}).get("roughness_real")


def _stretched(values: np.ndarray, frames: int) -> np.ndarray:
    """The first ``frames`` values; the last one is kept beyond the end."""
    return values[np.minimum(np.arange(frames), len(values) - 1)]


def _melody(resolved: Sequence[ResolvedTarget], frames: int) -> np.ndarray:
    """The pitch that was aimed at, 0 where none was: float32 [frames]."""
    pitch = next((np.where(goal.mask, goal.values, 0.0) for goal in resolved if goal.name == "f0"), np.zeros(frames))
    return pitch.astype(np.float32)


def _source(codes: str | Path | CodeSequence | None) -> str | None:
    """Where given codes came from."""
    return str(codes) if isinstance(codes, (str, Path)) else None if codes is None else "given"
