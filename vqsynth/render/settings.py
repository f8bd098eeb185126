"""RenderSettings of a render."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from vqsynth.control.limits import check_seed
from vqsynth.control.targets import Target
from vqsynth.errors import UsageError
from vqsynth.render.code_file import CodeSequence
from vqsynth.render.match import PathSettings, check_matcher
from vqsynth.render.played.play import PlayedOptions

DURATION = 24.0
"""Seconds of a render when neither the user nor a target says."""
SHORTEST, LONGEST = 0.05, 360_000.0


@dataclasses.dataclass(frozen=True)
class RenderSettings:
    """How to render.

    Attributes:
        duration: seconds; None takes that of the longest target or of the codes, else 24.
        gain: dB (0 dB is -20 LUFS) or a target in dB; None takes that of a target which has one (MIDI), else 0.
        gain_range: what a shape of gain is mapped to.
        periods: of all shapes that do not say their own.
        matcher: ``auto`` (``played`` where the timbre has units, else ``path``), ``played``, ``path`` or ``nearest``.
        refine: rounds of trims: 0 none, 1 by expectation, each further one measures the sound and corrects.
            None: 2, and 0 for ``nearest``.
        bend: whether trims may touch the pitch.
        tilt: whether trims may touch the spectrum.
        hold: pitch to hold when f0 is not asked for: ``"auto"`` (where the asked ranges are reached best; nothing for
            ``nearest`` or given codes), a note, Hz, or ``"none"`` (or None).
        clamp: cut targets that are out of reach, with a warning, instead of refusing them.
        seed: of the noise and of walks.
        bits: ``16``, ``24`` or ``32f``.
        path: weights of the path search.
        played: how units are played.
    """

    duration: float | None = None
    gain: float | str | Target | None = None
    gain_range: str | None = None
    periods: float | None = None
    matcher: str = "auto"
    refine: int | None = None
    bend: bool = True
    tilt: bool = True
    hold: str | float | None = "auto"
    clamp: bool = False
    seed: int = 0
    bits: str = "16"
    path: PathSettings = PathSettings()
    played: PlayedOptions = PlayedOptions()

    @property
    def rounds(self) -> int:
        """Rounds of trims."""
        return self.refine if self.refine is not None else 0 if self.matcher == "nearest" else 2

    def check(self) -> None:
        """Refuse what can be refused before any work.

        Raises:
            UsageError: an unknown matcher, a negative number of rounds, or no possible duration.
        """
        check_matcher(self.matcher)
        check_seed(self.seed)
        self.played.check()
        if self.rounds < 0:
            raise UsageError("give 0 or more rounds", field="refine", value=self.refine)
        if self.duration is not None and not SHORTEST <= self.duration <= LONGEST:
            raise UsageError(
                f"give {SHORTEST:g} s to {LONGEST / 3600:g} hours", field="duration", value=f"{self.duration:g}"
            )

    def seconds(self, targets: Sequence[object], given: CodeSequence | None, frame_rate: float) -> float:
        """Length of the render: as asked, that of the given codes, that of the longest target file, or 24 s."""
        if self.duration is not None:
            return self.duration
        if given is not None:
            return max(SHORTEST, (len(given) - 1) / frame_rate)
        lengths = [t.natural_duration for t in targets if isinstance(t, Target) and t.natural_duration]
        return min(max(*lengths, SHORTEST), LONGEST) if lengths else DURATION

    def plain(self) -> dict[str, Any]:
        """The settings as JSON takes them, with the rounds that ``refine=None`` stands for."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        gain = self.gain.name if isinstance(self.gain, Target) else self.gain
        return {
            **fields,
            "gain": gain,
            "refine": self.rounds,
            "path": dataclasses.asdict(self.path),
            "played": dataclasses.asdict(self.played),
        }
