"""A trained model is a folder: a card in TOML, weights in safetensors, and what was measured.

Nothing in it is ever run. The card holds the SHA-256 of every other file and of itself; what does not match is refused.
Shared by the timbres of the discrete model and the domains of the continuous one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from vqsynth.errors import UsageError, VqsynthError, nearest_names
from vqsynth.library import card as cards
from vqsynth.storage.reading import is_file, is_folder, regular_file, sha256

if TYPE_CHECKING:
    from pydantic import BaseModel
    from torch import Tensor, nn

Module = TypeVar("Module", bound="nn.Module")
Config = TypeVar("Config", bound="BaseModel")

MODEL = "model.safetensors"
LARGEST_FILE = 1 << 30
"""Bytes of a file of a folder; the weights of the large presets have some 20 million."""


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
        path: the folder.
        card: the content of its card.
    """

    KIND = "model"
    CARD = "card.toml"
    INSIDE = ""
    FORMAT_VERSION = 1
    TRAIN = "vqsynth train"
    REMEDIES: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """What helps where a file other than the weights is missing, and where it is damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.card = cards.read_card(path / self.CARD, self._header, self.FORMAT_VERSION, self.KIND)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    @property
    def header(self) -> dict[str, Any]:
        """The card's first section: name, format version, description."""
        return self.card[self._header]

    @property
    def name(self) -> str:
        """As the card has it."""
        return str(self.header["name"])

    @property
    def learned_from(self) -> tuple[str, ...]:
        """What its weights learned from, with licences: its own recordings, and those of the model it began with."""
        own = (
            f"{source.get('package', 'unknown')} ({source.get('licence', 'not stated')})"
            for source in self.card.get("source", [])
        )
        begun = map(str, self.card.get("training", {}).get("start_sources", []))
        return tuple(dict.fromkeys([*own, *begun]))

    @property
    def _header(self) -> str:
        return self.CARD.removesuffix(".toml")

    @classmethod
    def installed(cls) -> dict[str, Path]:
        """All models of this kind that the search path holds: name -> folder."""
        found: dict[str, Path] = {}
        for folder in search_path(cls.INSIDE):
            try:
                paths = sorted(folder.iterdir()) if is_folder(folder) else []
            except OSError:  # not ours to read
                continue
            for path in paths:
                if not path.name.startswith(".") and is_file(path / cls.CARD):
                    found.setdefault(path.name, path)
        return dict(sorted(found.items()))

    @classmethod
    def find(cls, name: str | Path) -> Path:
        """Return the folder of a model given by name or by path.

        Raises:
            UsageError: no such model; the message names the nearest ones.
        """
        path = Path(name)
        if is_file(path / cls.CARD):
            return path
        if is_folder(path) and (os.sep in str(name) or path.is_absolute()):
            raise VqsynthError(f"{path}: not a {cls.KIND} folder, it has no {cls.CARD}; train one with `{cls.TRAIN}`")
        models = cls.installed()
        if str(name) not in models:
            raise UsageError(f"{name}: no {cls.KIND} of this name; {nearest_names(str(name), models)}")
        return models[str(name)]

    def verified(self, name: str) -> Path:
        """Path of a file of the folder, after its checksum was compared with the card's.

        Raises:
            VqsynthError: it is missing, damaged, too large, or lies elsewhere.
        """
        path = self.path / name
        again = f"restore it or train the {self.KIND} again"
        missing, damaged = self.REMEDIES.get(name, (again, again))
        if not os.path.lexists(path):
            raise VqsynthError(f"{path}: missing from the {self.KIND} folder; {missing}")
        if regular_file(path).stat().st_size > LARGEST_FILE:
            raise VqsynthError(f"{path}: larger than any file of a {self.KIND}; {damaged}")
        if not path.resolve().is_relative_to(self.path.resolve()):
            raise VqsynthError(f"{path}: a link out of the {self.KIND} folder; {again}")
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

    def read_tensors(self) -> dict[str, Tensor]:
        """The tensors of the weights' file, verified; those in eight bits are whole again.

        Raises:
            VqsynthError: the file is missing or damaged, or no safetensors.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        from vqsynth.storage.compact import expand

        path = self.verified(MODEL)
        try:
            tensors = load_file(path)
        # Types that torch does not have, or sizes that do not fit, come as other exceptions.
        except (SafetensorError, ValueError, LookupError, TypeError, RuntimeError, OSError, MemoryError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise VqsynthError(f"{path}: not a safetensors file ({reason}); restore it") from error
        try:
            return expand(tensors)
        except ValueError as error:
            raise VqsynthError(f"{path}: {error}; restore it") from error

    def fill(self, module: Module, tensors: Mapping[str, Tensor]) -> Module:
        """Load stored weights into a module, in single precision, ready for inference.

        Args:
            module: built from the card's configuration.
            tensors: as :meth:`read_tensors` gives them; those of the module are called ``model.*``.

        Raises:
            VqsynthError: names, shapes or types are not those of the module, or a weight is not finite.
        """
        import torch

        weights, floats = {}, (torch.float16, torch.bfloat16, torch.float32, torch.float64)
        for name, tensor in tensors.items():
            if name.startswith("model."):
                if tensor.dtype not in floats or not torch.isfinite(tensor).all():
                    raise VqsynthError(f"{self.path / MODEL}: its tensor {name} holds no finite numbers; restore it")
                weights[name.removeprefix("model.")] = tensor.float()
        try:
            module.load_state_dict(weights)
        except RuntimeError as error:
            raise VqsynthError(
                f"{self.path / MODEL}: does not fit the configuration in {self.CARD}; restore both"
            ) from error
        return module.eval().requires_grad_(False)

    def array(self, tensors: Mapping[str, Tensor], name: str, shape: tuple[int | None, ...], kind: str) -> np.ndarray:
        """A tensor beside the weights as an array.

        Args:
            tensors: as :meth:`read_tensors` gives them.
            name: of the tensor.
            shape: that it must have; None stands for any length.
            kind: ``i`` for whole numbers, ``f`` for others.

        Raises:
            VqsynthError: it is missing, of another shape or type, or not finite.
        """
        import torch

        kinds = {"i": (torch.int32, torch.int64), "f": (torch.float16, torch.float32, torch.float64)}
        # NumPy does not have all types of torch.
        values = tensors[name].numpy() if name in tensors and tensors[name].dtype in kinds[kind] else np.zeros(())
        fits = values.ndim == len(shape) and all(n in (None, m) for n, m in zip(shape, values.shape))
        if not fits or not np.isfinite(values).all():
            raise VqsynthError(f"{self.path / MODEL}: its tensor {name} is missing or damaged; restore it")
        return values

    def read_config(self, config: type[Config]) -> Config:
        """The card's [model] section as a checked configuration.

        Raises:
            VqsynthError: a setting is missing, unknown, or out of its bounds.
        """
        from pydantic import ValidationError

        try:
            return config.model_validate(self.card["model"])
        except KeyError:
            reason = "is missing"
        except ValidationError as error:
            reason = f"is damaged ({cards.sentence(error)})"
        raise VqsynthError(f"{self.path / self.CARD}: its [model] section {reason}; restore the file")

    @classmethod
    def write_card(cls, folder: Path, card: Mapping[str, Any]) -> None:
        """Write the card with its checksum, whole or not at all."""
        cards.write_card(folder / cls.CARD, card)
