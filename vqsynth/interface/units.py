"""The units of a timbre: make them, add recordings, look into them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vqsynth.errors import UsageError
from vqsynth.interface.asked import Progress
from vqsynth.library import timbre as folders

if TYPE_CHECKING:
    from vqsynth.units.store import Units
    from vqsynth.units.summary import Place, RecordingSummary


class UnitsOfTimbre(folders.Timbre):
    """A timbre on disk, with what can be done with the frames that its recordings played."""

    def build_units(self, *recordings: str | Path, overwrite: bool = False, progress: Progress | None = None) -> Units:
        """Make the units of a timbre that has none, from its recordings; nothing is trained.

        Args:
            recordings: folders of recordings, or single files.
            overwrite: replace units that are there.
            progress: told the recording and the share that is done.

        Returns:
            The units, which are :attr:`units` then.

        Raises:
            UsageError: the timbre has units, and they must not be replaced.
            VqsynthError: no recording can be used, or the timbre's folder cannot be written to.
        """
        from vqsynth.library.units import make_units

        if folders.UNITS in self.card.get("files", {}) and not overwrite:
            raise UsageError(
                f"{self.name} has units already; add recordings with `vqsynth units add`, or replace them all",
                field="overwrite",
            )
        return make_units(self, [*map(Path, recordings)], False, progress or (lambda text, share: None))

    def add_units(self, *recordings: str | Path, progress: Progress | None = None) -> Units:
        """Add recordings to what can be played, hours if need be; the timbre's own model encodes them, unchanged.

        Recordings that are there already are left out with a warning. An interrupt keeps those that are done; the same
        call goes on from there.

        Args:
            recordings: folders of recordings, or single files.
            progress: told the recording and the share that is done.

        Returns:
            The units, old and new, which are :attr:`units` then.

        Raises:
            UsageError: all of these recordings are there already.
            VqsynthError: no recording can be used, or the timbre's folder cannot be written to.
        """
        from vqsynth.library.units import make_units

        return make_units(self, [*map(Path, recordings)], True, progress or (lambda text, share: None))

    def played(self) -> list[RecordingSummary]:
        """What each recording of the units holds: seconds, notes, pitch range, source.

        Raises:
            UsageError: the timbre has no units.
        """
        from vqsynth.units.summary import summarize

        return summarize(self._units(), self.config.frame_rate)

    def places(self, code: int) -> list[Place]:
        """The recordings and seconds at which a code was played.

        Raises:
            UsageError: no such code, or the timbre has no units.
        """
        from vqsynth.units.summary import where

        return where(self._units(), code, self.config.frame_rate, self.config.n_codes)

    def _units(self) -> Units:
        if self.units is None:
            raise UsageError(
                f"{self.name} has no units; make them from its recordings with `vqsynth units build {self.name} FOLDER`"
            )
        return self.units
