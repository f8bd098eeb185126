"""The spectrograms of a sound and of what it became, one above the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vqsynth.corpus.files import stream_mono
from vqsynth.storage.atomic import atomic_path
from vqsynth.vqvae.config import ModelConfig

_COLUMNS = 1200


def draw_pair(source: str | Path, result: str | Path, figure: str | Path, config: ModelConfig) -> None:
    """Draw both files' mel spectrograms (PNG); long files are averaged over time.

    Raises:
        VqsynthError: a file cannot be read, or the figure cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    canvas = FigureCanvasAgg(Figure(figsize=(10, 6), layout="constrained"))
    axes = canvas.figure.subplots(2, 1, sharex=True, sharey=True)
    for axis, path in zip(axes, (source, result)):
        levels, seconds = mel_levels(path, config)
        high = config.sample_rate / 2000
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
        axis.set_title(Path(path).name, loc="left", fontsize=9)
        axis.set_ylabel(f"mel band (0 to {high:g} kHz)")
    axes[1].set_xlabel("time (s)")
    with atomic_path(figure) as temporary:
        canvas.figure.savefig(temporary, dpi=100)


def mel_levels(path: str | Path, config: ModelConfig) -> tuple[np.ndarray, float]:
    """Mel spectrogram of a file, read in blocks.

    Returns:
        levels [columns, 128] in dB, columns at most about 1200, and the length in seconds
    """
    import torch

    from vqsynth.corpus.files import probe
    from vqsynth.dsp.mel import mel_filters
    from vqsynth.dsp.stft import power_spectrogram

    seconds = probe(path).seconds
    step = max(1, int(np.ceil(seconds * config.frame_rate / _COLUMNS)))
    filters = mel_filters(config.sample_rate, config.n_fft, 128)
    rows: list[np.ndarray] = []
    block_seconds = step * max(1, round(10 * config.frame_rate / step)) / config.frame_rate
    for block in stream_mono(path, config.sample_rate, block_seconds):
        power = power_spectrogram(torch.from_numpy(block), config.n_fft, config.hop_length)[
            : max(1, len(block) // config.hop_length)
        ]
        mel = power @ filters
        for start in range(0, len(mel), step):
            rows.append(mel[start : start + step].mean(0).numpy())
    return 10 * np.log10(np.stack(rows) + 1e-10), seconds
