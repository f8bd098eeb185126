"""Mel panels: right places, one scale, whole files."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from vqsynth.dsp.mel import hz_to_mel
from vqsynth.errors import VqsynthError
from vqsynth.figures import mel as figures
from vqsynth.figures.mel import blank, draw_mel, mel_levels, mel_panels

RATE = 44_100


def sine(hz: float, seconds: float, level: float = 0.5) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


@pytest.mark.parametrize("hz", [200, 1000, 8000])
def test_a_tone_lies_where_the_axis_says(hz):
    axes = blank(4, 3).subplots()
    image = draw_mel(axes, sine(hz, 0.5), RATE)
    levels = np.asarray(image.get_array())
    left, right, low, high = image.get_extent()
    band = levels.mean(1).argmax()
    seen = low + (band + 0.5) / figures.N_MELS * (high - low)
    assert abs(seen - hz_to_mel(hz)) < 1.5 * (high - low) / figures.N_MELS
    assert (left, right) == (0, pytest.approx(0.5))
    labels = {label.get_text(): tick for label, tick in zip(axes.get_yticklabels(), axes.get_yticks())}
    assert labels["1k"] == pytest.approx(float(hz_to_mel(1000)))


def test_levels_are_decibels_below_the_loudest_of_all():
    figure = mel_panels(None, [("loud", sine(500, 0.5, 0.5)), ("soft", sine(500, 0.3, 0.05))], RATE)
    loud, soft = (np.asarray(axes.images[0].get_array()) for axes in figure.axes[:2])
    assert loud.max() == pytest.approx(0, abs=1e-5)
    assert soft.max() == pytest.approx(-20, abs=0.5)
    assert figure.axes[0].images[0].get_clim() == figure.axes[1].images[0].get_clim() == (-80, 0)
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim() == (0, pytest.approx(0.5))
    # A given top is 0 dB instead.
    top = mel_levels(sine(500, 0.5, 0.5), RATE).max()
    image = draw_mel(blank(4, 3).subplots(), sine(500, 0.5, 0.25), RATE, top_db=top)
    assert np.asarray(image.get_array()).max() == pytest.approx(-6, abs=0.1)


@pytest.mark.parametrize("side_by_side", [True, False])
def test_every_sound_has_a_panel_and_its_units(tmp_path, side_by_side):
    panels = [(f"sound {number}", sine(300 * number, 0.4)) for number in (1, 2, 3)]
    strip = ("weight", np.linspace(0, 0.4, 9), {"A": np.linspace(1, 0, 9), "B": np.linspace(0, 1, 9)})
    figure = mel_panels(tmp_path / "a.png", panels, RATE, side_by_side, strip, title="three")
    assert [axes.get_title(loc="left") for axes in figure.axes[:3]] == ["sound 1", "sound 2", "sound 3"]
    assert len(figure.axes) == 5 and len(figure.axes[3].lines) == 2
    assert figure.axes[0].get_ylabel() == "frequency (Hz)" and figure.axes[3].get_xlabel() == "time (s)"
    assert "dB" in figure.axes[4].get_ylabel()
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == tuple(round(100 * inches) for inches in figure.get_size_inches())
        assert len(image.convert("L").getcolors()) > 50


def test_long_sounds_are_averaged_over_time(monkeypatch):
    audio = sine(1000, 30.0)
    audio[len(audio) // 2 :] *= 0.1
    levels = mel_levels(audio, RATE)
    assert figures.COLUMNS / 2 < len(levels) <= figures.COLUMNS
    quarter = len(levels) // 4
    np.testing.assert_allclose(levels[quarter].max() - levels[3 * quarter].max(), 20, atol=0.1)
    assert levels[-2].max() == pytest.approx(levels[3 * quarter].max(), abs=0.1)
    # The pieces of the analysis leave no trace.
    monkeypatch.setattr(figures, "_PIECE", 50_000)
    np.testing.assert_allclose(mel_levels(audio, RATE), levels, atol=1e-3)


def test_short_and_silent_sounds_can_be_drawn(tmp_path):
    mel_panels(tmp_path / "a.png", [("short", sine(500, 0.002)), ("silent", np.zeros(3000, np.float32))], RATE)
    assert (tmp_path / "a.png").stat().st_size > 5000


def test_a_missing_folder_is_made_and_one_that_cannot_be_is_named(tmp_path):
    mel_panels(tmp_path / "new" / "a.png", [("a", sine(500, 0.1))], RATE)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.png"]
    with pytest.raises(VqsynthError, match="cannot be made"):
        mel_panels(tmp_path / "new" / "a.png" / "b.png", [("a", sine(500, 0.1))], RATE)


def test_any_name_of_a_file_is_a_title(tmp_path):
    audio = 0.1 * np.sin(2 * np.pi * 440 * np.arange(22_050) / 44_100).astype(np.float32)
    panels = [("bytes \udcff\udcfe.wav", audio), ("costs $5_{ and $6.wav", audio)]
    figure = mel_panels(tmp_path / "titles.png", panels, 44_100)
    assert (tmp_path / "titles.png").stat().st_size > 10_000
    assert figure.axes[1].get_title(loc="left") == "costs $5_{ and $6.wav"
