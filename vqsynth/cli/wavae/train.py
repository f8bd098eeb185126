"""``vqsynth wavae train``."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Optional

import typer


class Preset(str, Enum):
    small = "small"
    base = "base"
    large = "large"


class Controls(str, Enum):
    loudness = "loudness"
    both = "loudness+centroid"


def train(
    recordings: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of recordings of one kind of sound (or one audio file).")
    ],
    name: Annotated[str, typer.Option("--name", "-n", metavar="NAME", help="Name of the new model.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder that the model's folder is made in.")] = Path(
        "codebooks/wavae"
    ),
    preset: Annotated[Optional[Preset], typer.Option(help="Size of the model (default: base).")] = None,
    controls: Annotated[
        Controls, typer.Option(help="What is taken out of the latent, to be drawn by you.")
    ] = Controls.loudness,
    time: Annotated[Optional[str], typer.Option(metavar="30m", help="How long to train (default: 30m).")] = None,
    steps: Annotated[
        Optional[int], typer.Option(min=1, help="Train this many steps instead; repeatable to the bit.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 ...")] = "auto",
    seed: Annotated[int, typer.Option(help="Seed of the split, the weights and every batch.")] = 0,
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0 takes all cores.")] = 0,
    description: Annotated[str, typer.Option(help="One line for the card.")] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an interrupted run stopped.")] = False,
    finish: Annotated[bool, typer.Option("--finish", help="Build the model from the checkpoint as it is.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model or a run of this name.")] = False,
) -> None:
    """Train the continuous model on recordings: ready to bend, cross and transfer.

    One command, three phases: the vocoder learns to sing from mel frames, the VAE learns the latent path while an
    adversary keeps loudness out of it, then decoder and vocoder sharpen each other against discriminators. A held-out
    part of the recordings is never trained on: its resyntheses (WAV and spectrogram) appear in
    OUTPUT/NAME/training/previews. Ctrl-C loses nothing: --resume goes on.
    """
    if threads:
        import torch

        torch.set_num_threads(threads)
    from vqsynth.cli.progress import TrainingDisplay
    from vqsynth.cli.train import parse_time
    from vqsynth.errors import UsageError
    from vqsynth.training.trainer import Interrupted
    from vqsynth.wavae.network import config
    from vqsynth.wavae.training.settings import WavaeSettings
    from vqsynth.wavae.training.train import train_domain

    if time and steps:
        raise UsageError("--time and --steps: give one of them")
    if not name or Path(name).name != name:
        raise UsageError(f"--name {name!r}: a name is needed, not a path; choose the place with --output")
    seconds = parse_time(time) if time else None
    if not steps and not seconds and not (resume or finish):
        seconds = 1800.0
    chosen = config.preset(preset.value) if preset else None
    if controls is not Controls.loudness:
        chosen = (chosen or config.WavaeConfig()).model_copy(update={"controls": ("loudness", "centroid")})
    settings = WavaeSettings(seed=seed, steps=steps, seconds=seconds)
    try:
        with TrainingDisplay() as display:
            domain = train_domain(
                recordings, output / name, chosen, settings, device, resume, finish, overwrite, description, display
            )
    except Interrupted:
        typer.echo(
            f"stopped; the checkpoint is in {output / name / 'training'}. Go on with --resume, or build from it with --finish.",
            err=True,
        )
        raise typer.Exit(130) from None
    typer.echo(
        f"{domain.path} is ready: vqsynth wavae encode IN.wav --model {name if output == Path('codebooks/wavae') else domain.path}"
    )
