"""Models are loaded once, for all windows; what they can do, for the page."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from vqsynth import descriptors
from vqsynth.errors import VqsynthError
from vqsynth.interface.installed import load as load_timbre
from vqsynth.interface.timbre import Timbre
from vqsynth.play.answers import Refused
from vqsynth.wavae.domain import Domain
from vqsynth.wavae.domain import load as load_domain


class Models:
    """Timbres and wavae models by name, each loaded when it is first used.

    Attributes:
        made: names of models that were trained since the server runs.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._timbres: dict[str, Timbre] = {}
        self._domains: dict[str, Domain] = {}
        self._locks: dict[tuple[str, str], threading.RLock] = {}
        self.made: set[str] = set()
        self._busy: dict[str, threading.Lock] = {}

    def timbre(self, name: str) -> Timbre:
        """A timbre, its weights loaded.

        Raises:
            Refused: 404.
            VqsynthError: it is damaged.
        """
        with self._loading("timbre", name):
            if name not in self._timbres:
                if name not in Timbre.installed():
                    raise Refused(404, "there is no timbre of this name", "timbre", name)
                timbre = load_timbre(name)
                _ = timbre.model, timbre.table, timbre.units, timbre.index, timbre.spectra
                self._timbres[name] = timbre
            return self._timbres[name]

    def domain(self, name: str) -> Domain:
        """A wavae model, its weights loaded.

        Raises:
            Refused: 404.
            VqsynthError: it is damaged.
        """
        with self._loading("domain", name):
            if name not in self._domains:
                if name not in Domain.installed():
                    raise Refused(404, "there is no wavae model of this name", "model", name)
                domain = load_domain(name)
                _ = domain.model, domain.pca, domain.corpus_latents
                self._domains[name] = domain
            return self._domains[name]

    def _loading(self, kind: str, name: str) -> threading.RLock:
        """Held while a model is loaded: nobody waits for the loading of another."""
        with self._lock:
            return self._locks.setdefault((kind, name), threading.RLock())

    def busy(self, name: str) -> threading.Lock:
        """Held by who renders with a timbre."""
        with self._lock:
            return self._busy.setdefault(name, threading.Lock())

    def forget(self, name: str) -> None:
        """Load a model anew when it is next used: it was trained again."""
        with self._lock:
            self._timbres.pop(name, None)
            self._domains.pop(name, None)

    def list(self) -> dict[str, Any]:
        """All that are installed, as JSON; those that are damaged are left out."""
        timbres, domains = [], []
        for name, path in Timbre.installed().items():
            try:
                timbres.append(self._timbre(Timbre(path), name))
            except VqsynthError:
                continue
        for name, path in Domain.installed().items():
            try:
                domains.append(self._domain(Domain(path), name))
            except VqsynthError:
                continue
        return {"timbres": timbres, "wavae": domains}

    def whole_timbre(self, name: str) -> dict[str, Any]:
        """One timbre with its recordings, as JSON."""
        timbre = self.timbre(name)
        recordings = []
        if timbre.units is not None:
            for row in timbre.played():
                recordings.append(
                    {
                        "name": row.name,
                        "seconds": row.seconds,
                        "notes": row.notes,
                        "pitch": row.pitch,
                        "licence": row.source.get("licence"),
                    }
                )
        return {**self._timbre(timbre, name), "recordings": recordings}

    def whole_domain(self, name: str) -> dict[str, Any]:
        """One wavae model with the widths of its axes, as JSON."""
        domain = self.domain(name)
        return {**self._domain(domain, name), "axis_std": [float(std) for std in domain.pca.std]}

    def _timbre(self, timbre: Timbre, name: str) -> dict[str, Any]:
        table = timbre.table
        ranges = []
        for column in table.names:
            known = descriptors.get(column)
            if np.isfinite(table.column(column)).any():
                low, p10, p90, high = (float(v) for v in table.percentile(column, [1, 10, 90, 99]))
                scale = {"unit": known.unit, "scale": known.scale}
                ranges.append({"name": column, **scale, "low": low, "p10": p10, "p90": p90, "high": high})
        return {
            **self._card(timbre, name),
            "codes": table.K,
            "units": "units.safetensors" in timbre.card.get("files", {}),
            "sample_rate": timbre.config.sample_rate,
            "descriptors": ranges,
        }

    def _domain(self, domain: Domain, name: str) -> dict[str, Any]:
        config = domain.config
        return {
            **self._card(domain, name),
            "sample_rate": config.sample_rate,
            "rate": config.rate,
            "axes": config.latent_dim,
            "controls": list(config.controls),
            "pitch_range": domain.pitch_range,
            "level": domain.level,
        }

    def _card(self, model: Timbre | Domain, name: str) -> dict[str, Any]:
        sources = model.card.get("source", [])
        return {
            "name": name,
            "description": model.header.get("description", ""),
            "licences": sorted({str(source.get("licence", "not stated")) for source in sources}),
            "sources": sources,
            "quality": model.card.get("quality", {}),
            "own": name in self.made,
        }
