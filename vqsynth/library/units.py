"""Units into a timbre's folder: made of its corpus, of its recordings, or of more recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vqsynth.errors import UsageError, VqsynthError, warn
from vqsynth.library.model_folder import LARGEST_FILE, MODEL
from vqsynth.library.timbre import UNITS, Timbre, record_files
from vqsynth.storage.atomic import check_folder
from vqsynth.storage.lock import locked
from vqsynth.units.build import Progress, add_corpus, add_recordings
from vqsynth.units.maker import UnitsMaker

if TYPE_CHECKING:
    from vqsynth.training.prepared import Prepared
    from vqsynth.units.store import Units


def units_of_corpus(
    timbre: Timbre,
    corpus: Prepared,
    sources: Sequence[Mapping[str, Any]],
    progress: Progress = lambda text, share: None,
) -> None:
    """Make a timbre's units of the recordings that it was trained on; what it had is replaced.

    Args:
        timbre: newly built.
        corpus: that it was trained on.
        sources: provenance of the recordings.
        progress: called with a recording's name and the share that is done, 0 to 1.
    """
    with _maker(timbre, None) as maker:
        add_corpus(maker, corpus, sources, progress)
        _keep(timbre, maker)


def make_units(
    timbre: Timbre, folders: Sequence[Path], add: bool = False, progress: Progress = lambda text, share: None
) -> Units:
    """Make a timbre's units of recordings, without training; or add recordings to those that it has.

    An interrupt keeps the recordings that are done; the same recordings added again go on from there.

    Args:
        timbre: whose model encodes them.
        folders: of recordings, or single files.
        add: keep the units that are there; else they are replaced.
        progress: called with what is being done and the share that is done, 0 to 1.

    Returns:
        All units of the timbre.

    Raises:
        UsageError: all recordings are there already.
        VqsynthError: no recording can be used, or the timbre's folder cannot be written to.
    """
    check_folder(timbre.path)
    with locked(timbre.path, "maker of units"), _maker(timbre, timbre.units if add else None) as maker:
        try:
            present = add_recordings(maker, folders, progress)
        except KeyboardInterrupt:
            if maker.added:
                _keep(timbre, maker)
                warn(
                    f"{len(maker.added)} recordings are in {timbre.path / UNITS}; "
                    f"`vqsynth units add` with the same recordings goes on from there"
                )
            raise
        if not maker.added:
            where = ", ".join(map(str, folders))
            if present:
                raise UsageError(f"{where}: all of these recordings are units of {timbre.name} already; give others")
            raise VqsynthError(f"{where}: none of these recordings can be used; `vqsynth corpus check` says why")
        _keep(timbre, maker)
    units = timbre.units
    assert units is not None
    return units


def _maker(timbre: Timbre, base: Units | None) -> UnitsMaker:
    return UnitsMaker(timbre.model, timbre.card["files"][MODEL], timbre.path, base)


def _keep(timbre: Timbre, maker: UnitsMaker) -> None:
    """Write units and card."""
    if maker.bytes > LARGEST_FILE:
        raise VqsynthError(
            f"{timbre.path / UNITS}: {maker.bytes:,} bytes are more than the units of a timbre can have "
            f"({LARGEST_FILE:,}); add fewer recordings"
        )
    maker.save(timbre.path / UNITS)
    record_files(timbre, [UNITS])
