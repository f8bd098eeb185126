"""A training run on disk: its settings, its prepared corpus, its checkpoint, and who hears how it goes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Protocol

import torch
from pydantic import BaseModel

from vqsynth.corpus.packs import read_sources
from vqsynth.errors import UsageError, VqsynthError
from vqsynth.figures.preview import write_preview
from vqsynth.storage.atomic import write_text
from vqsynth.storage.reading import read_toml
from vqsynth.training.loop import Loop, Step
from vqsynth.training.prepare import Analyze, Prepared, prepare

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

    def phase(self, text: str, share: float | None) -> None: ...

    def step(self, step: Step) -> None: ...

    def say(self, text: str) -> None: ...


def pick_device(device: str) -> str:
    """Resolve ``auto`` and check that a device can be used.

    Raises:
        UsageError: there is no such device.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(
            f"not usable here ({str(error).splitlines()[0]}); use auto, cpu or cuda", field="device", value=device
        ) from error
    return device


def sources_of(recordings: Path) -> list[dict[str, Any]]:
    """Provenance from ``source.toml`` beside the recordings, or a plain statement that there is none."""
    own = {"package": "own recordings", "version": "", "licence": "not stated", "real": True, "credit": recordings.name}
    return read_sources(recordings if recordings.is_dir() else recordings.parent) or [own]


class RunFolder:
    """``NAME/training/`` of a model folder: ``settings.toml``, ``corpus/``, ``checkpoint.safetensors``.

    Args:
        folder: of the model. card: name of the card that a finished model has.
        field: the argument that names the model, for messages.
    """

    def __init__(self, folder: Path, card: str, field: str) -> None:
        self.folder, self.card, self.field = folder, card, field
        self.work = folder / "training"

    def create(self, overwrite: bool) -> None:
        """Make room for a new run.

        Raises:
            UsageError: a model or an unfinished run is there. VqsynthError: the folder cannot be created.
        """
        if overwrite:
            shutil.rmtree(self.work, ignore_errors=True)
        elif (self.folder / self.card).is_file():
            raise UsageError(
                f"{self.folder}: is there already; choose another `{self.field}`, or replace it with `overwrite`"
            )
        elif (self.work / "checkpoint.safetensors").is_file():
            raise UsageError(
                f"{self.folder}: holds an unfinished run; go on with `resume`, or start again with `overwrite`"
            )
        self._make()

    def _make(self) -> None:
        try:
            self.work.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise VqsynthError(
                f"{self.folder}: cannot be created ({error.strerror}); choose another `output`"
            ) from error

    def write_settings(self, config: BaseModel, settings: BaseModel) -> None:
        """Write what the run was started with."""
        import tomli_w

        self._make()
        content = {"model": config.model_dump(mode="json"), "training": settings.model_dump(exclude_none=True)}
        write_text(self.work / "settings.toml", tomli_w.dumps(content))

    def stored(
        self, config: BaseModel | None, settings: BaseModel, config_type: type, settings_type: type
    ) -> tuple[Any, Any]:
        """The settings of an interrupted run, with a new length if one is asked for.

        Raises:
            UsageError: nothing to resume, or another ``config`` than the run's.
        """
        if not (self.work / "checkpoint.safetensors").is_file():
            raise UsageError(f"{self.work}: no checkpoint to resume; start without `resume`")
        stored = read_toml(self.work / "settings.toml")
        stored_config = config_type(**stored["model"])
        if config is not None and stored_config != config:
            raise UsageError(
                f"{self.work}: was started with another `preset`; resume without `preset`, or train anew under another name"
            )
        merged = dict(stored["training"])
        if settings.steps or settings.seconds:
            merged.pop("steps", None)
            merged.pop("seconds", None)
            merged.update({k: v for k, v in (("steps", settings.steps), ("seconds", settings.seconds)) if v})
        return stored_config, settings_type(**merged)

    def prepare(
        self,
        recordings: Path,
        sample_rate: int,
        hop_length: int,
        analyze: Analyze,
        settings: Any,
        reporter: Reporter,
        fresh: bool,
    ) -> None:
        """Prepare the recordings, unless that was done before."""
        if fresh:
            shutil.rmtree(self.work / "corpus", ignore_errors=True)
        if not (self.work / "corpus" / "pieces.json").is_file():
            prepare(
                recordings,
                self.work / "corpus",
                sample_rate,
                hop_length,
                analyze,
                settings.seed,
                settings.vary,
                settings.vary_seconds,
                lambda text, share: reporter.phase(f"preparing {text}", share),
            )

    def corpus(self, reporter: Reporter) -> Prepared:
        """The prepared corpus, announced."""
        corpus = Prepared(self.work / "corpus")
        reporter.say(
            f"{corpus.seconds(False, False):.0f} s of recordings, {corpus.info['varied_seconds']:.0f} s of varied phrases, "
            f"{corpus.seconds(True):.0f} s held out ({', '.join(corpus.info['held_out']) or 'nothing'})"
        )
        return corpus

    def clean(self) -> None:
        """Remove the prepared corpus; the checkpoint stays."""
        shutil.rmtree(self.work / "corpus", ignore_errors=True)


def report_validation(
    reporter: Reporter, config: Any, loop: Loop, step: Step, preview: tuple[torch.Tensor, torch.Tensor] | None
) -> None:
    """Write what the model makes of held-out recordings, and say when more training seems to be in vain."""
    if loop.rank or preview is None:
        return
    target, output = (audio.cpu().numpy() for audio in preview)
    write_preview(
        loop.folder / "previews", step.number, target, output, config.sample_rate, config.n_fft, config.hop_length
    )
    stale = step.share - loop.best_share
    if loop.judged() and STALE_SHARE < stale <= STALE_SHARE + 1.5 / loop.settings.validations and step.share < 0.95:
        reporter.say(
            f"held-out recordings have not improved since {loop.best_share:.0%} of the run: more steps may not help; "
            "Ctrl-C keeps what there is, then `finish` builds from it"
        )
