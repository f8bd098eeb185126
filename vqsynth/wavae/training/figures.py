"""Figures of a domain: what it makes of recordings it was not trained on, and what its axes do."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vqsynth.figures.mel import mel_panels
from vqsynth.wavae.network.model import Wavae
from vqsynth.wavae.paths.pca import Pca

SECONDS = 8.0
AXES = 4
REACH = 2.5
"""Standard deviations to either side."""
LOUDNESS = -20.0


def excerpts(recordings: list[np.ndarray], sample_rate: int) -> np.ndarray:
    """The beginnings of up to four recordings in a row. Shape: lists of [samples] -> [samples]."""
    chosen = recordings[:: max(1, len(recordings) // 4)][:4]
    return np.concatenate([audio[: int(SECONDS / len(chosen) * sample_rate)] for audio in chosen])


def sweep_axis(model: Wavae, axes: Pca, number: int, pitch: float | None = None, seconds: float = 3.0) -> np.ndarray:
    """Sound of the mean latent while one axis goes from low to high at a steady loudness and pitch (Hz, or none).

    Shape:
        -> [samples]
    """
    frames = int(seconds * model.config.rate)
    coordinates = np.zeros((frames, model.config.latent_dim), np.float32)
    coordinates[:, number] = np.linspace(-REACH, REACH, frames) * axes.std[number]
    controls = np.full((frames, len(model.config.controls)), LOUDNESS, np.float32)
    controls[:, 1], controls[:, 2], controls[:, 3:] = pitch or 220.0, float(pitch is not None), 1500.0
    return model.decode(axes.latents(coordinates), controls)


def draw_figures(
    folder: Path, name: str, model: Wavae, axes: Pca, held_out: list[np.ndarray], pitch: float | None = None
) -> list[Path]:
    """Write ``axes.png`` and, where anything was held out, ``resynthesis.png``.

    Args:
        folder: made if it is not there.
        name: of the domain, for the titles.
        model: of the domain.
        axes: its principal axes.
        held_out: recordings, each [samples].
        pitch: of the sweeps, Hz, where the domain has any.

    Returns:
        Paths of the figures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rate = model.config.sample_rate
    paths = [folder / "axes.png"]
    panels = [
        (f"axis {n}, from -{REACH} to {REACH} standard deviations", sweep_axis(model, axes, n, pitch))
        for n in range(min(AXES, len(axes.std)))
    ]
    mel_panels(paths[0], panels, rate, title=f"{name}: what the widest axes of the latent path do")
    if held_out:
        audio = excerpts(held_out, rate)
        paths.append(folder / "resynthesis.png")
        output = model.resynthesise(audio)
        mel_panels(
            paths[1], [("recordings the model was not trained on", audio), ("resynthesis", output)], rate, title=name
        )
    return paths
