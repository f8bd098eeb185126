"""Long work: sweeps and trainings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vqsynth.interface.asked import Bits
from vqsynth.interface.timbre import Timbre

if TYPE_CHECKING:
    from vqsynth.render.sweep.manifest import RenderOutcome
    from vqsynth.render.sweep.recipe import Item
    from vqsynth.training.reporter import Reporter
    from vqsynth.vqvae.config import ModelConfig
    from vqsynth.vqvae.training.settings import VqvaeSettings


def sweep(
    recipe: Mapping[str, Any] | Sequence[Item],
    folder: str | Path,
    *,
    jobs: int = -1,
    dask: str | None = None,
    bits: Bits = "16",
    progress: Callable[[int, int, int], None] | None = None,
) -> list[RenderOutcome]:
    """Render the product of a recipe's lists into a folder; started again, only what is missing.

    Args:
        recipe: lists of timbres, descriptors, targets and so on, as in a recipe's file; or the expanded items.
        folder: of the results, with ``manifest.csv`` and ``contact_sheet.png``.
        jobs: processes on this machine; -1 is one a core.
        dask: address of a dask scheduler to run on instead.
        bits: sample format of the files.
        progress: told (done, failed, total) after every render.

    Returns:
        An outcome for every item, in their order; failures of single renders are in them.

    Raises:
        UsageError: the recipe makes no sense.
        VqsynthError: the folder cannot be made, or the cluster not be reached.
    """
    from vqsynth.render.sweep.recipe import expand
    from vqsynth.render.sweep.run import sweep as run

    items = expand(recipe) if isinstance(recipe, Mapping) else recipe
    return run(items, folder, jobs, dask, bits, progress)


def train(
    recordings: str | Path,
    folder: str | Path,
    config: ModelConfig | None = None,
    settings: VqvaeSettings | None = None,
    *,
    device: str = "auto",
    resume: bool = False,
    finish: bool = False,
    overwrite: bool = False,
    description: str = "",
    reporter: Reporter | None = None,
    start_from: str | Path | None = None,
) -> Timbre | None:
    """Train a timbre from recordings and analyze it; see :func:`vqsynth.library.train.train_timbre`.

    Args:
        recordings: a folder of recordings of one timbre, or one file.
        folder: of the new timbre.
        config: of the model; None takes the base preset, or that of ``start_from``.
        settings: length, seed and batches; None trains for 30 minutes.
        device: ``auto``, ``cpu``, ``cuda`` ...
        resume: go on where an interrupted run stopped.
        finish: build the timbre from the checkpoint as it is.
        overwrite: replace a timbre or a run that is there.
        description: one line for the card.
        reporter: told what is done.
        start_from: a timbre, by name or folder, whose weights the run starts from; the codebook begins anew.

    Returns:
        The timbre; None in the other processes of a distributed run.

    Raises:
        UsageError: the folder holds a timbre or a run already, or nothing to resume, or ``config`` does not fit
            ``start_from``.
    """
    from vqsynth.library.train import train_timbre

    made = train_timbre(
        recordings, folder, config, settings, device, resume, finish, overwrite, description, reporter, start_from
    )
    return None if made is None else Timbre(made.path)
