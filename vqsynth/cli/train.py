"""``vqsynth train``."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Optional

import typer


class Preset(str, Enum):
    small = "small"
    base = "base"
    large = "large"


class Vary(str, Enum):
    auto = "auto"
    on = "on"
    off = "off"


def parse_time(text: str) -> float:
    """Seconds of ``90``, ``90s``, ``30m``, ``1.5h`` or ``1h30m``.

    Raises:
        UsageError: not a length of time.
    """
    import re

    from vqsynth.errors import UsageError

    if re.fullmatch(r"\d+(\.\d+)?", text):
        seconds = float(text)
    elif re.fullmatch(r"(\d+(\.\d+)?[hms])+", text):
        seconds = sum(
            float(number) * {"h": 3600, "m": 60, "s": 1}[unit] for number, unit in re.findall(r"([\d.]+)([hms])", text)
        )
    else:
        seconds = 0.0
    if seconds <= 0:
        raise UsageError("not a length of time; write for example 90s, 30m or 1h30m", field="time", value=text)
    return seconds


def train(
    recordings: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of recordings of ONE timbre (or one audio file).")
    ],
    timbre: Annotated[str, typer.Option("--timbre", "-t", metavar="NAME", help="Name of the new timbre.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder that the timbre's folder is made in.")] = Path(
        "codebooks"
    ),
    preset: Annotated[Optional[Preset], typer.Option(help="Size of the model (default: base).")] = None,
    time: Annotated[Optional[str], typer.Option(metavar="30m", help="How long to train (default: 30m).")] = None,
    steps: Annotated[
        Optional[int], typer.Option(min=1, help="Train this many steps instead; repeatable to the bit.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 ...")] = "auto",
    seed: Annotated[int, typer.Option(help="Seed of the split, the weights and every batch.")] = 0,
    batch_size: Annotated[int, typer.Option(min=1, help="Segments a step.")] = 6,
    vary: Annotated[Vary, typer.Option(help="Fill the gaps between sampled notes with varied phrases.")] = Vary.auto,
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0 takes all cores.")] = 0,
    description: Annotated[str, typer.Option(help="One line for the card.")] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an interrupted run stopped.")] = False,
    finish: Annotated[bool, typer.Option("--finish", help="Build the timbre from the checkpoint as it is.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a timbre or a run of this name.")] = False,
) -> None:
    """Train a timbre from recordings, then analyze it: ready to render.

    Ten minutes of one instrument or voice are plenty; a dozen sampled notes do. A held-out part of the
    recordings is never trained on: its reconstructions (WAV and spectrogram) appear in
    OUTPUT/NAME/training/previews while the model learns. Ctrl-C loses nothing: --resume goes on.
    Several GPUs: torchrun --nproc-per-node 2 -m vqsynth train ...
    """
    if threads:
        import torch

        torch.set_num_threads(threads)
    from vqsynth.cli.progress import TrainingDisplay
    from vqsynth.errors import UsageError
    from vqsynth.library.train import train_timbre
    from vqsynth.training.trainer import Interrupted
    from vqsynth.vqvae import config
    from vqsynth.vqvae.training.settings import TrainSettings

    if time and steps:
        raise UsageError("--time and --steps: give one of them")
    if not timbre or Path(timbre).name != timbre:
        raise UsageError(f"--timbre {timbre!r}: a name is needed, not a path; choose the place with --output")
    seconds = parse_time(time) if time else None
    if not steps and not seconds and not (resume or finish):
        seconds = 1800.0
    settings = TrainSettings(seed=seed, steps=steps, seconds=seconds, batch_size=batch_size, vary=vary.value)
    chosen = config.preset(preset.value) if preset else None
    try:
        with TrainingDisplay() as display:
            result = train_timbre(
                recordings, output / timbre, chosen, settings, device, resume, finish, overwrite, description, display
            )
    except Interrupted:
        typer.echo(
            f"stopped; the checkpoint is in {output / timbre / 'training'}. Go on with --resume, or build from it with --finish.",
            err=True,
        )
        raise typer.Exit(130) from None
    if result is not None:
        typer.echo(
            f"{result.path} is ready: vqsynth render {timbre if output == Path('codebooks') else result.path} --target sin"
        )
