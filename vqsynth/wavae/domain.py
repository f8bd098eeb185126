"""A trained domain: a folder with the continuous model of one kind of sound."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vqsynth.dsp import loudness
from vqsynth.errors import UsageError, VqsynthError
from vqsynth.library.model_folder import MODEL, ModelFolder
from vqsynth.storage.atomic import save_tensors
from vqsynth.storage.reading import sha256
from vqsynth.wavae.paths.latent_path import LatentPath
from vqsynth.wavae.paths.nearest import Corpus
from vqsynth.wavae.paths.pca import Pca

if TYPE_CHECKING:
    from torch import Tensor

    from vqsynth.wavae.network.config import WavaeConfig
    from vqsynth.wavae.network.model import Wavae
    from vqsynth.wavae.network.stream import Stream

CARD = "wavae.toml"
PITCH = ("track", "free")
"""Who holds the pitch of an encoded sound: a control, or the latents."""


class Domain(ModelFolder):
    """A trained domain on disk; its parts are loaded and verified when they are first used.

    Attributes:
        path: the folder.
        card: the content of ``wavae.toml``.
    """

    KIND, CARD, INSIDE, TRAIN = "wavae model", CARD, "wavae", "vqsynth wavae train"
    FORMAT_VERSION = 3

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        version = self.header.get("loudness_version")
        if version != loudness.VERSION:
            raise VqsynthError(
                f"{path / CARD}: trained with loudness version {version}, but this vqsynth measures version "
                f"{loudness.VERSION}; its levels would be wrong. Train it again, or use the vqsynth that made it"
            )

    @functools.cached_property
    def config(self) -> WavaeConfig:
        """The model's configuration."""
        from vqsynth.wavae.network.config import WavaeConfig

        return self.read_config(WavaeConfig)

    @functools.cached_property
    def _tensors(self) -> dict[str, Tensor]:
        return self.read_tensors()

    @functools.cached_property
    def model(self) -> Wavae:
        """The model in single precision, ready for inference."""
        from vqsynth.wavae.network.model import Wavae

        return self.fill(Wavae(self.config), self._tensors)

    @functools.cached_property
    def pca(self) -> Pca:
        """Principal axes of the training recordings' latents."""
        size = self.config.latent_dim
        shapes: dict[str, tuple[int, ...]] = {"mean": (size,), "components": (size, size), "std": (size,)}
        return Pca(*(self.array(self._tensors, f"pca.{name}", shape, "f") for name, shape in shapes.items()))

    @functools.cached_property
    def corpus_latents(self) -> Corpus | None:
        """Latents of the training recordings, for transfer; None where the model has none."""
        if "corpus.latents" not in self._tensors:
            return None
        latents = self.array(self._tensors, "corpus.latents", (None, self.config.latent_dim), "f")
        voicing = self.array(self._tensors, "corpus.voicing", (len(latents),), "f")
        return Corpus(latents.astype(np.float32), voicing.astype(np.float32))

    @property
    def level(self) -> float:
        """Loudness that the loudest moment of every training recording had, dB."""
        level = self._training.get("level_lufs")
        if level is None:
            raise VqsynthError(f"{self.path / CARD}: its [training] section has no level_lufs; restore the file")
        return float(level)

    @property
    def pitch_range(self) -> tuple[float, float] | None:
        """Lowest and highest pitch of the training recordings, Hz; None where they had none."""
        low_high = self._training.get("pitch_hz")
        return (float(low_high[0]), float(low_high[1])) if low_high else None

    @property
    def _training(self) -> dict[str, Any]:
        return self.card.get("training", {})

    def encode(self, audio: np.ndarray, pitch: str = "track") -> LatentPath:
        """Encode a sound at the model's rate.

        Args:
            audio: [samples].
            pitch: ``track`` makes the pitch a control, where a frame has one pitch; ``free`` leaves it to the latents.

        Raises:
            UsageError: unknown ``pitch``.
            VqsynthError: the sound is shorter than one latent frame, or holds NaN.
        """
        return self.encode_blocks([audio], pitch)

    def encode_blocks(self, blocks: Iterable[np.ndarray], pitch: str = "track") -> LatentPath:
        """Encode a sound that comes in blocks [samples] at the model's rate, never the whole of it in memory.

        Args:
            blocks: of the sound.
            pitch: as for :meth:`encode`.

        Raises:
            UsageError: as :meth:`encode`.
            VqsynthError: as :meth:`encode`.
        """
        config = self.config
        if pitch not in PITCH:
            raise UsageError("choose track or free", field="pitch", value=pitch)
        z, controls, samples = self.model.encode_blocks(map(_finite, blocks), pitch == "free")
        if samples < config.latent_hop:
            raise VqsynthError(
                f"{samples} samples are shorter than one latent frame of {self.name} ({config.latent_hop} samples, "
                f"{1000 / config.rate:.0f} ms); give a longer sound"
            )
        return LatentPath(
            z,
            controls,
            config.controls,
            config.rate,
            config.sample_rate,
            samples,
            self.name,
            self.pca,
            loudness.VERSION,
        )

    def accept(self, path: LatentPath) -> None:
        """Check that a path can be decoded here.

        Raises:
            VqsynthError: says which of dimension, rate, controls or loudness does not fit.
        """
        config = self.config
        if path.z.shape[1] != config.latent_dim:
            raise VqsynthError(
                f"the path has {path.z.shape[1]} latent dimensions, but {self.name} has {config.latent_dim}; "
                f"encode the sound with {self.name}"
            )
        if abs(path.rate / config.rate - 1) > 1e-4:
            raise VqsynthError(
                f"the path has {path.rate:.2f} frames a second, but {self.name} has {config.rate:.2f}; "
                f"encode the sound with {self.name}"
            )
        if path.names != config.controls:
            raise VqsynthError(
                f"the path carries {', '.join(path.names)}, but {self.name} is controlled by "
                f"{', '.join(config.controls)}; encode the sound with {self.name}"
            )
        if path.loudness_version != loudness.VERSION:
            raise VqsynthError(
                f"the path was made with loudness version {path.loudness_version}, this vqsynth measures version "
                f"{loudness.VERSION}; encode the sound again"
            )

    def decode(self, path: LatentPath, seed: int = 0) -> np.ndarray:
        """Decode a latent path. Shape: -> [samples], the path's own length.

        Args:
            path: of the sound.
            seed: of the noise.

        Raises:
            VqsynthError: the path does not fit this domain (:meth:`accept`).
        """
        self.accept(path)
        return self.model.decode(path.z, path.controls, path.samples, seed)

    @contextlib.contextmanager
    def streaming(self, seed: int = 0, live: bool = False) -> Iterator[Stream]:
        """Begin a stream: ``stream.push(block)`` [samples] -> [samples], ``stream.latency`` samples late.

        Several may run at once, also in threads: they share the weights and nothing else.

        Args:
            seed: of the noise.
            live: compile the model, which takes half a second and makes small blocks cheaper.
        """
        from vqsynth.wavae.network.stream import Stream

        yield Stream(self.model, seed, live)


