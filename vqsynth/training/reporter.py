"""Who hears how a run goes, and what is said of its validations."""

from __future__ import annotations

from typing import Protocol

from vqsynth.dsp.model_settings import FrameSettings
from vqsynth.figures.preview import write_preview
from vqsynth.training.trainer import Preview, Step, Trainer

STALE_SHARE = 0.35
"""Share of a run without a better validation after which the user is told."""


class Reporter(Protocol):
    """Where a run says how it goes."""

    def phase(self, text: str, share: float | None) -> None:
        """A stage outside of the steps, with its share done if known."""

    def step(self, step: Step) -> None:
        """A training step."""

    def say(self, text: str) -> None:
        """One line to keep."""


class Quiet:
    """A reporter that says nothing."""

    def phase(self, text: str, share: float | None) -> None:
        """Nothing."""

    def step(self, step: Step) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""


def report_validation(
    reporter: Reporter, frames: FrameSettings, trainer: Trainer, step: Step, preview: Preview | None
) -> None:
    """Write what the model makes of held-out recordings, and say when more training seems to be in vain.

    Args:
        reporter: hears of it.
        frames: of the model.
        trainer: of the run.
        step: the latest one.
        preview: held-out audio and the model's, or None where nothing was held out.
    """
    if trainer.rank or preview is None:
        return
    target, output = (audio.cpu().numpy() for audio in preview)
    folder = trainer.folder / "previews"
    write_preview(folder, step.number, target, output, frames.sample_rate, frames.n_fft, frames.hop_length)
    stale = step.share - trainer.best_share
    limit = STALE_SHARE + 1.5 / trainer.settings.validations
    if trainer.phase.judged and STALE_SHARE < stale <= limit and step.share < 0.95:
        reporter.say(
            f"held-out recordings have not improved since {trainer.best_share:.0%} of the run: "
            "more steps may not help; "
            "Ctrl-C keeps what there is, then `finish` builds from it"
        )
