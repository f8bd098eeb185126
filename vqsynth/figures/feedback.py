"""The picture of a feedback loop: what was heard, and the three curves that shaped it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vqsynth.figures.mel import blank, draw_mel, save
from vqsynth.figures.text import set_title
from vqsynth.streaming.band_pass import SEGMENT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS = 4000
_COLOUR = "#2a6f97"
_HZ = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


def draw(path: str | Path, audio: np.ndarray, sample_rate: int, curves: dict[str, np.ndarray], model: str) -> None:
    """Draw mel spectrogram, frequency, Q and factor over one axis of time (PNG).

    Args:
        path: PNG file, written whole or not at all.
        audio: what was heard, [samples].
        sample_rate: in Hz.
        curves: ``frequency`` (Hz), ``q`` and ``feedback`` at every 64th sample, each [ceil(samples / 64)].
        model: name in the title.

    Raises:
        VqsynthError: the figure cannot be written.
    """
    from vqsynth.dsp.mel import hz_to_mel

    seconds = len(audio) / sample_rate
    figure = blank(10.0, 8.6)
    axes = figure.subplots(4, 1, sharex=True, height_ratios=[2.2, 1, 1, 1])
    image = draw_mel(axes[0], audio, sample_rate)
    bar = figure.colorbar(image, ax=axes[0], pad=0.01, aspect=14)
    bar.set_label("level (dB below the loudest)", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    count = len(curves["frequency"])
    at = np.arange(0, count, max(1, count // _POINTS))
    times = at * SEGMENT / sample_rate
    curves = {name: values[at] for name, values in curves.items()}
    axes[0].plot(
        times,
        [float(hz_to_mel(hz)) for hz in curves["frequency"]],
        color="white",
        lw=1.0,
        ls=(0, (3, 3)),
        label="centre of the band",
    )
    axes[0].legend(loc="upper right", fontsize=8, facecolor="black", framealpha=0.5, labelcolor="white")
    axes[0].set_ylabel("frequency (Hz)", fontsize=9)
    set_title(axes[0], f"mel spectrogram of the output: {model} listening to itself")
    _curve(axes[1], times, curves["frequency"], "centre frequency of the band-pass", "f (Hz)")
    _octaves(axes[1], curves["frequency"])
    _curve(axes[2], times, curves["q"], "quality of the band-pass: centre frequency over bandwidth", "Q")
    _curve(
        axes[3],
        times,
        curves["feedback"],
        "feedback factor: gain of a pass; above 1 (dashed) the loop grows up to its ceiling",
        "factor",
    )
    axes[3].axhline(1.0, color="0.4", lw=0.9, ls="--")
    axes[3].set_ylim(bottom=0.0)
    axes[3].set_xlabel("time (s)", fontsize=9)
    axes[0].set_xlim(0, seconds)
    save(figure, path)


def _curve(axes: Axes, times: np.ndarray, values: np.ndarray, title: str, label: str) -> None:
    axes.plot(times, values, color=_COLOUR, lw=1.5)
    room = 0.1 * float(np.ptp(values)) or 0.1 * float(values.max()) or 1.0
    axes.set_ylim(float(values.min()) - room, float(values.max()) + room)
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_ylabel(label, fontsize=9)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.3)


def _octaves(axes: Axes, values: np.ndarray) -> None:
    """A logarithmic axis with plain numbers, where the values span more than an octave."""
    low, high = float(values.min()), float(values.max())
    if high < 2 * low:
        return
    axes.set_yscale("log")
    axes.set_ylim(low / 1.15, high * 1.15)
    ticks = [hz for hz in _HZ if low / 1.15 <= hz <= high * 1.15]
    axes.set_yticks(ticks, [f"{hz / 1000:g}k" if hz >= 1000 else str(hz) for hz in ticks])
    axes.minorticks_off()
