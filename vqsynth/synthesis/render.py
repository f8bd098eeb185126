"""From what a descriptor should do to a sound that does it: aims, codes, trims, sound, report."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from vqsynth import descriptors
from vqsynth.audio_out import check_output, open_sound
from vqsynth.dsp.loudness import UNIT_LUFS
from vqsynth.errors import UsageError, nearest_names, warn
from vqsynth.synthesis import report as reporting
from vqsynth.synthesis.aims import Aim, resolve
from vqsynth.synthesis.codes import CodeSequence, load_codes, save_codes
from vqsynth.synthesis.level import SILENCE_DB, gain_curve, loudness_aim, read_gain
from vqsynth.synthesis.match import match
from vqsynth.synthesis.produce import Progress, produce
from vqsynth.synthesis.request import Request
from vqsynth.synthesis.scratch import Scratch
from vqsynth.synthesis.settings import Settings
from vqsynth.targets import Target, parse_target
from vqsynth.targets.melody import bridge

if TYPE_CHECKING:
    from vqsynth.codebook.folder import Timbre

PEAK = 0.99
REACH = 1 / 6
"""Octaves beyond its codes that a spectral trim may carry a descriptor."""
_STUCK = 0.05


@dataclasses.dataclass
class Rendering:
    """A finished render.

    Attributes:
        audio: float32 [samples], or None when it went to ``path``. report: what ``out.json`` holds.
        curves: name -> [frames]: time, target_*, measured_*, code, gain_db and the trims.
        aims: what every descriptor was asked to do.
    """

    audio: np.ndarray | None
    path: Path | None
    report: dict[str, Any]
    curves: dict[str, np.ndarray]
    aims: list[Aim]


def render(
    timbre: Timbre,
    requests: Sequence[Request] = (),
    settings: Settings = Settings(),
    *,
    codes: str | Path | CodeSequence | None = None,
    keep_codes: str | Path | None = None,
    output: str | Path | None = None,
    figure: bool = True,
    progress: Progress | None = None,
) -> Rendering:
    """Render descriptor targets in a timbre.

    Args:
        requests: descriptors and their targets; a loudness is met by the gain.
        codes: play these codes (or their file) instead of matching. keep_codes: write the codes here (.npz).
        output: WAV or FLAC file; beside it go ``.csv``, ``.json`` and, with ``figure``, ``.png``.

    Raises:
        UsageError: a request that cannot be met. VqsynthError: a file that cannot be read or written.
    """
    settings.check()
    if output is not None:
        check_output(output, settings.bits)
    config, rate = timbre.config, timbre.config.sample_rate
    given = load_codes(codes, timbre) if isinstance(codes, (str, Path)) else codes
    if not requests and given is None:
        raise UsageError("nothing to render: give a descriptor with a target, or codes")
    requests = [_read(request, settings, rate) for request in requests]
    gain = read_gain(settings.gain, settings.periods, settings.seed, rate)
    seconds = settings.seconds([*(r.target for r in requests), gain], given, config.frame_rate)
    samples = max(1, round(seconds * rate))
    frames = 1 + samples // config.hop_length
    times = np.arange(frames) / config.frame_rate
    aims, level = _aims(timbre, requests, settings, given, times, seconds)
    if level is not None and gain is not None:
        raise UsageError("loudness is met by the gain: ask for one of the two")
    chosen = _match(timbre, aims, settings, frames) if given is None else _stretched(given.codes, frames)
    if level is not None:
        gain_db = np.maximum(level.values - UNIT_LUFS, SILENCE_DB)
    elif given is not None and gain is None:
        gain_db = _stretched(given.loudness, frames).astype(np.float64) - UNIT_LUFS
    else:
        gain_db = gain_curve(gain, settings.gain_range, requests, times, seconds)
    bits = None if output is None else settings.bits
    with Scratch(samples, None if output is None else Path(output).parent) as sound:
        trims = produce(
            timbre.model, chosen, gain_db, aims, sound, bend=settings.bend and settings.rounds > 0,
            tilt=settings.tilt and settings.rounds > 0, rounds=max(0, settings.rounds - 1), seed=settings.seed,
            bits=bits, progress=progress,
        )  # fmt: skip
        scale = min(1.0, PEAK / max(sound.peak, 1e-9))
        if scale < 1:
            warn(f"the sound peaks at {sound.peak:.2f}, so the whole render was turned down by {-20 * np.log10(scale):.1f} dB")
        aims = [*aims, level] if level is not None else aims
        measured = reporting.measure_sound(sound, [aim.name for aim in aims], config, scale, bits, torch.get_num_threads())
        report = {
            "timbre": timbre.name,
            "versions": reporting.versions(),
            "seed": settings.seed,
            "settings": {**settings.plain(), "duration": seconds, "sample_rate": rate, "codes": _source(codes)},
            "descriptors": {aim.name: reporting.compare(aim, measured[aim.name]) for aim in aims},
            "trims": reporting.usage(trims, settings.rounds),
            "roughness": reporting.roughness(chosen, timbre.model.codebook.numpy(), _roughness_real(timbre)),
            "level": {"peak": sound.peak * scale, "scaled_db": float(20 * np.log10(scale))},
        }
        stuck = max(report["trims"]["tilt_at_limit"], report["trims"]["bend_at_limit"])
        if stuck > _STUCK:
            warn(f"the trims are at their limit in {stuck:.0%} of the frames: this timbre cannot meet all that is asked for there")
        done = Rendering(None, None, report, _curves(times, aims, measured, chosen, gain_db, trims), aims)
        if keep_codes is not None:
            save_codes(keep_codes, timbre, CodeSequence(chosen, (gain_db + UNIT_LUFS).astype(np.float32), _melody(aims, frames)))
        if output is None:
            return dataclasses.replace(done, audio=sound.read(0, samples) * np.float32(scale))
        return _write(dataclasses.replace(done, path=Path(output)), sound, scale, timbre, settings.bits, figure, measured)


def _write(
    done: Rendering, sound: Scratch, scale: float, timbre: Timbre, bits: str, figure: bool, measured: dict[str, np.ndarray]
) -> Rendering:
    """Write the sound and what goes beside it; the report, which says that all is there, comes last."""
    path, config = done.path, timbre.config
    assert path is not None
    with open_sound(path, config.sample_rate, bits) as file:
        for block in sound.blocks(scale):
            file.write(block)
    if figure:
        from vqsynth.synthesis.figure import draw

        asked = ", ".join(f"{aim.name} {Path(aim.target).name}" for aim in done.aims)
        title = f"{timbre.name}: {asked}"
        draw(path.with_suffix(".png"), sound, config.sample_rate, config.n_fft, done.aims, measured, done.curves["time"], title)
    reporting.write_csv(path.with_suffix(".csv"), done.curves)
    reporting.write_json(path.with_suffix(".json"), done.report)
    return done


def render_targets(timbre: Timbre, **options: Any) -> tuple[np.ndarray | None, dict[str, Any]]:
    """:func:`render` with descriptors as keywords: ``render_targets(timbre, centroid="sin", f0="A4", duration=12)``.

    A descriptor takes a target (its spelling, a number, a :class:`~vqsynth.targets.Target`) or a pair of target and
    range, ``centroid=("sin", "800:2500")``. ``weights`` is a dict of descriptors' weights. All other keywords
    are fields of :class:`Settings` or arguments of :func:`render`.

    Returns:
        (audio float32 [samples], or None with ``output``; report)

    Raises:
        UsageError: unknown keyword, and as :func:`render`.
    """
    weights = options.pop("weights", {})
    requests = []
    for name in [key for key in options if key in descriptors.names()]:
        value = options.pop(name)
        target, range_ = value if isinstance(value, tuple) else (value, None)
        requests.append(Request(name, target if isinstance(target, Target) else str(target), range_, float(weights.get(name, 1.0))))
    own = {key: options.pop(key) for key in ("codes", "keep_codes", "output", "figure", "progress") if key in options}
    known = {field.name for field in dataclasses.fields(Settings)}
    for key in options:
        if key not in known:
            raise UsageError(f"render({key}=...): unknown; {nearest_names(key, [*known, *descriptors.names()])}")
    done = render(timbre, requests, Settings(**options), **own)
    return done.audio, done.report


def _read(request: Request, settings: Settings, sample_rate: int) -> Request:
    """The request with its target read."""
    descriptor = descriptors.get(request.descriptor)
    if isinstance(request.target, Target):
        return request
    target = parse_target(
        request.target, descriptor=descriptor.name, unit=descriptor.unit, periods=settings.periods, seed=settings.seed, sample_rate=sample_rate
    )
    return dataclasses.replace(request, target=target)


def _aims(
    timbre: Timbre, requests: Sequence[Request], settings: Settings, given: CodeSequence | None, times: np.ndarray, seconds: float
) -> tuple[list[Aim], Aim | None]:
    """Aims of the codes and trims, and that of the gain."""
    free = settings.hold in (None, "none") or settings.hold == "auto" and (settings.matcher == "nearest" or given is not None)
    trims = settings.rounds > 0 and settings.tilt
    aims = resolve(
        [r for r in requests if r.descriptor != "loudness"], timbre.table, times, seconds,
        hold=None if free else settings.hold, reach=REACH if trims else 0.02, clamp=settings.clamp,
    )  # fmt: skip
    if given is not None and (given.f0 > 0).any() and not any(aim.name == "f0" for aim in aims):
        f0 = _stretched(bridge(given.f0, len(given)), len(times)).astype(np.float64)
        sung = f0[f0 > 0]
        f0 = np.interp(np.arange(len(f0)), np.flatnonzero(f0 > 0), sung)
        ends = float(sung.min()), float(sung.max())
        mask = _stretched(given.f0, len(times)) > 0
        aims.append(Aim("f0", "Hz", True, "the codes' melody", f0, mask, 1.0, *ends, ends, "the target's own", held=True))
    level = next((loudness_aim(r, times, seconds) for r in requests if r.descriptor == "loudness"), None)
    return aims, level


def _match(timbre: Timbre, aims: Sequence[Aim], settings: Settings, frames: int) -> np.ndarray:
    codebook, transitions = timbre.model.codebook.numpy(), timbre.transitions
    return match(settings.matcher, aims, timbre.table, codebook, frames, _roughness_real(timbre), transitions, settings.path)


def _roughness_real(timbre: Timbre) -> float | None:
    """Mean latent jump a frame in the recordings, if the card has it."""
    return timbre.card.get("quality", {}).get("roughness_real")


def _stretched(values: np.ndarray, frames: int) -> np.ndarray:
    """The first ``frames`` values; the last one is kept beyond the end."""
    return values[np.minimum(np.arange(frames), len(values) - 1)]


def _melody(aims: Sequence[Aim], frames: int) -> np.ndarray:
    """The pitch that was aimed at, 0 where none was: float32 [frames]."""
    pitch = next((np.where(aim.mask, aim.values, 0.0) for aim in aims if aim.name == "f0"), np.zeros(frames))
    return pitch.astype(np.float32)


def _curves(
    times: np.ndarray, aims: Sequence[Aim], measured: dict[str, np.ndarray], codes: np.ndarray, gain_db: np.ndarray, trims: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    curves = {"time": times}
    curves |= {f"target_{aim.name}": np.where(aim.mask, aim.values, np.nan) for aim in aims}
    curves |= {f"measured_{name}": values for name, values in measured.items()}
    return {**curves, "code": codes, "gain_db": gain_db, **trims}


def _source(codes: str | Path | CodeSequence | None) -> str | None:
    """Where given codes came from."""
    return str(codes) if isinstance(codes, (str, Path)) else None if codes is None else "given"
