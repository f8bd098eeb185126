"""A timbre is a folder: load it, verify it, save it.

``NAME/timbre.toml`` (the card), ``model.safetensors`` (half precision), ``descriptors.csv``,
``index.faiss``, ``figures/``. Nothing in it is ever run. Every file but the card itself has its SHA-256 in
the card; an index that does not match is rebuilt, anything else that does not match is refused.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vqsynth.errors import UsageError, VqsynthError, nearest_names, warn
from vqsynth.files import read_toml, save_tensors, sha256, write_text

if TYPE_CHECKING:
    import numpy as np

    from vqsynth.codebook.index import UnitIndex
    from vqsynth.codebook.table import Table
    from vqsynth.vqvae.config import ModelConfig
    from vqsynth.vqvae.model import VQVAE

FORMAT_VERSION = 1
CARD, MODEL, TABLE, INDEX = "timbre.toml", "model.safetensors", "descriptors.csv", "index.faiss"


def search_path() -> list[Path]:
    """Folders that are searched for timbres, first match first."""
    package = Path(__file__).resolve().parents[1]
    listed = [Path(p) for p in os.environ.get("VQSYNTH_CODEBOOKS", "").split(os.pathsep) if p]
    return [*listed, Path("codebooks"), package / "_data" / "codebooks", package.parent / "codebooks"]


def installed() -> dict[str, Path]:
    """All timbres that the search path holds: name -> folder."""
    found: dict[str, Path] = {}
    for folder in search_path():
        if folder.is_dir():
            for path in sorted(folder.iterdir()):
                if (path / CARD).is_file():
                    found.setdefault(path.name, path)
    return dict(sorted(found.items()))


def find(name: str | Path) -> Path:
    """Return the folder of a timbre given by name or by path.

    Raises:
        UsageError: no such timbre; the message names the nearest ones.
    """
    path = Path(name)
    if (path / CARD).is_file():
        return path
    if path.is_dir() and (os.sep in str(name) or path.is_absolute()):
        raise VqsynthError(f"{path}: not a timbre folder, it has no {CARD}; train one with `vqsynth train`")
    timbres = installed()
    if str(name) not in timbres:
        raise UsageError(f"{name}: no timbre of this name; {nearest_names(str(name), timbres)}")
    return timbres[str(name)]


class Timbre:
    """A trained timbre on disk; its parts are loaded and verified when they are first used.

    Attributes:
        path: the folder. card: the content of ``timbre.toml``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.card = read_toml(path / CARD)
        version = self.card.get("timbre", {}).get("format_version")
        if version != FORMAT_VERSION:
            raise VqsynthError(
                f"{path / CARD}: format version {version}, but this vqsynth reads version {FORMAT_VERSION}; "
                "use the vqsynth that made it, or train the timbre again"
            )

    def __repr__(self) -> str:
        return f"Timbre({self.name!r})"

    @property
    def name(self) -> str:
        return str(self.card["timbre"].get("name", self.path.name))

    @functools.cached_property
    def config(self) -> ModelConfig:
        """The model's configuration."""
        from pydantic import ValidationError

        from vqsynth.vqvae.config import ModelConfig

        try:
            return ModelConfig(**self.card["model"])
        except (KeyError, ValidationError) as error:
            raise VqsynthError(f"{self.path / CARD}: its [model] section is damaged ({error}); restore the file") from error

    def _verified(self, name: str) -> Path:
        path = self.path / name
        if not path.is_file():
            remedy = "run `vqsynth analyze`" if name in (TABLE, INDEX) else "restore it or train the timbre again"
            raise VqsynthError(f"{path}: missing from the timbre folder; {remedy}")
        if self.card.get("files", {}).get(name) != sha256(path):
            remedy = "run `vqsynth analyze` to make it anew" if name == TABLE else "restore it or train the timbre again"
            raise VqsynthError(f"{path}: damaged or changed, its checksum is not the one in {CARD}; {remedy}")
        return path

    @functools.cached_property
    def _tensors(self) -> dict[str, Any]:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        path = self._verified(MODEL)
        try:
            return load_file(path)
        except SafetensorError as error:
            raise VqsynthError(f"{path}: not a safetensors file ({error}); restore it") from error

    @functools.cached_property
    def model(self) -> VQVAE:
        """The VQ-VAE in single precision, ready for inference."""
        from vqsynth.vqvae.model import VQVAE

        model = VQVAE(self.config)
        weights = {k[6:]: v.float() for k, v in self._tensors.items() if k.startswith("model.")}
        try:
            model.load_state_dict(weights)
        except RuntimeError as error:
            raise VqsynthError(f"{self.path / MODEL}: does not fit the configuration in {CARD}; restore both") from error
        return model.eval().requires_grad_(False)

    @functools.cached_property
    def usage(self) -> np.ndarray:
        """How often the training recordings use each code. Shape: [n_codes] int64."""
        return self._tensors["usage"].numpy()

    @functools.cached_property
    def transitions(self) -> np.ndarray:
        """The corpus's code bigrams. Shape: [n, 3] int32: from, to, count."""
        return self._tensors["transitions"].numpy()

    @functools.cached_property
    def table(self) -> Table:
        """The descriptor table."""
        from vqsynth.codebook.table import Table

        table = Table.load(self._verified(TABLE))
        if len(table.codes) != self.config.n_codes:
            raise VqsynthError(f"{self.path / TABLE}: {len(table.codes)} rows for {self.config.n_codes} codes; run `vqsynth analyze`")
        return table

    @functools.cached_property
    def index(self) -> UnitIndex:
        """The FAISS index over the table; rebuilt from it when the file is missing or off."""
        from vqsynth.codebook.index import UnitIndex, table_index

        try:
            return UnitIndex.load(self._verified(INDEX))
        except VqsynthError as error:
            warn(f"{error}; rebuilt in memory from {TABLE}")
            return table_index(self.table)

    def verify(self) -> None:
        """Check every file of the folder against the card.

        Raises:
            VqsynthError: names the first file that is missing or damaged.
        """
        for name in self.card.get("files", {}):
            self._verified(name)

    def render(self, **options: Any):
        """Render descriptor targets: ``timbre.render(centroid="sin", f0="A4")``.

        See :func:`vqsynth.synthesis.render.render_targets` for all options.

        Returns:
            (audio float32 [samples], report dict)
        """
        from vqsynth.synthesis.render import render_targets

        return render_targets(self, **options)


