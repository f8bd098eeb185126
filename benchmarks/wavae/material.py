"""What is measured: installed domains, recordings that their trainings did not see, what else the options name."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from benchmarks.wavae.rows import Gap
from vqsynth.corpus.files import find_audio
from vqsynth.errors import VqsynthError
from vqsynth.wavae.domain import Domain, load
from vqsynth.wavae.effects.input import encode_recording
from vqsynth.wavae.paths.latent_path import LatentPath

SEEDS = ("strings", "screams", "singing", "spoken", "brass")
"""The domains that ship, but for the base."""


@dataclasses.dataclass(frozen=True)
class Recording:
    """A recording at the level of its domain's training. audio: [samples]; path: as the domain encodes it."""

    name: str
    audio: np.ndarray
    path: LatentPath


@dataclasses.dataclass(eq=False)
class Material:
    """What the options name.

    Attributes:
        names: of domains.
        corpora: folder of folders of recordings.
        inputs: folder of foreign sounds.
        baselines: melGAN and Vocos of domains: name of the domain, folder.
        adversary_off: a domain trained without the adversary, by domain.
        minutes: of the realtime part.
        limit: most seconds of recordings that one figure listens to.
    """

    names: tuple[str, ...] = SEEDS
    corpora: Path | None = None
    inputs: Path | None = None
    baselines: tuple[tuple[str, Path], ...] = ()
    adversary_off: dict[str, Path] = dataclasses.field(default_factory=dict)
    minutes: float = 10.0
    limit: float = 240.0
    _loaded: dict[str | Path, Domain] = dataclasses.field(default_factory=dict, init=False, repr=False)

    def domain(self, name: str | Path) -> Domain:
        """A domain, ready.

        Raises:
            Gap: it is not installed, or damaged.
        """
        if name not in self._loaded:
            try:
                domain = load(name)
                _ = domain.model, domain.pca
            except VqsynthError as error:
                raise Gap(str(error)) from error
            self._loaded[name] = domain
        return self._loaded[name]

    def folder(self, name: str) -> Path:
        """Recordings of a domain: ``wavae_NAME`` or ``NAME`` in ``corpora``.

        Raises:
            Gap: there are none.
        """
        if self.corpora is None:
            raise Gap("no recordings (--corpora DIR)")
        for folder in (self.corpora / f"wavae_{name}", self.corpora / name):
            if folder.is_dir():
                return folder
        raise Gap(f"no recordings in {self.corpora.name}/{name} (vqsynth corpus fetch {name})")

    def files(self, name: str, held_out: bool) -> list[Path]:
        """Recordings that the training of a domain did not see (named in its card), or those it saw.

        Raises:
            Gap: there are none.
        """
        listed = set(self.domain(name).card["training"].get("held_out", []))
        found = [path for path in find_audio(self.folder(name)) if (path.name in listed) == held_out]
        if held_out and len(found) < len(listed):
            print(f"{name}: {len(listed) - len(found)} of {len(listed)} held-out recordings are missing", flush=True)
        if not found:
            raise Gap(f"none of the {'held-out' if held_out else 'training'} recordings of {name} is there")
        return found

    def recordings(
        self, name: str, held_out: bool = True, limit: float | None = None, domain: Domain | None = None
    ) -> Iterator[Recording]:
        """Recordings, encoded; those that cannot be used are left out.

        Args:
            name: of the domain whose recordings are meant.
            held_out: those that its training did not see, or those that it saw.
            limit: seconds in all, ``self.limit`` by default; taken evenly from the files in a random but fixed order.
            domain: that encodes, the one of this name by default.
        """
        domain = domain or self.domain(name)
        left = self.limit if limit is None else limit
        files = self.files(name, held_out)
        for index in np.random.default_rng(7).permutation(len(files)):
            if left <= 0:
                return
            try:
                audio, path, _ = encode_recording(files[index], domain)
            except VqsynthError as error:
                print(f"{name}: {error}", flush=True)
                continue
            left -= len(audio) / domain.config.sample_rate
            yield Recording(files[index].name, audio, path)

    def trained_beside(self, name: str) -> list[tuple[torch.nn.Module, dict]]:
        """Generators that were trained on a domain's data, each with its record of training.

        Raises:
            Gap: one cannot be read.
        """
        from benchmarks.wavae import baseline

        found = []
        for domain, path in self.baselines:
            if domain == name:
                try:
                    found.append(baseline.load(path))
                except Exception as error:
                    raise Gap(f"{path}: no baseline ({error})") from error
        return found
