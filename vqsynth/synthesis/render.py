"""From what a descriptor should do to a sound that does it: aims, codes, trims, sound, report."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from vqsynth import descriptors
from vqsynth.dsp.loudness import UNIT_LUFS
from vqsynth.errors import UsageError, warn
from vqsynth.synthesis import report as reporting
from vqsynth.synthesis.aims import Aim, resolve
from vqsynth.synthesis.codes import CodeSequence, load_codes, save_codes
from vqsynth.synthesis.level import gain_curve, loudness_aim, read_gain
from vqsynth.synthesis.match import PathSettings, check_matcher, match
from vqsynth.synthesis.output import check_output, open_sound
from vqsynth.synthesis.pitch_fit import bridge
from vqsynth.synthesis.produce import Progress, produce
from vqsynth.synthesis.request import Request
from vqsynth.synthesis.scratch import Scratch
from vqsynth.targets import Target, parse_target

if TYPE_CHECKING:
    from vqsynth.codebook.folder import Timbre

DURATION = 24.0
"""Seconds of a render when neither the user nor a target says."""
PEAK = 0.99
REACH = 1 / 6
"""Octaves beyond its codes that a spectral trim may carry a descriptor."""
_SHORTEST, _LONGEST = 0.05, 360_000.0


@dataclasses.dataclass(frozen=True)
class Settings:
    """How to render.

    Attributes:
        duration: seconds; None takes that of the longest target or of the codes, else 24.
        gain: dB (0 dB is -20 LUFS) or a target in dB; None takes that of a target which has one (MIDI), else 0.
        gain_range: what a shape of gain is mapped to. periods: of all shapes that do not say their own.
        matcher: ``path`` or ``nearest``.
        refine: rounds of trims: 0 none, 1 by expectation, each further one measures the sound and corrects.
            None: 2 on the path, 0 for ``nearest``.
        bend, tilt: whether trims may touch the pitch, and the spectrum.
        hold: pitch to hold when f0 is not asked for: ``"auto"`` (where the asked ranges are reached best; nothing for
            ``nearest`` or given codes), a note, Hz, or ``"none"`` (or None).
        clamp: cut targets that are out of reach, with a warning, instead of refusing them.
        seed: of the noise and of walks. bits: ``16``, ``24`` or ``32f``. path: weights of the path search.
    """

    duration: float | None = None
    gain: float | str | Target | None = None
    gain_range: str | None = None
    periods: float | None = None
    matcher: str = "path"
    refine: int | None = None
    bend: bool = True
    tilt: bool = True
    hold: str | float | None = "auto"
    clamp: bool = False
    seed: int = 0
    bits: str = "16"
    path: PathSettings = PathSettings()

    @property
    def rounds(self) -> int:
        """Rounds of trims."""
        return self.refine if self.refine is not None else 2 if self.matcher == "path" else 0


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
    _check(settings, output)
    config, rate = timbre.config, timbre.config.sample_rate
    given = load_codes(codes, timbre) if isinstance(codes, (str, Path)) else codes
    if not requests and given is None:
        raise UsageError("nothing to render: give a descriptor with a target, or codes")
    requests = [_read(request, settings, rate) for request in requests]
    gain = read_gain(settings.gain, settings.periods, settings.seed, rate)
    seconds = _duration(settings, requests, gain, given, config.frame_rate)
    samples = max(1, round(seconds * rate))
    frames = 1 + samples // config.hop_length
    times = np.arange(frames) / config.frame_rate
    aims, level = _aims(timbre, requests, settings, given, times, seconds)
    if level is not None and gain is not None:
        raise UsageError("loudness is met by the gain: ask for one of the two")
    if given is None:
        chosen = _match(timbre, aims, settings, frames)
    else:
        chosen = _stretched(given.codes, frames)
    if level is not None:
        gain_db = np.maximum(level.values - UNIT_LUFS, -80.0)
    elif given is not None and gain is None:
        gain_db = _stretched(given.loudness, frames).astype(np.float64) - UNIT_LUFS
    else:
        gain_db = gain_curve(gain, settings.gain_range, requests, times, seconds)
    with Scratch(samples, None if output is None else Path(output).parent) as sound:
        trims = produce(
            timbre.model, chosen, gain_db, aims, sound, bend=settings.bend and settings.rounds > 0,
            tilt=settings.tilt and settings.rounds > 0, rounds=max(0, settings.rounds - 1), seed=settings.seed, progress=progress,
        )  # fmt: skip
        scale = min(1.0, PEAK / max(sound.peak, 1e-9))
        if scale < 1:
            warn(f"the sound peaks at {sound.peak:.2f}, so the whole render was turned down by {-20 * np.log10(scale):.1f} dB")
        if level is not None:
            aims = [*aims, level]
        measured = reporting.measure_sound(sound, [aim.name for aim in aims], config, scale, torch.get_num_threads())
        curves = _curves(times, aims, measured, chosen, gain_db, trims)
        report = {
            "timbre": timbre.name,
            "versions": reporting.versions(),
            "seed": settings.seed,
            "settings": _plain(settings, seconds, rate, codes),
            "descriptors": {aim.name: reporting.compare(aim, measured[aim.name]) for aim in aims},
            "trims": reporting.usage(trims, settings.rounds),
            "roughness": reporting.roughness(chosen, timbre.model.codebook.numpy(), timbre.card.get("quality", {}).get("roughness_real")),
            "level": {"peak": sound.peak * scale, "scaled_db": float(20 * np.log10(scale))},
        }
        if keep_codes is not None:
            save_codes(keep_codes, timbre, CodeSequence(chosen, (gain_db + UNIT_LUFS).astype(np.float32), _melody(aims, frames)))
        if output is None:
            return Rendering(sound.read(0, samples) * np.float32(scale), None, report, curves, aims)
        path = Path(output)
        with open_sound(path, rate, settings.bits) as file:
            for block in sound.blocks(scale):
                file.write(block)
        if figure:
            from vqsynth.synthesis.figure import draw

            draw(path.with_suffix(".png"), sound, rate, config.n_fft, aims, measured, times, timbre.name)
    reporting.write_csv(path.with_suffix(".csv"), curves)
    reporting.write_json(path.with_suffix(".json"), report)
    return Rendering(None, path, report, curves, aims)


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
            from vqsynth.errors import nearest_names

            raise UsageError(f"render({key}=...): unknown; {nearest_names(key, [*known, *descriptors.names()])}")
    done = render(timbre, requests, Settings(**options), **own)
    return done.audio, done.report


def _check(settings: Settings, output: str | Path | None) -> None:
    """Refuse what needs no work to be refused."""
    check_matcher(settings.matcher)
    if settings.rounds < 0:
        raise UsageError(f"--refine {settings.refine}: give 0 or more rounds")
    if settings.duration is not None and not _SHORTEST <= settings.duration <= _LONGEST:
        raise UsageError(f"--duration {settings.duration:g}: give {_SHORTEST:g} s to {_LONGEST / 3600:g} hours")
    if output is not None:
        check_output(output, settings.bits)


def _read(request: Request, settings: Settings, sample_rate: int) -> Request:
    """The request with its target read."""
    descriptor = descriptors.get(request.descriptor)
    if isinstance(request.target, Target):
        return request
    target = parse_target(
        request.target, descriptor=descriptor.name, unit=descriptor.unit, periods=settings.periods, seed=settings.seed, sample_rate=sample_rate
    )
    return dataclasses.replace(request, target=target)


def _duration(settings: Settings, requests: Sequence[Request], gain: Target | None, given: CodeSequence | None, frame_rate: float) -> float:
    if settings.duration is not None:
        return settings.duration
    if given is not None:
        return max(_SHORTEST, (len(given) - 1) / frame_rate)
    targets = [request.target for request in requests] + [gain]
    lengths = [t.natural_duration for t in targets if isinstance(t, Target) and t.natural_duration]
    return min(max(max(lengths), _SHORTEST), _LONGEST) if lengths else DURATION


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
    real = timbre.card.get("quality", {}).get("roughness_real")
    return match(settings.matcher, aims, timbre.table, timbre.model.codebook.numpy(), frames, real, timbre.transitions, settings.path)


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


def _plain(settings: Settings, seconds: float, sample_rate: int, codes: Any) -> dict[str, Any]:
    """All settings as JSON takes them, with what None stood for."""
    plain = {k: v.name if isinstance(v, Target) else v for k, v in dataclasses.asdict(settings).items() if k != "gain"}
    gain = settings.gain.name if isinstance(settings.gain, Target) else settings.gain
    source = str(codes) if isinstance(codes, (str, Path)) else "given" if codes is not None else None
    return {**plain, "gain": gain, "duration": seconds, "refine": settings.rounds, "sample_rate": sample_rate, "codes": source}
