"""What the model makes of held-out recordings, to hear and to see while it trains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
import torch

from vqsynth.dsp.stft import power_spectrogram
from vqsynth.storage.atomic import atomic_path


def write_preview(
    folder: Path, step: int, target: np.ndarray, output: np.ndarray, sample_rate: int, n_fft: int, hop_length: int
) -> Path:
    """Write ``step_N.wav`` (recordings, then their reconstructions) and ``step_N.png``.

    Shape:
        target: [segments, samples]
        output: [segments, samples]

    Returns:
        The path of the picture.
    """
    import matplotlib.figure

    folder.mkdir(parents=True, exist_ok=True)
    both = np.concatenate([np.concatenate(list(target)), np.zeros(sample_rate // 4), np.concatenate(list(output))])
    with atomic_path(folder / f"step_{step:06d}.wav") as temporary:
        soundfile.write(temporary, np.clip(both, -1, 1), sample_rate, "PCM_16")
    figure = matplotlib.figure.Figure(figsize=(10, 4.5), layout="constrained")
    for axes, audio, title in zip(
        figure.subplots(1, 2, sharey=True), (target, output), ("held-out recordings", f"reconstructions at step {step}")
    ):
        signal = torch.from_numpy(np.concatenate(list(audio)).astype(np.float32))
        power = power_spectrogram(signal, n_fft, hop_length).numpy()
        level = 10 * np.log10(power.T + 1e-9)
        axes.imshow(
            level,
            origin="lower",
            aspect="auto",
            cmap="magma",
            vmin=level.max() - 80,
            vmax=level.max(),
            extent=(0, len(signal) / sample_rate, 0, sample_rate / 2000),
        )
        axes.set(title=title, xlabel="time (s)", ylim=(0, 12))
    figure.axes[0].set_ylabel("frequency (kHz)")
    path = folder / f"step_{step:06d}.png"
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=90)
    return path
