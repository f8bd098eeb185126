"""Several voices of one timbre: a render for each voice of a MIDI file's chords, and their mix."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vqsynth.control.level import read_gain
from vqsynth.control.limits import LARGEST_SEED
from vqsynth.control.request import Request
from vqsynth.control.targets.midi import Melody
from vqsynth.control.targets.parse import parse_voices
from vqsynth.dsp.notes import note_name
from vqsynth.errors import UsageError, about, collect_warnings, warn
from vqsynth.figures.render import draw
from vqsynth.render import report as reporting
from vqsynth.render.code_file import CodeSequence
from vqsynth.render.render import PEAK, Rendering, read_request, render
from vqsynth.render.settings import RenderSettings
from vqsynth.render.synthesise import Progress
from vqsynth.storage.atomic import check_apart, together
from vqsynth.storage.sound_file import check_output, open_sound
from vqsynth.storage.spool import AudioSpool
from vqsynth.version import versions

if TYPE_CHECKING:
    from vqsynth.library.timbre import Timbre

_LARGEST_TAKE = 2**31


@dataclasses.dataclass(frozen=True)
class Voices:
    """How notes that sound together are played.

    Attributes:
        most: voices; None takes as many as notes sound at once, 1 plays the highest note alone.
        stems: also write every voice, to ``OUT_1.wav`` and so on.
        targets: of single voices, by their number from 1, instead of those of the same descriptor for all.
    """

    most: int | None = None
    stems: bool = False
    targets: Mapping[int, Sequence[Request]] = dataclasses.field(default_factory=dict)

    def check(self) -> None:
        """Refuse what cannot be.

        Raises:
            UsageError: no voices, or a pitch for a voice, which its notes decide.
        """
        if self.most is not None and self.most < 1:
            raise UsageError("give auto, or 1 or more", field="voices", value=self.most)
        for number, requests in self.targets.items():
            for request in requests:
                if request.descriptor == "f0":
                    raise UsageError(
                        "its notes decide the pitch of a voice", field="voice_targets", value=f"{number}:f0"
                    )


def render_voices(
    timbre: Timbre,
    requests: Sequence[Request] = (),
    settings: RenderSettings = RenderSettings(),
    voices: Voices = Voices(),
    *,
    codes: str | Path | CodeSequence | None = None,
    keep_codes: str | Path | None = None,
    sources: str | Path | None = None,
    output: str | Path | None = None,
    figure: bool = True,
    progress: Progress | None = None,
) -> Rendering:
    """Render targets in a timbre, with a voice for each note of a MIDI file's chords.

    Voices are renders of their own: voice ``n`` has ``n - 1`` added to the seed and the take. Their sum is scaled
    as a whole, and stems by the same factor, so that they add up to the mix. Without chords this is
    :func:`vqsynth.render.render.render`.

    Args:
        timbre: what sounds.
        requests: descriptors and their targets, for all voices.
        settings: everything but the requests.
        voices: how many, whether as stems, and what single ones do.
        codes: as for a single voice, which is then the only one.
        keep_codes: of several voices one file each, ``codes_1.npz`` and so on.
        sources: of several voices one file each, ``sources_1.csv`` and so on.
        output: WAV or FLAC file of the mix; beside it go ``.csv``, ``.json`` and, with ``figure``, ``.png``.
        figure: whether to draw.
        progress: called with the share that is done, 0 to 1.

    Returns:
        The render. In its report ``voices`` has that of each, and ``descriptors`` holds ``f0_1`` for the pitch of
        voice 1 and so on, as the names of the curves do.

    Raises:
        UsageError: a request that cannot be met, or a target for a voice that there is none of.
        VqsynthError: a file that cannot be read or written.
    """
    voices.check()
    if voices.stems and output is None:
        raise UsageError("stems are files; give an output", field="stems")
    with collect_warnings() as warnings:
        pitch = next((request for request in requests if request.descriptor == "f0"), None)
        melodies: list[Melody] | None = None
        if pitch is not None and codes is None and isinstance(pitch.target, str):
            melodies = parse_voices(pitch.target, voices.most)
        count = len(melodies or [""])
        for number in voices.targets:
            if not 1 <= number <= count:
                there = f"there are {count} voices here" if count > 1 else "there is one voice here"
                raise UsageError(there, field="voice_targets", value=number)
        if count == 1 and not voices.stems:
            return render(
                timbre,
                _merged(requests, voices.targets.get(1, ())),
                settings,
                codes=codes,
                keep_codes=keep_codes,
                sources=sources,
                output=output,
                figure=figure,
                progress=progress,
            )
        if codes is not None or melodies is None:
            raise UsageError("there is one voice here, which the output holds; leave it out", field="stems")
        ensemble = _Ensemble(timbre, requests, settings, voices, melodies, None if output is None else Path(output))
        return ensemble.render(keep_codes, sources, figure, progress, warnings)


def numbered(path: str | Path, number: int) -> Path:
    """``out_2.wav`` for ``out.wav``."""
    path = Path(path)
    return path.with_name(f"{path.stem}_{number}{path.suffix}")


def _merged(requests: Sequence[Request], own: Sequence[Request]) -> list[Request]:
    """The requests for all, but for descriptors that a voice has its own of."""
    names = {request.descriptor for request in own}
    return [*(request for request in requests if request.descriptor not in names), *own]


class _Ensemble:
    """Voices with everything read, so that a voice differs from the others in nothing but what it should."""

    def __init__(
        self,
        timbre: Timbre,
        requests: Sequence[Request],
        settings: RenderSettings,
        voices: Voices,
        melodies: Sequence[Melody],
        output: Path | None,
    ) -> None:
        settings.check()
        self.timbre, self.settings, self.voices, self.output = timbre, settings, voices, output
        self.rate = rate = timbre.config.sample_rate
        self.melodies = melodies
        if output is not None:
            self._check_output(output, [*requests, *(r for own in voices.targets.values() for r in own)])
        shared = [read_request(request, settings, rate) for request in requests if request.descriptor != "f0"]
        pitch = next(request for request in requests if request.descriptor == "f0")
        self.requests = []
        for number, melody in enumerate(self.melodies, 1):
            own = [read_request(request, settings, rate) for request in voices.targets.get(number, ())]
            self.requests.append([dataclasses.replace(pitch, target=melody), *_merged(shared, own)])
        gain = read_gain(settings.gain, settings.periods, settings.seed, rate)
        targets = [request.target for own in self.requests for request in own]
        self.seconds = settings.seconds([*targets, gain], None, timbre.config.frame_rate)
        self.samples = max(1, round(self.seconds * rate))
        self.common = dataclasses.replace(settings, duration=self.seconds, gain=gain)

    def _check_output(self, output: Path, requests: Sequence[Request]) -> None:
        check_output(output, self.settings.bits)
        read = [self.settings.gain, *(request.target for request in requests)]
        stems = [numbered(output, number) for number in range(1, 1 + len(self.melodies))] if self.voices.stems else []
        for written in [*(output.with_suffix(s) for s in (output.suffix, ".csv", ".json", ".png")), *stems]:
            check_apart(written, *(name for name in read if isinstance(name, (str, Path))))

    def settings_of(self, number: int) -> RenderSettings:
        """Settings of a voice, with a seed and a take of its own."""
        played = self.common.played
        return dataclasses.replace(
            self.common,
            seed=(self.common.seed + number - 1) % (LARGEST_SEED + 1),
            played=dataclasses.replace(played, take=(played.take + number - 1) % (_LARGEST_TAKE + 1)),
        )

    @together()
    def render(
        self,
        keep_codes: str | Path | None,
        sources: str | Path | None,
        figure: bool,
        progress: Progress | None,
        warnings: list[str],
    ) -> Rendering:
        """Render, mix, write."""
        count = len(self.melodies)
        with contextlib.ExitStack() as stack:
            done: list[Rendering] = []
            stems: list[AudioSpool] = []
            mix = stack.enter_context(self._spool())
            for number, requests in enumerate(self.requests, 1):
                with contextlib.ExitStack() as here, about(f"voice {number}"):
                    # Stems are kept: how far they are turned down is known at the end.
                    sound = (stack if self.voices.stems else here).enter_context(self._spool())
                    voice = render(
                        self.timbre,
                        requests,
                        self.settings_of(number),
                        keep_codes=None if keep_codes is None else numbered(keep_codes, number),
                        sources=None if sources is None else numbered(sources, number),
                        into=sound,
                        progress=_share(progress, number, count),
                    )
                    done.append(voice)
                    mix.add(sound)
                if self.voices.stems:
                    stems.append(sound)
            loudest = max([mix.peak, *(sound.peak for sound in stems)])
            scale = min(1.0, PEAK / max(loudest, 1e-9))
            if scale < 1:
                warn(
                    f"the voices together peak at {loudest:.2f}, "
                    f"so the whole render was turned down by {-20 * np.log10(scale):.1f} dB"
                )
            found = self._together(done, mix.peak * scale, scale, warnings)
            if self.output is None:
                return dataclasses.replace(found, audio=mix.read(0, self.samples) * np.float32(scale))
            self._write(self.output, mix, stems, scale, found, figure)
            return dataclasses.replace(found, path=self.output)

    def _spool(self) -> AudioSpool:
        return AudioSpool(self.samples, None if self.output is None else self.output.parent)

    def _together(self, done: Sequence[Rendering], peak: float, scale: float, warnings: list[str]) -> Rendering:
        """One report, and one set of curves, of all voices."""
        report: dict[str, Any] = {
            "timbre": self.timbre.name,
            "versions": versions(),
            "seed": self.settings.seed,
            "settings": {
                **self.settings.plain(),
                "duration": self.seconds,
                "sample_rate": self.rate,
                "codes": None,
                "voices": "auto" if self.voices.most is None else self.voices.most,
                "stems": self.voices.stems,
            },
            "descriptors": {
                f"{name}_{number}": result
                for number, voice in enumerate(done, 1)
                for name, result in voice.report["descriptors"].items()
            },
            "level": {"peak": peak, "scaled_db": float(20 * np.log10(scale))},
            "voices": [self._facts(number, voice) for number, voice in enumerate(done, 1)],
            "warnings": warnings,
        }
        curves = {"time": done[0].curves["time"]}
        for number, voice in enumerate(done, 1):
            curves |= {f"{name}_{number}": values for name, values in voice.curves.items() if name != "time"}
        resolved = [
            dataclasses.replace(goal, name=f"{goal.name}_{number}")
            for number, voice in enumerate(done, 1)
            for goal in voice.resolved
        ]
        return Rendering(None, None, report, curves, resolved)

    def _facts(self, number: int, voice: Rendering) -> dict[str, Any]:
        """What is to be known of a voice."""
        notes = self.melodies[number - 1].notes
        pitches = voice.resolved[0].values[voice.resolved[0].mask]
        kept = ("seed", "trims", "roughness", "level", "played", "warnings")
        return {
            "voice": number,
            "stem": numbered(self.output, number).name if self.output is not None and self.voices.stems else None,
            "notes": len(notes),
            "lowest": note_name(float(pitches.min())) if len(pitches) else None,
            "highest": note_name(float(pitches.max())) if len(pitches) else None,
            "take": self.settings_of(number).played.take,
            "targets": {request.descriptor: str(request.target) for request in self.voices.targets.get(number, ())},
            **{key: voice.report[key] for key in kept if key in voice.report},
        }

    def _write(
        self, output: Path, mix: AudioSpool, stems: Sequence[AudioSpool], scale: float, found: Rendering, figure: bool
    ) -> None:
        """Write the stems, the mix and what goes beside it; the report comes last."""
        for path, sound in [*((numbered(output, n), stem) for n, stem in enumerate(stems, 1)), (output, mix)]:
            with open_sound(path, self.rate, self.settings.bits) as file:
                for block in sound.blocks(scale):
                    file.write(block)
        if figure:
            curves, names = found.curves, [goal.name for goal in found.resolved]
            played = any("played" in voice for voice in found.report["voices"])
            draw(
                output.with_suffix(".png"),
                mix,
                self.rate,
                self.timbre.config.n_fft,
                found.resolved,
                {name: curves[f"measured_{name}"] for name in names},
                curves["time"],
                f"{self.timbre.name}: {Path(found.resolved[0].target).stem}, {len(self.melodies)} voices",
                {name: curves[f"mean_{name}"] for name in names} if played else {},
            )
        reporting.write_csv(output.with_suffix(".csv"), found.curves)
        reporting.write_json(output.with_suffix(".json"), found.report)


def _share(progress: Progress | None, number: int, count: int) -> Callable[[str, float], None] | None:
    """Progress of one voice among all."""
    if progress is None:
        return None
    return lambda task, share: progress(f"voice {number} of {count}: {task}", (number - 1 + share) / count)