def load(name: str | Path) -> Timbre:
    """Load a timbre by name or path.

    Raises:
        UsageError: no such timbre. VqsynthError: the folder is damaged or of a foreign version.
    """
    return Timbre(find(name))


def save_model(folder: Path, model: VQVAE, usage: np.ndarray, transitions: np.ndarray, card: Mapping[str, Any]) -> Timbre:
    """Write weights (half precision) and card into ``folder``; the table is left to the analysis."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"model.{k}": v.half() for k, v in model.state_dict().items()}
    tensors["usage"] = torch.from_numpy(usage)
    tensors["transitions"] = torch.from_numpy(transitions)
    save_tensors(folder / MODEL, tensors)
    # The old table belongs to the old weights.
    for name in (TABLE, INDEX):
        (folder / name).unlink(missing_ok=True)
    write_card(folder, {**card, "files": {MODEL: sha256(folder / MODEL)}})
    return Timbre(folder)


def record_files(timbre: Timbre, names: list[str]) -> None:
    """Take the checksums of ``names`` into the card."""
    files = dict(timbre.card.get("files", {}))
    files.update({name: sha256(timbre.path / name) for name in names})
    timbre.card["files"] = files
    write_card(timbre.path, timbre.card)
    for cached in ("table", "index"):
        timbre.__dict__.pop(cached, None)


def write_card(folder: Path, card: Mapping[str, Any]) -> None:
    """Write ``timbre.toml``, whole or not at all."""
    import tomli_w

    write_text(folder / CARD, tomli_w.dumps(dict(card)))
