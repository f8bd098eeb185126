"""Patches in a real Pure Data."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest

from benchmarks.realtime.pure_data import problems, recorded
from vqsynth.patches.write import PATCHES

RATE = 44_100
ALL = [(name, patch) for name, kind in (("violin", "timbre"), ("strings", "wavae")) for patch in PATCHES[kind]]


def after(signal: np.ndarray, seconds: float) -> float:
    """Value at a time."""
    return float(signal[round(seconds * RATE)])


@pytest.mark.parametrize("name, patch", ALL)
def test_opens_without_a_word_of_error(name, patch, patches, play):
    console, _ = play(patches[name] / f"{patch}.pd", seconds=0.2)
    assert problems(console) == []
    sizes = [int(size) for size in re.findall(r"^nn-\w+: bufsize (\d+)$", console, re.M)]
    assert len(sizes) == (2 if patch == "latents" else 1)
    assert set(sizes) == {512 if name == "violin" else 1024}


def test_what_is_wrong_would_be_seen(patches, play, tmp_path):
    text = (patches["violin"] / "feedback.pd").read_text().replace("bp~ 1000 10", "band~ 1000 10")
    broken = tmp_path / "broken.pd"
    broken.write_text(text)
    console, _ = play(broken, seconds=0.1)
    assert any("couldn't create" in line for line in problems(console))


@pytest.mark.parametrize("centre", (700, 2500))
def test_feedback_is_bounded_and_around_the_frequency(centre, patches, play, tmp_path):
    patch = shutil.copy(patches["strings"] / "feedback.pd", tmp_path)
    said = [
        (0.1, "strings-record open -bytes 4 loop.wav"),
        (0.1, "strings-record start"),
        (0.1, f"strings-frequency {centre}"),
        (0.1, "strings-Q 12"),
        (0.1, "strings-feedback 3"),
        (0.2, "strings-burst bang"),
        (3.0, "strings-record stop"),
    ]
    console, folder = play(tmp_path / "feedback.pd", said, 3.5)
    assert patch and problems(console) == []
    sound, frequency, q, feedback = recorded(folder / "loop.wav")
    assert len(sound) == pytest.approx(2.9 * RATE, abs=200)
    np.testing.assert_allclose([frequency[-1], q[-1], feedback[-1]], [centre / 10_000, 0.6, 0.15], rtol=1e-5)
    assert np.isfinite(sound).all() and 0.05 < np.abs(sound).max() < 1.5
    tail = sound[RATE:]
    assert np.sqrt(np.mean(tail**2)) > 0.05
    spectrum = np.abs(np.fft.rfft(tail * np.hanning(len(tail)))) ** 2
    hertz = np.fft.rfftfreq(len(tail), 1 / RATE)
    # A loop sounds at the resonance of its delay that is nearest to the band.
    near = (hertz > centre * 0.85) & (hertz < centre / 0.85)
    assert spectrum[near].sum() > 0.75 * spectrum.sum()  # the rest are harmonics: the loop is clipped
    # Below a factor of 1 the loop dies away.
    said[4] = (0.1, "strings-feedback 0.5")
    _, folder = play(tmp_path / "feedback.pd", said, 3.5)
    sound = recorded(folder / "loop.wav")[0]
    assert np.sqrt(np.mean(sound[2 * RATE :] ** 2)) < 1e-4
    early = sound[round(0.12 * RATE) : round(0.6 * RATE)]
    assert np.abs(early).max() > 0.01


def test_a_drawn_curve_arrives_as_values(patches, play):
    steps = np.linspace(2000, 3000, 1001)
    drawn = " ".join(f"{value:g}" for value in steps)
    said = [
        (0.05, f"violin-centroid-curve 0 {drawn}"),
        (0.05, "violin-pitch 330"),
        (0.05, "violin-bandwidth-mode 1"),
        (0.05, "violin-bandwidth 2500"),
        (0.05, "violin-seconds 2"),
        (0.1, "violin-play bang"),
    ]
    console, folder = play(patches["violin"] / "descriptors.pd", said, 2.5)
    assert problems(console) == []
    centroid, bandwidth, pitch, gain, velocity = recorded(folder / "control.wav")[:5]
    time = np.arange(len(centroid)) / RATE
    inside = (time > 0.15) & (time < 2.05)
    np.testing.assert_allclose(centroid[inside], 2000 + 500 * (time[inside] - 0.1), atol=2)
    np.testing.assert_allclose(pitch[inside], 330, rtol=1e-6)
    np.testing.assert_allclose(bandwidth[inside], 2500, rtol=1e-6)
    np.testing.assert_allclose(velocity[inside], 0.8, rtol=1e-6)
    assert gain[inside] == pytest.approx(0)
    assert after(velocity, 0.05) == 0 and after(velocity, 2.3) == 0
    # Curve, slider, and as the timbre has it.
    said += [(1.0, "violin-centroid-mode 1"), (1.0, "violin-centroid 2345"), (1.5, "violin-centroid-mode 0")]
    _, folder = play(patches["violin"] / "descriptors.pd", said, 2.0)
    centroid = recorded(folder / "control.wav")[0]
    assert [after(centroid, x) for x in (1.2, 1.7)] == pytest.approx([2345, 0])


def test_curve_plays_again_and_stops(patches, play):
    said = [(0.0, "violin-seconds 0.5"), (0.0, "violin-repeat 1"), (0.1, "violin-play bang"), (1.4, "violin-stop bang")]
    _, folder = play(patches["violin"] / "descriptors.pd", said, 2.0)
    centroid, _, _, _, velocity = recorded(folder / "control.wav")[:5]
    assert after(velocity, 1.2) == pytest.approx(0.8) and after(velocity, 1.6) == 0
    assert after(centroid, 0.35) == pytest.approx(after(centroid, 0.85), rel=1e-3)


def notes(*events):
    """Messages as MIDI devices send them."""
    return [(when, f"#{kind} {' '.join(map(str, values))}") for when, kind, *values in events]


def test_notes_arrive_in_hertz(patches, play):
    said = notes(
        (0.1, "notein", 69, 127, 1),
        (0.3, "notein", 72, 64, 1),
        (0.4, "notein", 69, 0, 1),  # of a note that no longer sounds
        (0.5, "bendin", 16383, 1),
        (0.7, "notein", 72, 0, 1),
    )
    console, folder = play(patches["violin"] / "keyboard.pd", said, 0.9)
    assert problems(console) == []
    _, _, pitch, _, velocity = recorded(folder / "control.wav")[:5]
    hertz = [440.0, 523.2511, 523.2511, 587.3295]
    assert [after(pitch, x) for x in (0.2, 0.35, 0.45, 0.6)] == pytest.approx(hertz, rel=3e-5)
    loud = [0, 1, 64 / 127, 64 / 127, 0]
    assert [after(velocity, x) for x in (0.05, 0.2, 0.35, 0.45, 0.8)] == pytest.approx(loud, abs=1e-6)


def test_mpe_has_a_bend_for_each_note(patches, play):
    said = [
        (0.0, "violin-bend-range 48"),
        *notes(
            (0.1, "bendin", 8192 + 512, 3),  # comes before its note
            (0.2, "notein", 60, 100, 2),
            (0.4, "notein", 64, 100, 3),
            (0.5, "bendin", 8192 + 2048, 2),  # of the other note
            (0.6, "ctlin", 74, 127, 3),
            (0.6, "touchin", 127, 3),
            (0.7, "ctlin", 74, 0, 2),
        ),
    ]
    # Pure Data has the controller's number first.
    console, folder = play(patches["violin"] / "keyboard.pd", said, 0.9)
    assert problems(console) == []
    centroid, _, pitch, gain, _ = recorded(folder / "control.wav")[:5]
    assert [after(pitch, x) for x in (0.3, 0.45, 0.55)] == pytest.approx(
        [261.6256, 329.6276 * 2 ** (3 / 12), 329.6276 * 2 ** (3 / 12)], rel=3e-5
    )
    assert after(gain, 0.45) == pytest.approx(0) and after(gain, 0.8) == pytest.approx(6, rel=1e-3)
    assert after(centroid, 0.45) == 0 and after(centroid, 0.8) > 3000


def test_keys_on_the_screen_and_a_continuous_model(patches, play):
    said = [(0.1, "strings-key 9"), (0.5, "strings-off bang"), (0.2, "strings-axis-0 1.5")]
    console, folder = play(patches["strings"] / "keyboard.pd", said, 0.8)
    assert problems(console) == []
    signals = recorded(folder / "decode.wav")
    axes = 16
    loudness, pitch, voicing = signals[axes : axes + 3]
    assert after(loudness, 0.05) == 0 and after(loudness, 0.7) == 0 and -60 < after(loudness, 0.4) < -10
    assert after(pitch, 0.4) == pytest.approx(220, rel=3e-5) and after(voicing, 0.4) == 1
    assert after(signals[0], 0.4) == pytest.approx(1.5) and after(signals[1], 0.4) == 0


def test_latents_are_bent_on_their_way(patches, play):
    said = [
        (0.1, "strings-axis-2 1.25"),
        (0.1, "strings-hand 1"),
        (0.1, "strings-pitch 330"),
        (0.1, "strings-input 1"),
    ]
    console, folder = play(patches["strings"] / "latents.pd", said, 0.4)
    assert problems(console) == []
    signals = recorded(folder / "decode.wav")
    axes = 16
    assert after(signals[2], 0.3) == pytest.approx(1.25) and after(signals[3], 0.3) == 0
    assert after(signals[axes + 1], 0.3) == pytest.approx(330) and after(signals[axes + 2], 0.3) == 1
    assert after(signals[axes], 0.05) == 0 and -60 < after(signals[axes], 0.3) < -10


def test_models_stop_before_the_program_ends(patches, play):
    console, _ = play(patches["violin"] / "help.pd", [(0.1, "vqsynth-quit bang")], 0.3)
    assert "nn-control: enable 0" in console