def _finite(audio: np.ndarray) -> np.ndarray:
    if not np.isfinite(audio).all():
        raise VqsynthError("the sound holds values that are no numbers (NaN or infinity); export it again")
    return audio


def load(name: str | Path) -> Domain:
    """Load a domain by name or path.

    Raises:
        UsageError: no such domain.
        VqsynthError: the folder is damaged, of a foreign version, or of another loudness.
    """
    return Domain(Domain.find(name))


def save(
    folder: Path, model: Wavae, pca: Pca, card: Mapping[str, Any], more: Mapping[str, np.ndarray] | None = None
) -> Domain:
    """Write weights (eight bits), axes, ``more`` arrays by name (``corpus.latents``) and card into ``folder``."""
    import torch

    from vqsynth.storage.compact import compact

    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"model.{k}": v for k, v in compact(model.state_dict()).items()}
    arrays = {**{f"pca.{k}": v for k, v in vars(pca).items()}, **(more or {})}
    tensors |= {k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in arrays.items()}
    if "corpus.latents" in tensors:
        tensors |= compact({"corpus.latents": tensors["corpus.latents"]})
    save_tensors(folder / MODEL, tensors)
    files = {MODEL: sha256(folder / MODEL)}
    files |= {p.relative_to(folder).as_posix(): sha256(p) for p in sorted((folder / "figures").glob("*.png"))}
    Domain.write_card(folder, {**card, "files": files})
    return Domain(folder)
