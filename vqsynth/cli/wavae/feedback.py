"""``vqsynth wavae feedback``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vqsynth.cli.render import Bar
from vqsynth.cli.text import echo
from vqsynth.cli.transfer import BITS, Bits
from vqsynth.cli.wavae.interpolate import MODEL


def feedback(
    model: MODEL,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="OUT.wav", help=".wav or .flac (default: MODEL_feedback.wav)"),
    ] = None,
    frequency: Annotated[
        str,
        typer.Option(
            "--frequency",
            "-f",
            metavar="TARGET",
            help="centre of the band: 440Hz, A4, sin:3@200:4000, a .csv, a recording (its centroid)",
        ),
    ] = "sin",
    q: Annotated[
        str, typer.Option("--q", metavar="TARGET", help="quality of the band, centre over width: 5, line@1:10, a .csv")
    ] = "5",
    feedback: Annotated[
        str,
        typer.Option(
            "--feedback",
            metavar="TARGET",
            help="gain of a pass: above 1 the loop grows to its ceiling, below 1 it dies; 2, arch@0:3",
        ),
    ] = "2",
    duration: Annotated[
        float | None, typer.Option("--duration", "-d", help="seconds (default: the curves' or the input's, else 20)")
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--input",
            "-i",
            metavar="IN.wav",
            help="a recording mixed into the model's input (default: a burst of noise)",
        ),
    ] = None,
    block: Annotated[int, typer.Option(help="samples of a block; the loop's own delay is one block")] = 512,
    delay: Annotated[float, typer.Option(help="added to the loop's delay, ms")] = 0.0,
    breath: Annotated[float, typer.Option(help="noise in the band relative to the signal, dB; -100 is none")] = -20.0,
    seed: Annotated[int, typer.Option(help="of the noise, and of curves that walk")] = 0,
    bits: BITS = Bits.sixteen,
    figure: Annotated[
        bool, typer.Option("--figure/--no-figure", help="draw OUT.png: mel spectrogram, frequency, Q and factor")
    ] = True,
) -> None:
    """Let a model listen to itself through a moving band-pass: OUT.wav, OUT.png and OUT.json.

    vqsynth wavae feedback --model screams --frequency sin:3@200:4000 --q 5 --feedback 2 --duration 30

    vqsynth wavae feedback --model screams --frequency f.csv --q q.csv --feedback factor.csv --duration 55 -o OUT.wav

    vqsynth wavae feedback --model singing --input call.wav --frequency A4 --q 15 --feedback 0.95 --delay 250

    A shape takes its range after @; one CSV may hold all three curves, in columns named frequency, q and feedback.
    """
    from vqsynth import wavae

    loaded = wavae.load(model)
    settings = wavae.FeedbackSettings(frequency, q, feedback, duration, block, delay, breath, seed, bits.value)
    with Bar() as bar:
        done = wavae.feedback(
            loaded, settings, source, output or Path(f"{loaded.name}_feedback.wav"), figure, bar.update
        )
    measured = done.report["measured"]
    spearman = measured["centroid_follows_frequency_spearman"]
    followed = "" if spearman is None else f", centroid follows the band with {spearman:.2f} (Spearman)"
    echo(
        f"{', '.join(map(str, done.files))}: {len(done.audio) / done.sample_rate:.1f} s, "
        f"peak {measured['peak_db']:.1f} dB{followed}"
    )
