"""The picture of a render."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from PIL import Image

from vqsynth.control.resolve import ResolvedTarget
from vqsynth.figures.render import COLUMNS, draw, spectrogram
from vqsynth.storage.spool import AudioSpool

RATE = 44_100


def sound(seconds: float) -> AudioSpool:
    """A sine that rises from 1 to 5 kHz."""
    frequency = np.linspace(1000, 5000, int(seconds * RATE))
    spool = AudioSpool(len(frequency))
    spool.write(0.5 * np.sin(2 * np.pi * np.cumsum(frequency) / RATE).astype(np.float32))
    return spool


@pytest.mark.parametrize("seconds", [0.03, 2.0, 60.0])
def test_the_spectrogram_shows_the_rise_in_a_bounded_number_of_columns(seconds):
    levels = spectrogram(sound(seconds), 2048)
    assert levels.shape[0] == 1025 and 1 <= levels.shape[1] <= COLUMNS
    if seconds > 1:
        peaks = levels.argmax(0) * RATE / 2048
        expected = np.linspace(1000, 5000, len(peaks))
        assert np.median(np.abs(peaks - expected)) < 60


def test_a_figure_of_a_long_render_is_complete_in_few_points(tmp_path, monkeypatch):
    frames = 200_000
    times = np.arange(frames) / 86.0
    values = 1000 + 500 * np.sin(times)
    resolved = [
        ResolvedTarget(
            "centroid", "Hz", True, "sin", values, np.ones(frames, bool), 1.0, 500, 1500, (400, 2000), "p10:p90"
        ),
        ResolvedTarget(
            "f0",
            "Hz",
            True,
            "held",
            np.full(frames, 440.0),
            np.ones(frames, bool),
            1.0,
            440,
            440,
            (200, 800),
            "own",
            held=True,
        ),
    ]
    measured = {"centroid": values * 1.01, "f0": np.where(np.arange(frames) % 7, 440.0, np.nan)}
    drawn, plot = [], Axes.plot

    def counted(axes, x, *rest, **options):
        drawn.append(len(x))
        return plot(axes, x, *rest, **options)

    monkeypatch.setattr(Axes, "plot", counted)
    draw(tmp_path / "out.png", sound(20), RATE, 2048, resolved, measured, times, "violin")
    assert len(drawn) == 4
    assert 2000 < max(drawn) <= 5000
    with Image.open(tmp_path / "out.png") as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    assert pixels.shape[0] > 600 and pixels.shape[1] >= 1000
    red = (pixels[..., 0] > 180) & (pixels[..., 1] < 120) & (pixels[..., 2] < 130)
    assert red[pixels.shape[0] // 2 :].sum() > 300
