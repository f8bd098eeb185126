"""A timbre is a folder: load it, verify it, save it.

``NAME/timbre.toml`` (the card), ``model.safetensors`` (half precision), ``descriptors.csv``,
``index.faiss``, ``figures/``. Nothing in it is ever run. Every file has its SHA-256 in the card, and the card its own;
an index that does not match is rebuilt, anything else that does not match is refused.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from vqsynth.errors import VqsynthError, warn
from vqsynth.library.model_folder import MODEL, ModelFolder
from vqsynth.storage.atomic import save_tensors
from vqsynth.storage.reading import sha256

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from vqsynth.library.table import Table
    from vqsynth.units.index import UnitIndex
    from vqsynth.units.store import Units
    from vqsynth.vqvae.code_spectra import CodeSpectra
    from vqsynth.vqvae.config import ModelConfig
    from vqsynth.vqvae.model import VQVAE

CARD, TABLE, INDEX, UNITS = "timbre.toml", "descriptors.csv", "index.faiss", "units.safetensors"
FORMAT_VERSION = ModelFolder.FORMAT_VERSION


def installed() -> dict[str, Path]:
    """All timbres that the search path holds: name -> folder."""
    return Timbre.installed()


def find(name: str | Path) -> Path:
    """Return the folder of a timbre given by name or by path.

    Raises:
        UsageError: no such timbre; the message names the nearest ones.
    """
    return Timbre.find(name)


class Timbre(ModelFolder):
    """A trained timbre on disk; its parts are loaded and verified when they are first used.

    Attributes:
        path: the folder.
        card: the content of ``timbre.toml``.
    """

    KIND, CARD = "timbre", CARD
    REMEDIES: ClassVar = {
        TABLE: ("run `vqsynth analyze`", "run `vqsynth analyze` to make it anew"),
        UNITS: ("run `vqsynth units build`", "restore it or run `vqsynth units build`"),
        INDEX: ("run `vqsynth analyze`", "restore it or train the timbre again"),
    }

    @functools.cached_property
    def config(self) -> ModelConfig:
        """The model's configuration."""
        from vqsynth.vqvae.config import ModelConfig

        return self.read_config(ModelConfig)

    @functools.cached_property
    def _tensors(self) -> dict[str, Tensor]:
        return self.read_tensors()

    @functools.cached_property
    def model(self) -> VQVAE:
        """The VQ-VAE in single precision, ready for inference."""
        from vqsynth.vqvae.model import VQVAE

        return self.fill(VQVAE(self.config), self._tensors)

    @functools.cached_property
    def spectra(self) -> CodeSpectra:
        """What every code sounds like."""
        from vqsynth.vqvae.code_spectra import CodeSpectra

        return CodeSpectra(self.model)

    @functools.cached_property
    def usage(self) -> np.ndarray:
        """How often the training recordings use each code. Shape: [n_codes] int64."""
        usage = self.array(self._tensors, "usage", (self.config.n_codes,), "i")
        if (usage < 0).any():
            raise VqsynthError(f"{self.path / MODEL}: its tensor usage is damaged; restore it")
        return usage

    @functools.cached_property
    def transitions(self) -> np.ndarray:
        """The corpus's code bigrams. Shape: [n, 3] int32: from, to, count."""
        bigrams = self.array(self._tensors, "transitions", (None, 3), "i")
        if (bigrams < 0).any() or (bigrams[:, :2] >= self.config.n_codes).any():
            raise VqsynthError(f"{self.path / MODEL}: its tensor transitions is damaged; restore it")
        return bigrams

    @functools.cached_property
    def table(self) -> Table:
        """The descriptor table."""
        from vqsynth.library.table import Table

        table = Table.load(self.verified(TABLE))
        if len(table.codes) != self.config.n_codes:
            raise VqsynthError(
                f"{self.path / TABLE}: {len(table.codes)} rows for {self.config.n_codes} codes; run `vqsynth analyze`"
            )
        return table

    @functools.cached_property
    def units(self) -> Units | None:
        """Its recordings frame by frame, or None where the timbre has none.

        Raises:
            VqsynthError: the file is damaged, or belongs to other weights.
        """
        if UNITS not in self.card.get("files", {}):
            return None
        from vqsynth.units.store import open_units

        units = open_units(self.verified(UNITS), self.config.n_codes)
        if units.model != self.card["files"].get(MODEL):
            raise VqsynthError(f"{self.path / UNITS}: made with other weights; run `vqsynth units build`")
        return units

    @functools.cached_property
    def index(self) -> UnitIndex:
        """The FAISS index over the table; rebuilt from it when the file is missing or off."""
        from vqsynth.library.index import is_table_index, table_index
        from vqsynth.units.index import UnitIndex

        try:
            index = UnitIndex.load(self.verified(INDEX))
            if not is_table_index(index, self.table):
                raise VqsynthError(f"{self.path / INDEX}: not the index of this table; run `vqsynth analyze`")
            return index
        except VqsynthError as error:
            warn(f"{error}; rebuilt in memory from {TABLE}")
            return table_index(self.table)


def load(name: str | Path) -> Timbre:
    """Load a timbre by name or path.

    Raises:
        UsageError: no such timbre.
        VqsynthError: the folder is damaged or of a foreign version.
    """
    return Timbre(Timbre.find(name))


def stored_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights as a timbre keeps them: half precision, of the encoder eight bits, since nothing sounds through it."""
    from vqsynth.storage.compact import compact

    encoder = {name: weight for name, weight in weights.items() if name.startswith("encoder.")}
    return {name: weight.half() for name, weight in weights.items() if name not in encoder} | compact(encoder)


def save_model(
    folder: Path, model: VQVAE, usage: np.ndarray, transitions: np.ndarray, card: Mapping[str, Any]
) -> Timbre:
    """Write weights (:func:`stored_weights`) and card into ``folder``; the table is left to the analysis."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"model.{name}": weight for name, weight in stored_weights(model.state_dict()).items()}
    tensors["usage"] = torch.from_numpy(usage)
    tensors["transitions"] = torch.from_numpy(transitions)
    save_tensors(folder / MODEL, tensors)
    # The old table belongs to the old weights.
    for name in (TABLE, INDEX, UNITS):
        (folder / name).unlink(missing_ok=True)
    Timbre.write_card(folder, {**card, "files": {MODEL: sha256(folder / MODEL)}})
    return Timbre(folder)


def record_files(timbre: Timbre, names: list[str]) -> None:
    """Take the checksums of ``names`` into the card."""
    files = dict(timbre.card.get("files", {}))
    files.update({name: sha256(timbre.path / name) for name in names})
    timbre.card["files"] = files
    timbre.write_card(timbre.path, timbre.card)
    for cached in ("table", "index", "units"):
        timbre.__dict__.pop(cached, None)
