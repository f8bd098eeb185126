"""A trained model is a folder: a card in TOML, weights in safetensors, and what was measured.

Nothing in it is ever run. The card holds the SHA-256 of every other file; what does not match is refused.
Shared by the timbres of the discrete model and the domains of the continuous one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vqsynth.errors import UsageError, VqsynthError, nearest_names
from vqsynth.storage.atomic import write_text
from vqsynth.storage.reading import read_toml, sha256

MODEL = "model.safetensors"


def search_path(inside: str = "") -> list[Path]:
    """Folders that are searched for models, first match first; ``inside`` names a folder within each."""
    package = Path(__file__).resolve().parents[1]
    listed = [Path(p) for p in os.environ.get("VQSYNTH_CODEBOOKS", "").split(os.pathsep) if p]
    return [
        root / inside
        for root in (
            *listed,
            Path("codebooks").absolute(),
            package / "_data" / "codebooks",
            package.parent / "codebooks",
        )
    ]


class ModelFolder:
    """A trained model on disk; its parts are loaded and verified when they are first used.

    Attributes:
        path: the folder. card: the content of its card.
    """

    KIND = "model"
    CARD = "card.toml"
    INSIDE = ""
    FORMAT_VERSION = 1
    TRAIN = "vqsynth train"
    REMEDIES: Mapping[str, tuple[str, str]] = {}
    """What helps where a file other than the weights is missing, and where it is damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.card = read_toml(path / self.CARD)
        version = self.header.get("format_version")
        if version != self.FORMAT_VERSION:
            raise VqsynthError(
                f"{path / self.CARD}: format version {version}, but this vqsynth reads version {self.FORMAT_VERSION}; "
                f"use the vqsynth that made it, or train the {self.KIND} again"
            )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    @property
    def header(self) -> dict[str, Any]:
        """The card's first section: name, format version, description."""
        return self.card.get(self.CARD.removesuffix(".toml"), {})

    @property
    def name(self) -> str:
        return str(self.header.get("name", self.path.name))

    @classmethod
    def installed(cls) -> dict[str, Path]:
        """All models of this kind that the search path holds: name -> folder."""
        found: dict[str, Path] = {}
        for folder in search_path(cls.INSIDE):
            if folder.is_dir():
                for path in sorted(folder.iterdir()):
                    if (path / cls.CARD).is_file():
                        found.setdefault(path.name, path)
        return dict(sorted(found.items()))

    @classmethod
    def find(cls, name: str | Path) -> Path:
        """Return the folder of a model given by name or by path.

        Raises:
            UsageError: no such model; the message names the nearest ones.
        """
        path = Path(name)
        if (path / cls.CARD).is_file():
            return path
        if path.is_dir() and (os.sep in str(name) or path.is_absolute()):
            raise VqsynthError(f"{path}: not a {cls.KIND} folder, it has no {cls.CARD}; train one with `{cls.TRAIN}`")
        models = cls.installed()
        if str(name) not in models:
            raise UsageError(f"{name}: no {cls.KIND} of this name; {nearest_names(str(name), models)}")
        return models[str(name)]

    def verified(self, name: str) -> Path:
        """Path of a file of the folder, after its checksum was compared with the card's."""
        path = self.path / name
        again = f"restore it or train the {self.KIND} again"
        missing, damaged = self.REMEDIES.get(name, (again, again))
        if not path.is_file():
            raise VqsynthError(f"{path}: missing from the {self.KIND} folder; {missing}")
        if self.card.get("files", {}).get(name) != sha256(path):
            raise VqsynthError(f"{path}: damaged or changed, its checksum is not the one in {self.CARD}; {damaged}")
        return path

    def verify(self) -> None:
        """Check every file of the folder against the card.

        Raises:
            VqsynthError: names the first file that is missing or damaged.
        """
        for name in self.card.get("files", {}):
            self.verified(name)

    def read_tensors(self) -> dict[str, Any]:
        """The tensors of the weights' file, verified."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        path = self.verified(MODEL)
        try:
            return load_file(path)
        except SafetensorError as error:
            raise VqsynthError(f"{path}: not a safetensors file ({error}); restore it") from error

    def fill(self, module: Any, tensors: Mapping[str, Any]) -> Any:
        """Load stored weights into a module, in single precision, ready for inference."""
        weights = {k[6:]: v.float() for k, v in tensors.items() if k.startswith("model.")}
        try:
            module.load_state_dict(weights)
        except RuntimeError as error:
            raise VqsynthError(
                f"{self.path / MODEL}: does not fit the configuration in {self.CARD}; restore both"
            ) from error
        return module.eval().requires_grad_(False)

    def read_config(self, config: type) -> Any:
        """The card's [model] section as a checked configuration."""
        from pydantic import ValidationError

        try:
            return config(**self.card["model"])
        except (KeyError, ValidationError) as error:
            raise VqsynthError(
                f"{self.path / self.CARD}: its [model] section is damaged ({error}); restore the file"
            ) from error

    @classmethod
    def write_card(cls, folder: Path, card: Mapping[str, Any]) -> None:
        """Write the card, whole or not at all."""
        import tomli_w

        write_text(folder / cls.CARD, tomli_w.dumps(dict(card)))
