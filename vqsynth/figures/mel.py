"""Mel spectrograms of sounds beside or below one another, with one scale for all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vqsynth.figures.text import set_title
from vqsynth.storage.atomic import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.image import AxesImage

N_FFT, N_MELS = 2048, 128
RANGE_DB = 80.0
COLUMNS = 1200
"""Columns shown at most; longer sounds are averaged over time."""
FMIN, FMAX = 30.0, 20_000.0
_TICKS = (100, 500, 1000, 2000, 5000, 10_000, 20_000)
_HEARD = 0.1  # voicing from which a pitch is shown
_PIECE = 1 << 20  # samples analyzed at a time

Panel = tuple[str, np.ndarray]
"""A title and the sound below it, audio [samples]."""
Strip = tuple[str, np.ndarray, dict[str, np.ndarray]]
"""Curves over the same time: what their axis shows, seconds [n], and name -> values [n]."""
STRIP_HEIGHT = 0.5
"""Of a panel's height."""
COLOURS = 256
"""Of a picture on disk."""


def mel_levels(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """Levels of 128 mel bands over time.

    Shape: audio [samples] -> [columns, 128] in dB, columns at most 1,200
    """
    import torch

    from vqsynth.dsp.mel import mel_filters
    from vqsynth.dsp.stft import hann

    filters, window = mel_filters(sample_rate, N_FFT, N_MELS, FMIN, FMAX), hann(N_FFT)
    # Enough columns for the eye, each the average of whole frames.
    hop = max(N_FFT // 8, min(N_FFT // 4, len(audio) // COLUMNS))
    padded = np.pad(np.asarray(audio, np.float32), (N_FFT // 2, N_FFT // 2))
    rows = []
    for start in range(0, len(audio) + 1, _PIECE // hop * hop):
        piece = torch.from_numpy(padded[start : start + (_PIECE // hop - 1) * hop + N_FFT])
        if len(piece) >= N_FFT:
            rows.append(torch.fft.rfft(piece.unfold(0, N_FFT, hop) * window).abs().square() @ filters)
    power = torch.cat(rows).numpy()
    step = -(-len(power) // COLUMNS)
    starts = np.arange(0, len(power), step)
    power = np.add.reduceat(power, starts) / np.diff(np.append(starts, len(power)))[:, None]
    return 10 * np.log10(power + 1e-10)


def draw_mel(axes: Axes, audio: np.ndarray, sample_rate: int, top_db: float | None = None) -> AxesImage:
    """Draw one mel spectrogram; time in s, frequency in Hz on the mel scale.

    Args:
        axes: what to draw into.
        audio: [samples].
        sample_rate: in Hz.
        top_db: the level that is 0 dB, in the measure of :func:`mel_levels`; by default the sound's own maximum.

    Returns:
        The image, whose values are dB below ``top_db``.
    """
    return _draw(axes, mel_levels(audio, sample_rate), len(audio) / sample_rate, sample_rate, top_db)


def _draw(axes: Axes, levels: np.ndarray, seconds: float, sample_rate: int, top_db: float | None) -> AxesImage:
    from vqsynth.dsp.mel import hz_to_mel

    high = min(FMAX, sample_rate / 2)
    top_db = float(levels.max()) if top_db is None else top_db
    image = axes.imshow(
        levels.T - top_db,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=-RANGE_DB,
        vmax=0.0,
        interpolation="none",
        extent=(0, seconds, float(hz_to_mel(FMIN)), float(hz_to_mel(high))),
    )
    ticks = [hz for hz in _TICKS if hz <= high]
    axes.set_yticks(
        [float(hz_to_mel(hz)) for hz in ticks], [f"{hz / 1000:g}k" if hz >= 1000 else str(hz) for hz in ticks]
    )
    axes.tick_params(labelsize=8)
    # Where a sound has ended there is no silence, but nothing.
    axes.set_facecolor("0.93")
    return image


def draw_pitch(axes: Axes, seconds: np.ndarray, hz: np.ndarray, voicing: np.ndarray) -> None:
    """Draw a pitch over a mel spectrogram where it is heard. Shape: seconds, Hz, voicing (0..1) [n]."""
    from vqsynth.dsp.mel import hz_to_mel

    heard = np.where((voicing >= _HEARD) & (hz >= FMIN), hz_to_mel(hz), np.nan)
    if np.isfinite(heard).any():
        axes.plot(seconds, heard, color="#35d0ff", lw=1.2, ls=(0, (3, 2)), label="pitch")
        axes.legend(fontsize=8, loc="upper right")


def draw_panels(
    figure: Figure | SubFigure,
    panels: Sequence[Panel],
    sample_rate: int,
    side_by_side: bool = False,
    strip: Strip | None = None,
) -> list[Axes]:
    """Draw sounds on common axes of time, frequency and level; 0 dB is the loudest spot of all of them.

    Args:
        figure: what to draw into.
        panels: titles and sounds.
        sample_rate: of all sounds, in Hz.
        side_by_side: panels in a row instead of one below the other.
        strip: curves below the panels.

    Returns:
        The axes of the panels, then of the strip if there is one.
    """
    count = len(panels)
    heights = [1.0] if side_by_side else [1.0] * count
    heights += [STRIP_HEIGHT] * (strip is not None)
    grid = figure.add_gridspec(len(heights), count if side_by_side else 1, height_ratios=heights)
    levels = [mel_levels(audio, sample_rate) for _, audio in panels]
    top = max(float(level.max()) for level in levels)
    shown: list[Axes] = []
    for number, ((name, audio), level) in enumerate(zip(panels, levels)):
        place = grid[0, number] if side_by_side else grid[number, 0]
        axes = figure.add_subplot(place, sharex=shown[0] if shown else None, sharey=shown[0] if shown else None)
        image = _draw(axes, level, len(audio) / sample_rate, sample_rate, top)
        set_title(axes, name)
        outer = number == 0 or not side_by_side
        axes.set_ylabel("frequency (Hz)" if outer else "", fontsize=9)
        axes.tick_params(labelleft=outer)
        shown.append(axes)
    if strip is not None:
        shown.append(figure.add_subplot(grid[-1, :], sharex=shown[0]))
        _draw_strip(shown[-1], *strip)
    shown[0].set_xlim(0, max(len(audio) for _, audio in panels) / sample_rate)
    for axes in shown:
        lowest = axes is shown[-1] or side_by_side
        axes.tick_params(labelbottom=lowest)
        axes.set_xlabel("time (s)" if lowest else "", fontsize=9)
    bar = figure.colorbar(image, ax=shown[:count], pad=0.01, aspect=18 if side_by_side else 10 * count)
    bar.set_label("level (dB below the loudest)", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    return shown


def _draw_strip(axes: Axes, label: str, seconds: np.ndarray, curves: dict[str, np.ndarray]) -> None:
    for name, values in curves.items():
        axes.plot(seconds, values, lw=1.5, label=name)
    if all(values.min() >= 0 and values.max() <= 1 for values in curves.values()):
        axes.set_ylim(-0.05, 1.05)
    axes.set_ylabel(label, fontsize=9)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, ncols=len(curves), loc="best")


def mel_panels(
    path: str | Path | None,
    panels: Sequence[Panel],
    sample_rate: int,
    side_by_side: bool = False,
    strip: Strip | None = None,
    title: str = "",
) -> Figure:
    """Draw sounds as by :func:`draw_panels` into a figure of their own.

    Args:
        path: PNG file, written whole or not at all; None only makes the figure.
        panels: titles and sounds.
        sample_rate: of all sounds, in Hz.
        side_by_side: panels in a row instead of one below the other.
        strip: curves below the panels.
        title: of the whole figure.

    Returns:
        The figure; its axes are the panels, then the strip if there is one, then the colour bar.

    Raises:
        VqsynthError: the figure cannot be written.
    """
    count = len(panels)
    figure = (
        blank(max(6.0, 1.2 + 3.0 * count), 4.2)
        if side_by_side
        else blank(10.0, 0.9 + 2.1 * (count + STRIP_HEIGHT * (strip is not None)))
    )
    draw_panels(figure, panels, sample_rate, side_by_side, strip)
    if title:
        figure.suptitle(title, fontsize=11)
    if path is not None:
        save(figure, path)
    return figure


def blank(width: float, height: float) -> Figure:
    """An empty figure of a size in inches, at 100 dots an inch."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    return FigureCanvasAgg(Figure(figsize=(width, height), layout="constrained", dpi=100)).figure


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG, whole or not at all.

    Raises:
        VqsynthError: it cannot be written.
    """
    from PIL import Image

    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")
        # A spectrogram has one scale of colours: a palette takes a third of the room.
        with Image.open(temporary) as drawn:
            small = drawn.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        small.save(temporary, format="png", optimize=True)
