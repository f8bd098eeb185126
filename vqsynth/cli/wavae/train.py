"""``vqsynth wavae train``."""

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
    ResumeOption,
    SeedOption,
    StepsOption,
    ThreadsOption,
    TimeOption,
)

OUTPUT = Path("codebooks/wavae")


class Preset(str, Enum):
    small = "small"
    base = "base"
    large = "large"
    fast = "fast"


class Controls(str, Enum):
    plain = "loudness+pitch"
    centroid = "loudness+pitch+centroid"


def train(
    recordings: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of recordings of one kind of sound (or one audio file).")
    ],
    name: Annotated[str, typer.Option("--name", "-n", metavar="NAME", help="Name of the new model.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder that the model's folder is made in.")] = OUTPUT,
    start_from: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="NAME",
            help="Adapt the weights of this model, by name or folder; none starts from nothing. "
            "By default base, where it is installed and no preset or control asks for another shape.",
        ),
    ] = "",
    preset: Annotated[
        Preset | None, typer.Option(help="Size of the model (default: base); fast has half the delay.")
    ] = None,
    controls: Annotated[
        Controls, typer.Option(help="What is taken out of the latent, to be drawn by you.")
    ] = Controls.plain,
    time: TimeOption = None,
    steps: StepsOption = None,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
    threads: ThreadsOption = 0,
    description: DescriptionOption = "",
    resume: ResumeOption = False,
    finish: FinishOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Train the continuous model on recordings: ready to bend, cross and transfer.

    Five minutes adapt the base model to ten minutes of recordings. One command, three phases: the vocoder learns
    to sing from mel frames, the VAE learns the latent path while an adversary keeps loudness and pitch out of it,
    then decoder and vocoder learn together. A held-out
    part of the recordings is never trained on: its resyntheses (WAV and spectrogram) appear in
    OUTPUT/NAME/training/previews. Ctrl-C loses nothing: --resume goes on.
    """
    from vqsynth.wavae.domain import Domain
    from vqsynth.wavae.network import config
    from vqsynth.wavae.training.settings import WavaeSettings
    from vqsynth.wavae.training.train import BASE, train_domain

    training.check_name(name, "name")
    settings = WavaeSettings(seed=seed, **training.run_length(time, steps, resume or finish))
    chosen = config.preset(preset.value) if preset else None
    if controls is Controls.centroid:
        names = ("loudness", "pitch", "voicing", "centroid")
        chosen = (chosen or config.WavaeConfig()).model_copy(update={"controls": names})
    folder = output / name
    if not start_from and chosen is None and not resume and not finish and BASE in Domain.installed():
        start_from = BASE
    training.train_and_tell(
        folder,
        threads,
        f"vqsynth wavae encode IN.wav --model {name if output == OUTPUT else folder}",
        lambda display: train_domain(
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
            None if start_from in ("", "none") else start_from,
        ),
    )
