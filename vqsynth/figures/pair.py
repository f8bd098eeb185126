"""The spectrograms of a sound and of what it became, one above the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vqsynth.corpus.files import stream_mono
from vqsynth.figures.text import set_title
from vqsynth.storage.atomic import atomic_path

_COLUMNS = 1200


def draw_pair(
    source: str | Path, result: str | Path, figure: str | Path, sample_rate: int, n_fft: int, hop_length: int
) -> None:
    """Draw both files' mel spectrograms (PNG); long files are averaged over time.

    Args:
        source: sound file, drawn above.
        result: sound file, drawn below.
        figure: PNG file, written whole or not at all.
        sample_rate: at which both are shown, in Hz.
        n_fft: samples of an analysis window.
        hop_length: samples between frames.

    Raises:
        VqsynthError: a file cannot be read, or the figure cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    canvas = FigureCanvasAgg(Figure(figsize=(10, 6), layout="constrained"))
    axes = canvas.figure.subplots(2, 1, sharex=True, sharey=True)
    for axis, path in zip(axes, (source, result)):
        levels, seconds = mel_levels(path, sample_rate, n_fft, hop_length)
        high = sample_rate / 2000
        axis.imshow(
            levels.T,
            origin="lower",
            aspect="auto",
            cmap="magma",
            vmin=levels.max() - 70,
            vmax=levels.max(),
            extent=(0, seconds, 0, levels.shape[1]),
            interpolation="none",
        )
        set_title(axis, Path(path).name, 9.0)
        axis.set_ylabel(f"mel band (0 to {high:g} kHz)")
    axes[1].set_xlabel("time (s)")
    with atomic_path(figure) as temporary:
        canvas.figure.savefig(temporary, dpi=100)


def mel_levels(path: str | Path, sample_rate: int, n_fft: int, hop_length: int) -> tuple[np.ndarray, float]:
    """Mel spectrogram of a file, read in blocks.

    Returns:
        levels [columns, 128] in dB, columns at most about 1200, and the length in seconds
    """
    import torch

    from vqsynth.corpus.files import probe
    from vqsynth.dsp.mel import mel_filters
    from vqsynth.dsp.stft import power_spectrogram

    seconds = probe(path).seconds
    frame_rate = sample_rate / hop_length
    step = max(1, int(np.ceil(seconds * frame_rate / _COLUMNS)))
    filters = mel_filters(sample_rate, n_fft, 128)
    rows: list[np.ndarray] = []
    block_seconds = step * max(1, round(10 * frame_rate / step)) / frame_rate
    for block in stream_mono(path, sample_rate, block_seconds):
        power = power_spectrogram(torch.from_numpy(block), n_fft, hop_length)
        mel = power[: max(1, len(block) // hop_length)] @ filters
        for start in range(0, len(mel), step):
            rows.append(mel[start : start + step].mean(0).numpy())
    return 10 * np.log10(np.stack(rows) + 1e-10), seconds
