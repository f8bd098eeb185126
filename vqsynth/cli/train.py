"""``vqsynth train``."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from vqsynth.cli import training
from vqsynth.cli.training import (
    DescriptionOption,
    DeviceOption,
    FinishOption,
    OverwriteOption,
    PresetOption,
    ResumeOption,
    SeedOption,
    StepsOption,
    ThreadsOption,
    TimeOption,
)

OUTPUT = Path("codebooks")


class Vary(str, Enum):
    auto = "auto"
    on = "on"
    off = "off"


def train(
    recordings: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of recordings of ONE timbre (or one audio file).")
    ],
    timbre: Annotated[str, typer.Option("--timbre", "-t", metavar="NAME", help="Name of the new timbre.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder that the timbre's folder is made in.")
    ] = OUTPUT,
    start_from: Annotated[
        str, typer.Option("--from", metavar="NAME", help="Start from the weights of this timbre, by name or folder.")
    ] = "",
    preset: PresetOption = None,
    time: TimeOption = None,
    steps: StepsOption = None,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
    batch_size: Annotated[int, typer.Option(min=1, help="Segments a step.")] = 6,
    vary: Annotated[Vary, typer.Option(help="Fill the gaps between sampled notes with varied phrases.")] = Vary.auto,
    threads: ThreadsOption = 0,
    description: DescriptionOption = "",
    resume: ResumeOption = False,
    finish: FinishOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Train a timbre from recordings, then analyze it: ready to render.

    Ten minutes of one instrument or voice are plenty; a dozen sampled notes do. A held-out part of the
    recordings is never trained on: its reconstructions (WAV and spectrogram) appear in
    OUTPUT/NAME/training/previews while the model learns. Ctrl-C loses nothing: --resume goes on.
    Several GPUs: torchrun --nproc-per-node 2 -m vqsynth train ...
    """
    from vqsynth.library.train import train_timbre
    from vqsynth.vqvae import config
    from vqsynth.vqvae.training.settings import VqvaeSettings

    training.check_name(timbre, "timbre")
    length = training.run_length(time, steps, resume or finish)
    settings = VqvaeSettings(seed=seed, batch_size=batch_size, vary=vary.value, **length)
    chosen = config.preset(preset.value) if preset else None
    folder = output / timbre
    training.train_and_tell(
        folder,
        threads,
        f"vqsynth render {timbre if output == OUTPUT else folder} --target sin",
        lambda display: train_timbre(
            recordings,
            folder,
            chosen,
            settings,
            device,
            resume,
            finish,
            overwrite,
            description,
            display,
            start_from or None,
        ),
    )
