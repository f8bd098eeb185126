"""The picture of a render: its spectrogram, and every target against what was measured on the sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from vqsynth.dsp.stft import hann
from vqsynth.figures.text import set_title
from vqsynth.storage.atomic import atomic_path
from vqsynth.storage.spool import AudioSpool

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 1000
"""Spectra shown, however long the sound is."""
TOP_HZ = 11_000.0
RANGE_DB = 75.0
_POINTS = 4000
_TARGET, _MEASURED = "#111111", "#d1495b"


class Target(Protocol):
    """A curve that was asked for, or held.

    Attributes:
        name: of the descriptor.
        unit: of its values.
        log: whether equal ratios sound equal.
        values: [frames].
        mask: [frames], where it counts.
        held: nobody asked for it; it is kept still.
    """

    @property
    def name(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def log(self) -> bool: ...
    @property
    def values(self) -> np.ndarray: ...
    @property
    def mask(self) -> np.ndarray: ...
    @property
    def held(self) -> bool: ...


def spectrogram(sound: AudioSpool, n_fft: int) -> np.ndarray:
    """Spectra in dB at up to 1,000 evenly spaced places of the sound. Shape: [n_fft // 2 + 1, columns]."""
    columns = int(np.clip(4 * sound.written // n_fft, 1, COLUMNS))
    centres = ((np.arange(columns) + 0.5) * sound.written / columns).astype(int)
    window, spectra = hann(n_fft).numpy(), []
    for start in range(0, columns, 64):
        frames = np.zeros((len(centres[start : start + 64]), n_fft), np.float32)
        for row, centre in zip(frames, centres[start : start + 64]):
            first = max(0, centre - n_fft // 2)
            piece = sound.read(first, centre + n_fft // 2 - first)
            row[: len(piece)] = piece
        spectra.append(np.abs(np.fft.rfft(frames * window)).astype(np.float32))
    return 20 * np.log10(np.concatenate(spectra).T + 1e-9)


def draw(
    path: Path,
    sound: AudioSpool,
    sample_rate: int,
    n_fft: int,
    resolved: Sequence[Target],
    measured: dict[str, np.ndarray],
    times: np.ndarray,
    title: str,
    means: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Draw into a PNG file, whole or not at all.

    Args:
        path: the file.
        sound: what was made.
        sample_rate: in Hz.
        n_fft: samples of an analysis window.
        resolved: every target, on the frames of ``times``.
        measured: name -> [frames], NaN where there is nothing to see.
        times: [frames] seconds.
        title: of the figure.
        means: name -> [frames], what was measured as a half-second mean.

    Raises:
        VqsynthError: the figure cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = sorted(resolved, key=lambda goal: goal.held)
    figure = Figure(figsize=(10, 3.6 + 1.9 * len(shown)), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1 + len(shown), 1, sharex=True, height_ratios=[1.9, *([1.0] * len(shown))], squeeze=False)[
        :, 0
    ]
    seconds = sound.written / sample_rate
    levels = spectrogram(sound, n_fft)
    top = min(TOP_HZ, sample_rate / 2)
    bins = int(np.ceil(top / (sample_rate / n_fft))) + 1
    peak = float(np.percentile(levels[:bins], 99.9))
    image = axes[0].imshow(
        levels[:bins],
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=peak - RANGE_DB,
        vmax=peak,
        extent=(0, seconds, 0, (bins - 1) * sample_rate / n_fft / 1000),
        interpolation="bilinear",
    )
    axes[0].set(ylabel="frequency (kHz)", ylim=(0, top / 1000))
    set_title(axes[0], title, 12.0, "center")
    figure.colorbar(image, ax=axes[0], pad=0.01, aspect=18).set_label("level (dB)")
    step = max(1, len(times) // _POINTS)
    for axis, goal in zip(axes[1:], shown):
        values = np.where(goal.mask, goal.values, np.nan)
        mean = (means or {}).get(goal.name)
        axis.plot(
            times[::step],
            measured[goal.name][::step],
            color=_MEASURED,
            lw=1.1 if mean is None else 0.7,
            alpha=1.0 if mean is None else 0.45,
            label="measured on the sound",
        )
        if mean is not None:
            axis.plot(times[::step], mean[::step], color=_MEASURED, lw=1.6, label="its half-second mean")
        axis.plot(
            times[::step],
            values[::step],
            color=_TARGET,
            lw=1.0,
            ls=(0, (4, 3)),
            label="held" if goal.held else "target",
        )
        axis.set(ylabel=f"{goal.name} ({goal.unit})" if goal.unit else goal.name, xlim=(0, seconds))
        _limits(axis, goal, values)
        axis.grid(alpha=0.25)
        axis.legend(loc="lower right", bbox_to_anchor=(1, 0.97), fontsize=8, frameon=False, ncols=3)
    axes[-1].set_xlabel("time (s)")
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")


def _limits(axis: Axes, goal: Target, values: np.ndarray) -> None:
    """Show the target's whole span with room around it; a still pitch within a tone either way."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if goal.name == "f0" and high / low < 2 ** (1 / 6):
        low, high = low * 2 ** (-1 / 6), high * 2 ** (1 / 6)
    if goal.log and low > 0 and high / low > 3:
        from matplotlib.ticker import NullFormatter, ScalarFormatter

        axis.set_yscale("log")
        axis.yaxis.set_major_formatter(ScalarFormatter())
        axis.yaxis.set_minor_formatter(NullFormatter())
        axis.set_yticks(
            [tick for k in range(-6, 6) for m in (1, 2, 5) if low / 1.3 <= (tick := m * 10.0**k) <= high * 1.3]
        )
        axis.set_ylim(low / 1.15, high * 1.15)
    else:
        room = 0.12 * (high - low) or 0.1 * abs(high) or 1.0
        axis.set_ylim(low - room, high + room)
