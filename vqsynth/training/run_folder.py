"""A training run on disk: its settings, its prepared corpus, its checkpoint, its unpublished model."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from vqsynth.errors import UsageError, VqsynthError
from vqsynth.storage.atomic import write_text
from vqsynth.storage.lock import locked
from vqsynth.storage.reading import read_toml
from vqsynth.storage.swap import finish_replacing, replace_contents
from vqsynth.training.settings import RunSettings

Config = TypeVar("Config", bound=BaseModel)
Settings = TypeVar("Settings", bound=RunSettings)


class RunFolder:
    """``NAME/training/`` of a model folder: ``settings.toml``, ``corpus/``, ``checkpoint.safetensors``, ``previews/``.

    The finished model is built in ``NAME/training/model/`` and takes its place in ``NAME/`` at once,
    so that a model of this name stays usable until another is whole.

    Args:
        folder: of the model.
        card: name of the card that a finished model has.
        field: the argument that names the model, for messages.
    """

    def __init__(self, folder: Path, card: str, field: str) -> None:
        self.folder, self.card, self.field = folder, card, field
        self.work = folder / "training"
        self.corpus, self.model = self.work / "corpus", self.work / "model"
        self.checkpoint = self.work / "checkpoint.safetensors"
        self.settings = self.work / "settings.toml"

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Make the folder and keep others from writing to it; it is removed again if it stays empty.

        Raises:
            VqsynthError: it cannot be made, or another training is writing to it.
        """
        made = [path for path in (self.work, *self.work.parents) if not path.exists()]
        try:
            self.work.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"{self.folder}: cannot be created ({error.strerror}); choose another `output`"
            raise VqsynthError(message) from error
        try:
            with locked(self.folder, "training"):
                finish_replacing(self.folder)
                yield
        finally:
            for path in made:
                with contextlib.suppress(OSError):
                    path.rmdir()

    def check_free(self, overwrite: bool) -> None:
        """Check that a new run may begin here.

        Raises:
            UsageError: a model or an unfinished run is there, and ``overwrite`` is False.
        """
        if overwrite:
            return
        if (self.folder / self.card).is_file():
            raise UsageError(
                f"{self.folder} is there already; choose another `{self.field}`, or replace it with `overwrite`"
            )
        if self.checkpoint.is_file():
            raise UsageError(
                f"{self.folder} holds an unfinished run; go on with `resume`, or start again with `overwrite`"
            )

    def clear(self) -> None:
        """Remove what an earlier run left, but for a finished model."""
        # Settings first: a run is known by them.
        for path in (self.settings, self.checkpoint):
            path.unlink(missing_ok=True)
        for path in (self.corpus, self.model, self.work / "previews"):
            shutil.rmtree(path, ignore_errors=True)

    def write_settings(self, config: BaseModel, settings: BaseModel) -> None:
        """Write what the run was started with."""
        import tomli_w

        content = {"model": config.model_dump(mode="json"), "training": settings.model_dump(exclude_none=True)}
        write_text(self.settings, tomli_w.dumps(content))

    def read_settings(
        self, config: Config | None, settings: Settings, config_type: type[Config], finish: bool
    ) -> tuple[Config, Settings]:
        """The settings of an interrupted run, with a new length if one is asked for.

        Args:
            config: what is asked for, or None.
            settings: their ``steps`` and ``seconds`` count if they are given.
            config_type: of the model.
            finish: whether a checkpoint is needed.

        Raises:
            UsageError: nothing to resume, or another ``config`` than the run's.
            VqsynthError: the stored settings are damaged.
        """
        if not self.settings.is_file():
            raise UsageError(f"{self.folder}: no run to go on with; start one without `resume` or `finish`")
        if finish and not self.checkpoint.is_file():
            raise UsageError(f"{self.folder}: the run has no checkpoint yet; go on with `resume` instead of `finish`")
        stored: dict[str, Any] = read_toml(self.settings)
        try:
            stored_config = config_type(**stored["model"])
            merged = dict(stored["training"])
            if settings.steps or settings.seconds:
                merged |= {"steps": settings.steps, "seconds": settings.seconds}
            stored_settings = type(settings)(**merged)
        except (KeyError, TypeError, ValidationError) as error:
            raise VqsynthError(f"{self.settings}: damaged ({error}); start again with `overwrite`") from error
        if config is not None and stored_config != config:
            raise UsageError(
                f"{self.folder}: the run was started with another `preset`; resume without `preset`, "
                "or train anew under another name"
            )
        return stored_config, stored_settings

    def new_model(self) -> Path:
        """An empty folder to build a model in."""
        shutil.rmtree(self.model, ignore_errors=True)
        self.model.mkdir()
        return self.model

    def publish(self) -> None:
        """Put the model that was built in the place of an earlier one, and remove the prepared corpus."""
        replace_contents(self.folder, self.model, last=self.card)
        (self.corpus / "pieces.json").unlink(missing_ok=True)
        shutil.rmtree(self.corpus, ignore_errors=True)
