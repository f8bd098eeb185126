"""Latent paths on disk; the suffix says how.

``.npz``  all of the path, exactly, without pickled objects: ``z`` [frames, latent_dim] float32, an array [frames] for
          each control in ``names`` (``loudness`` in dB; ``pitch`` in Hz and ``voicing`` 0..1 where the domain has
          them), ``pca_mean``, ``pca_components``, ``pca_std``, the scalars ``rate``, ``sample_rate``,
          ``samples``, ``domain``, ``loudness_version``, ``format_version``, and ``operations``, the words for what bent
          the path.
``.csv``  for a spreadsheet: a row a latent frame, ``time_s,loudness_db`` (``,pitch_hz,voicing,centroid_hz`` where the
          domain controls them) ``,pc1,...,pc16``: the coordinates along the principal axes.
``.txt``  for a Max coll: ``0, loudness pc1 ... pc16;``, a line a latent frame, the columns of the CSV without the time.

Texts name no model: reading one needs the domain, whose axes, rate and loudness are taken for granted. They last to the
end of their last frame, which is up to a frame after the end of the sound.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vqsynth.dsp import loudness
from vqsynth.errors import UsageError, VqsynthError
from vqsynth.storage.arrays import Archive, write_arrays
from vqsynth.storage.atomic import write_text
from vqsynth.storage.reading import regular_file
from vqsynth.wavae.paths import path_text
from vqsynth.wavae.paths.latent_path import LARGEST, LatentPath
from vqsynth.wavae.paths.pca import Pca

if TYPE_CHECKING:
    from vqsynth.wavae.domain import Domain

FORMAT_VERSION = 1
SUFFIXES = (".npz", ".csv", ".txt")
_PCA = ("mean", "components", "std")
_SCALARS = ("rate", "sample_rate", "samples", "domain", "loudness_version", "format_version")
_CONTROLS = ("loudness", "pitch", "voicing", "centroid")
_WHAT = "a latent path"


def check_suffix(file: str | Path) -> str:
    """The suffix of a path's file, in lower case.

    Raises:
        UsageError: it is none of .npz, .csv and .txt.
    """
    suffix = Path(file).suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(
            f"{file}: a latent path is kept in .npz (all of it), .csv (a spreadsheet) or .txt (a Max coll); "
            "use one of these suffixes"
        )
    return suffix


def save(file: str | Path, path: LatentPath) -> None:
    """Write a path in the format of the suffix, whole or not at all.

    Raises:
        UsageError: another suffix.
        VqsynthError: the folder is missing or not writable, or the disk is full.
    """
    suffix = check_suffix(file)
    if suffix != ".npz":
        write_text(file, path_text.csv_text(path) if suffix == ".csv" else path_text.coll_text(path))
        return
    write_arrays(
        file,
        {
            "z": path.z.astype(np.float32),
            **{name: values.astype(np.float32) for name, values in zip(path.names, path.controls.T)},
            **{f"pca_{name}": getattr(path.pca, name).astype(np.float32) for name in _PCA},
            "names": np.array(path.names),
            "operations": np.array(path.operations, dtype=np.str_),
            "rate": path.rate,
            "sample_rate": path.sample_rate,
            "samples": path.samples,
            "domain": path.domain,
            "loudness_version": path.loudness_version,
            "format_version": FORMAT_VERSION,
        },
    )


def load(file: str | Path, domain: Domain | None = None) -> LatentPath:
    """Read a path.

    Args:
        file: the path.
        domain: what it will be decoded with; checked for (:meth:`~vqsynth.wavae.domain.Domain.accept`). Texts need it.

    Raises:
        UsageError: another suffix, or a text without ``domain``.
        VqsynthError: missing, damaged or foreign; not finite; of another dimension, rate or loudness than ``domain``.
    """
    file, suffix = Path(file), check_suffix(file)
    regular_file(file, _WHAT)
    if suffix == ".npz":
        path = _from_npz(file)
    elif domain is None:
        raise UsageError(f"{file}: a {suffix} file does not say which model its path belongs to; give `model`")
    else:
        times, controls, coordinates = (path_text.read_csv if suffix == ".csv" else path_text.read_coll)(
            file, domain.config
        )
        path = _from_text(file, domain, times, controls, coordinates)
    try:
        if domain is not None:
            domain.accept(path)
    except VqsynthError as error:
        raise VqsynthError(f"{file}: {error}") from error
    return path


def _from_text(
    file: Path, domain: Domain, times: np.ndarray | None, controls: np.ndarray, coordinates: np.ndarray
) -> LatentPath:
    config = domain.config
    if times is not None and len(times) > 1:
        rate = (len(times) - 1) / max(times[-1] - times[0], 1e-9)
        if (
            abs(rate / config.rate - 1) > 1e-3
            or np.abs(times - times[0] - np.arange(len(times)) / config.rate).max() > 0.1 / config.rate
        ):
            raise VqsynthError(
                f"{file}: its rows are {rate:.2f} a second on average, but {domain.name} has {config.rate:.2f}, "
                "evenly; restore its times"
            )
    z = domain.pca.latents(coordinates).astype(np.float32)
    samples = max(1, domain.model.samples_of(len(z)))
    try:
        return LatentPath(
            z,
            controls.astype(np.float32),
            config.controls,
            config.rate,
            config.sample_rate,
            samples,
            domain.name,
            domain.pca,
            loudness.VERSION,
        )
    except VqsynthError as error:
        raise VqsynthError(f"{file}: {error}") from error


def _from_npz(file: Path) -> LatentPath:
    data = _read(file)
    missing = [name for name in ("z", "names", *(f"pca_{name}" for name in _PCA), *_SCALARS) if name not in data]
    names = np.atleast_1d(data.get("names", "")).tolist()
    missing = missing or [name for name in names if not isinstance(name, str) or name not in data]
    if missing:
        raise VqsynthError(
            f"{file}: not a latent path (no {', '.join(str(name)[:40] for name in missing[:3])}); "
            "make one with `vqsynth wavae encode`"
        )
    if str(data["format_version"]) != str(FORMAT_VERSION):
        raise VqsynthError(
            f"{file}: format version {data['format_version']}, but this vqsynth reads version {FORMAT_VERSION}; "
            "encode the sound again"
        )
    try:
        if data["z"].ndim != 2 or any(data[name].ndim for name in _SCALARS):
            raise ValueError("shapes")
        pca = Pca(*(_floats(data[f"pca_{name}"]) for name in _PCA))
        size, fits = data["z"].shape[-1], [pca.mean.shape, pca.components.shape, pca.std.shape]
        path = LatentPath(
            _floats(data["z"]),
            np.stack([_floats(data[name]) for name in names], 1),
            tuple(names),
            float(data["rate"]),
            int(data["sample_rate"]),
            int(data["samples"]),
            str(data["domain"]),
            pca,
            int(data["loudness_version"]),
            tuple(map(str, np.atleast_1d(data.get("operations", [])))),
        )
    except VqsynthError as error:
        raise VqsynthError(f"{file}: {error}") from error
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise VqsynthError(f"{file}: damaged, its arrays do not belong together; encode the sound again") from error
    if not (0.1 < path.rate < 1e6 and 0 < path.sample_rate < 1e6):
        raise VqsynthError(
            f"{file}: damaged, {path.rate:g} frames a second at {path.sample_rate} Hz; encode the sound again"
        )
    if fits != [(size,), (size, size), (size,)] or not all(
        (np.abs(values) < LARGEST).all() for values in vars(pca).values()
    ):
        raise VqsynthError(
            f"{file}: damaged, its principal axes do not fit its {size} latent dimensions; encode the sound again"
        )
    if not 0 < path.samples <= len(path) * path.sample_rate / path.rate:
        raise VqsynthError(
            f"{file}: damaged, {len(path)} frames are not {path.samples} samples; encode the sound again"
        )
    return path


def _read(file: Path) -> dict[str, np.ndarray]:
    names = ("z", "names", "operations", *(f"pca_{name}" for name in _PCA), *_SCALARS)
    return Archive(file, _WHAT, "make one with `vqsynth wavae encode`").read((*names, *_CONTROLS))


def _floats(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # infinity is refused
        return np.asarray(values).astype(np.float32)
